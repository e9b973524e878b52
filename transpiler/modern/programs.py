"""Which files run together: those of which one loads the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import ast
from ..parse import parse
from ..scope import resolve
from ..sharing import LOADERS
from ..syntax import dotted
from ..walk import plain
from .groups import Groups

Sources = Sequence[tuple[str, bytes]]


def programs(sources: Sources, required: Callable[[str], str | None]) -> list[Sources]:
    """Return the files that are given in sets that have nothing to do with one another.

    A file that loads others by names that it puts together may load any.
    """
    groups = Groups()
    paths = [path for path, _ in sources]
    for path, text in sources:
        for call in resolve(parse(text, path)).calls:
            if not isinstance(call, ast.Call):
                continue
            names = [dotted(call.function), *map(dotted, call.arguments[:1])]  # pcall(require, x)
            for position, name in enumerate(names):
                if name in LOADERS and len(call.arguments) > position:
                    groups.join([path, *_loaded(call.arguments[position], required, paths)])
    found: dict[str, list[tuple[str, bytes]]] = {}
    for path, text in sources:
        found.setdefault(groups.root(path), []).append((path, text))
    return list(found.values())


def _loaded(
    node: ast.Expression, required: Callable[[str], str | None], paths: list[str]
) -> list[str]:
    name = plain(node)
    if not isinstance(name, ast.String):
        return paths
    path = required(name.value)
    return [] if path is None else [path]
