"""load and loadstring: Lua source that a program makes while it runs, translated then.

All that a chunk knows of the program are its globals, so a program that uses these functions has
them in the runtime's table.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from rekindle.core.errors import RekindleError
from rekindle.legacy_nn.lualib import call, first, tostring
from rekindle.legacy_nn.lualib.errors import bad_argument
from rekindle.legacy_nn.lualib.kinds import type_of

from .. import library
from ..errors import LuaSyntaxError

_MARK = "__lua_chunk__"


class ChunkError(RekindleError, NotImplementedError):
    """The environment of a function that is no loaded chunk cannot be changed."""


def loadstring(text: Any, name: Any = None) -> Any:
    """Return a function of Lua source, or nil and what is wrong with it.

    Parameters
    ----------
    text : str
    name : str, optional
        Of the source, in messages.
    """
    if type(text) is not str:
        raise bad_argument(1, "loadstring", f"string expected, got {type_of(text)}")
    from .. import ast  # the translator is needed by few programs
    from ..project import Project, Source
    from ..reading import read

    shown = _shown(text if name is None else tostring(name))
    lua = text.encode("latin-1")
    try:
        body = read(lua, shown)
    except LuaSyntaxError as error:
        return None, str(error)
    # Another file that uses all globals makes those of the chunk the program's.
    chunk = ast.Function(1, 1, [], vararg=True, body=body)
    sources = [
        Source("chunk.lua", lua, ast.Block([ast.Return(1, 1, [chunk])])),
        Source("globals.lua", b"return _G"),
    ]
    translated = Project(sources).translate()[0].python
    namespace: dict[str, Any] = {"__name__": shown, "__file__": shown, _MARK: True}
    exec(compile(translated, shown, "exec"), namespace)
    return namespace["exports"]


def load(source: Any, name: Any = None, _: Any = None, env: Any = None) -> Any:
    """Return a function of Lua source, or of the pieces that a function gives until it ends.

    Parameters
    ----------
    source : str or function
    name : str, optional
    env : Table, optional
        The globals of the chunk, as in Lua 5.2.
    """
    if type_of(source) == "function":
        pieces = []
        while (piece := first(call(source))) not in (None, ""):
            pieces.append(piece)
        source, name = "".join(pieces), "=(load)" if name is None else name
    found = loadstring(source, name)
    if env is not None and not isinstance(found, tuple):
        setfenv(found, env)
    return found


def setfenv(function: Any, environment: Any) -> Any:
    """Give a loaded chunk a table of globals; return the chunk.

    Raises
    ------
    ChunkError
        For another function: what it takes for globals is decided when it is translated.
    """
    if not (isinstance(function, FunctionType) and _MARK in function.__globals__):
        raise ChunkError(
            f"setfenv takes a function of load or loadstring; given {tostring(function)}: "
            "give other functions the values as a table"
        )
    names: dict[str, Any] = function.__globals__
    if "G" in names:
        names["G"] = environment
    for name in names.keys() & (library.GLOBALS.keys() | library.LIBRARIES.keys()):
        names[name] = environment[name]
    for name in names.keys() & library.PACKAGES:
        names[name] = environment[name]
    return function


UNTRANSLATED: dict[str, Callable[..., Any]] = {"setfenv": setfenv}
"""Functions that work on chunks alone."""


def _shown(name: str) -> str:
    """Return the name of a chunk as messages have it."""
    if name[:1] in ("=", "@"):
        return name[1:]
    line, *more = name.split("\n")
    return f'[string "{line}{"..." if more else ""}"]'
