"""require and dofile between translated files, and the words of the command line."""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from rekindle.legacy_nn.lualib import LuaError

from .packages import PACKAGES
from .shared import define
from .tables import Table

arg = Table(*sys.argv[1:])
arg[0] = sys.argv[0] if sys.argv else "?"


def require(name: str) -> Any:
    """Return a package, or what a file of the program returns, translated or still Lua.

    Raises
    ------
    LuaError
        "module 'x' not found" where there is neither.
    """
    if name in PACKAGES:
        define(name, PACKAGES[name])
        return PACKAGES[name]
    module_name = _module_name(name)
    if not _is_translated(module_name):
        path = _lua_file(name)
        if path is None:
            raise LuaError(f"module '{name}' not found: no package, and no file {module_name}.py")
        return _bridge().load_file(path)
    return _value(importlib.import_module(module_name))


def _module_name(name: str) -> str:
    return re.sub(r"[^\w.]", "_", name.removeprefix("./").replace("/", "."))


def _is_translated(module_name: str) -> bool:
    try:
        return util.find_spec(module_name) is not None
    except (ImportError, ValueError):
        return False


def _lua_file(name: str) -> Path | None:
    """Return the file of a module that is still Lua, beside the program's or in its folder."""
    relative = Path(name.replace(".", "/"))
    for folder in (Path.cwd(), *map(Path, sys.path)):
        for path in (folder / relative.with_suffix(".lua"), folder / relative / "init.lua"):
            if path.is_file():
                return path
    return None


@cache
def _bridge() -> Any:
    """Return the Lua that runs modules which are still Lua; they may require translated ones."""
    from rekindle.legacy_nn.bridge import Runtime

    runtime = Runtime()
    for name in ("torch", "nn"):  # the program has them, and so globals of these names
        runtime.require(name)

    def search(name: str, *_: Any) -> Any:
        if _is_translated(_module_name(name)):
            return lambda *_: require(name)
        return f"\n\tno translated module '{name}'"

    loaders = runtime.globals.package.loaders
    loaders[len(loaders) + 1] = search
    return runtime


def _value(module: Any) -> Any:
    return vars(module).get("exports", True)


def dofile(name: str, *_: Any, here: str = "") -> Any:
    """Run the translation of a Lua file and return what it returns.

    Parameters
    ----------
    name : str
        "config.lua"; config.py is sought from the working directory, then from the folders of
        the file that calls.
    here : str
        The file that calls.

    Raises
    ------
    LuaError
        "cannot open x" if there is none.
    """
    relative = Path(name).with_suffix(".py")
    folders = [Path.cwd(), *Path(here).resolve().parents] if here else [Path.cwd()]
    for folder in folders:
        path = folder / relative
        if path.is_file():
            spec = util.spec_from_file_location(f"dofile {path.stem}", path)
            assert spec is not None
            assert spec.loader is not None
            module = util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return vars(module).get("exports", ())
    raise LuaError(f"cannot open {name}")
