"""require and dofile between translated files, and the words of the command line."""

from __future__ import annotations

import importlib
import sys
import sysconfig
from importlib import util
from pathlib import Path
from typing import Any

from rekindle.legacy_nn.bridge import is_package
from rekindle.legacy_nn.lualib import LuaError

from .. import library
from ..module_names import module_name, required_module_name
from .bridged import bridge, package
from .packages import PACKAGES, late_package
from .shared import G, define
from .tables import Table, setmetatable


def _search_path() -> Table:
    """Return Lua's table `package`: folders that a program adds to its path join Python's."""
    kept = Table(path="./?.lua;./?/init.lua", cpath="", config="/\n;\n?\n!\n-\n")

    def assign(table: Table, key: Any, value: Any) -> None:
        kept[key] = value
        if key == "path" and isinstance(value, str):
            folders = [entry.partition("?")[0] or "." for entry in value.split(";")]
            sys.path += [
                f for f in dict.fromkeys(folders) if Path(f).is_dir() and f not in sys.path
            ]

    package = Table(loaded=Table(), preload=Table())
    return setmetatable(package, Table(__index=kept, __newindex=assign))  # type: ignore[no-any-return]


G["package"] = _search_path()

arg = Table(*sys.argv[1:])
arg[0] = sys.argv[0] if sys.argv else "?"


def require(name: str) -> Any:
    """Return a package, or what a file of the program returns, translated or still Lua.

    A package that the runtime does not have itself is the one of the Lua bridge.

    Raises
    ------
    LuaError
        "module 'x' not found" where there is neither.
    """
    if name in PACKAGES:
        define(name, PACKAGES[name])
        return PACKAGES[name]
    if name in library.PARTS or name in library.LATE:
        return late_package(name)
    if name in library.LIBRARIES:
        return G[name]
    if is_package(name):
        return package(name)
    module = required_module_name(name)
    if not is_translated(name):
        folder = _lua_folder(name)
        if folder is None:
            raise LuaError(f"module '{name}' not found: no package, and no file {module}.py")
        return _require_lua(name, folder)
    return _value(importlib.import_module(module))


def is_translated(name: str) -> bool:
    """Whether the program has a Python file for a module; what is installed is none of it."""
    module = required_module_name(name)
    try:
        spec = util.find_spec(module)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None or not spec.has_location:
        return False
    return not any(Path(spec.origin).is_relative_to(folder) for folder in _INSTALLED)


_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def _lua_folder(name: str) -> Path | None:
    """Return the folder below which a module is still Lua: the program's, or that of its files."""
    relative = Path(name.replace(".", "/"))
    for folder in (Path.cwd(), *map(Path, sys.path)):
        for path in (folder / relative.with_suffix(".lua"), folder / relative / "init.lua"):
            if path.is_file():
                return folder
    return None


def _require_lua(name: str, folder: Path) -> Any:
    """Return what Lua's own `require` gives, which runs a file once."""
    runtime = bridge()
    package = runtime.globals.package
    entry = f"{folder.as_posix()}/?.lua;{folder.as_posix()}/?/init.lua"
    if entry not in package.path:
        package.path = f"{entry};{package.path}"
    return runtime.require(name)


def _value(module: Any) -> Any:
    return vars(module).get("exports", True)


def dofile(name: str, *_: Any, here: str = "") -> Any:
    """Run the translation of a Lua file and return what it returns.

    Parameters
    ----------
    name : str
        "config.lua"; its translation is sought from the working directory, then from the folders of
        the file that calls.
    here : str
        The file that calls.

    Raises
    ------
    LuaError
        "cannot open x" if there is neither this nor the Lua file.
    """
    folders = [Path.cwd(), *Path(here).resolve().parents] if here else [Path.cwd()]
    return _run_file(name, folders)


def include(name: str, *, here: str) -> None:
    """Run the translation of a Lua file that is beside the one that calls.

    Raises
    ------
    LuaError
        "cannot open x" if there is neither this nor the Lua file.
    """
    _run_file(name, [Path(here).resolve().parent])


def include_of(package: str, name: str) -> None:
    """Run a file of a package, as `torch.include` does.

    Raises
    ------
    LuaError
        "cannot open x" if there is none, translated or still Lua, below the folders of programs.
    """
    places = [Path.cwd(), *map(Path, sys.path)]
    _run_file(name, [f / _python_folder(package) for f in places] + [f / package for f in places])


def _run_file(name: str, folders: list[Path]) -> Any:
    for folder in folders:
        for path in (folder / candidate for candidate in _python_files(name)):
            if path.is_file():
                spec = util.spec_from_file_location(f"dofile {path.stem}", path)
                assert spec is not None
                assert spec.loader is not None
                module = util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return vars(module).get("exports", ())
    for folder in folders:
        if (folder / name).is_file():  # it is still Lua
            return bridge().load_file(folder / name)
    raise LuaError(f"cannot open {name}")


def _python_folder(package: str) -> str:
    return required_module_name(package).replace(".", "/")


def _python_files(name: str) -> list[Path]:
    """Return where the translation of a Lua file may be."""
    plain = Path(name).with_suffix(".py")
    if plain.is_absolute():
        return [plain]
    mapped = module_name(Path(name).as_posix()).replace(".", "/")
    return [plain, Path(f"{mapped}.py"), Path(mapped) / "__init__.py"]
