"""Lua beside the translated program: packages and files that are still Lua run there."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from rekindle.core.checkpoint import Table as PlainTable
from rekindle.legacy_nn.bridge import Runtime
from rekindle.legacy_nn.lualib import getmetatable

from .shared import define
from .tables import Table, as_program_table
from .workers import switch_globals


@cache
def bridge() -> Runtime:
    """Return the Lua that runs what is still Lua; it may require translated files."""
    from .loading import arg, is_translated, require

    runtime = Runtime(Table)
    runtime.globals.arg = arg  # of which lapp takes the program's options
    for name in ("torch", "nn"):  # the program has them, and so globals of these names
        runtime.require(name)

    def search(name: str, *_: Any) -> Any:
        if is_translated(name):
            return lambda *_: require(name)
        return f"\n\tno translated module '{name}'"

    loaders = runtime.globals.package.loaders
    loaders[len(loaders) + 1] = search
    return runtime


@cache
def package(name: str) -> Any:
    """Return what `require` gives for a package of the bridge.

    A table comes as a Package, on which methods of Python's Table hide no members.
    """
    from .packages import Package

    runtime = bridge()
    before = {key for key, _ in runtime.globals.items()}
    found = runtime.require(name)
    if name == "threads":
        found.switch_globals = switch_globals
    plain = isinstance(found, PlainTable) and getmetatable(found) is None
    result = Package(name, partial(member, name)) if plain else as_program_table(found)
    for key, value in runtime.globals.items():
        if key not in before:
            define(key, result if value is found else as_program_table(value))
    return result


def member(package: str, name: str) -> Any:
    """Return what a package has in Lua."""
    return as_program_table(bridge().require(package).get(name))
