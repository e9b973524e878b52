"""The libraries as Lua has them: tables of functions, which programs may add to, and `_G`."""

from __future__ import annotations

import gc
import sys
from typing import Any

from rekindle.core.checkpoint.table import Table

from . import (
    bit_library,
    coroutines,
    debugging,
    io_library,
    iteration,
    math_library,
    os_library,
    patterns,
    protection,
    string_format,
    string_library,
    table_library,
)
from .calls import select
from .errors import bad_argument
from .indexing import rawget, rawlen, rawset
from .kinds import type_of
from .metatables import getmetatable, metatable_of, setmetatable, string_metatable
from .operators import rawequal
from .sorting import sort
from .values import tonumber, tostring
from .weak import collect


def _library(module: Any, *names: str) -> dict[str, Any]:
    """Return a module's functions by Lua's names; a trailing "_" keeps clear of Python's."""
    return {name.rstrip("_"): getattr(module, name) for name in names}


string = Table(
    _library(string_library, "byte", "char", "dump", "len_", "lower", "rep", "reverse", "sub")
    | _library(patterns, "find", "gmatch", "gsub", "match")
    | {"format": string_format.format_, "gfind": patterns.gmatch, "upper": string_library.upper}
)
"""The string library; what is added to it becomes a method of strings."""

table = Table(
    _library(table_library, "concat", "foreach", "foreachi", "getn", "insert", "maxn", "move")
    | _library(table_library, "pack", "remove", "unpack")
    | {"sort": sort}
)
"""The table library."""

math = Table(
    _library(math_library, "abs_", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg")
    | _library(math_library, "exp", "floor", "fmod", "frexp", "huge", "ldexp", "log", "log10")
    | _library(math_library, "max_", "min_", "mod_", "modf", "pi", "pow_", "rad", "random")
    | _library(math_library, "randomseed", "sin", "sinh", "sqrt", "tan", "tanh")
)
"""The math library."""

os = Table(
    _library(os_library, "clock", "date", "difftime", "execute", "exit_", "getenv", "remove")
    | _library(os_library, "rename", "setlocale", "time", "tmpname")
)
"""The os library."""

io = Table(
    _library(io_library, "close", "flush", "input_", "lines", "open_", "output", "popen", "read")
    | _library(io_library, "stderr", "stdin", "stdout", "tmpfile", "type_", "write")
)
"""The io library."""

bit = Table(
    _library(bit_library, "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol")
    | _library(bit_library, "ror", "rshift", "tobit", "tohex")
)
"""LuaJIT's bit library."""

coroutine = Table(
    _library(coroutines, "create", "isyieldable", "resume", "running", "status", "wrap", "yield_")
)
"""The coroutine library."""

debug = Table(_library(debugging, "getinfo", "traceback") | {"getmetatable": metatable_of})
"""What there is of the debug library."""


def collectgarbage(option: Any = None, argument: Any = None) -> Any:
    """Collect garbage ("collect", "step"), or count the kilobytes in use ("count").

    "collect" empties weak tables of what nothing else refers to.

    The count is an estimate: Python's memory blocks at 64 bytes each, without arrays.
    "stop" and "restart" switch the collector of reference cycles; "setpause" and "setstepmul"
    mean nothing to it.

    Raises
    ------
    LuaError
        For an unknown option.
    """
    wanted = "collect" if option is None else tostring(option)
    if wanted == "count":
        return sys.getallocatedblocks() * 64 / 1024
    if wanted == "step":
        gc.collect(0)
        return True
    if wanted == "collect":
        collect()
    elif wanted == "stop":
        gc.disable()
    elif wanted == "restart":
        gc.enable()
    elif wanted not in ("setpause", "setstepmul"):
        raise bad_argument(1, "collectgarbage", f"invalid option '{wanted}'")
    return 0


string_metatable["__index"] = string

_G = Table(
    {
        "_VERSION": "Lua 5.1",
        "assert": protection.assert_,
        "bit": bit,
        "collectgarbage": collectgarbage,
        "coroutine": coroutine,
        "debug": debug,
        "dofile": protection.dofile,
        "error": protection.error,
        "getmetatable": getmetatable,
        "io": io,
        "ipairs": iteration.ipairs,
        "load": protection.load,
        "loadfile": protection.loadfile,
        "loadstring": protection.loadstring,
        "math": math,
        "next": iteration.next_,
        "os": os,
        "pairs": iteration.pairs,
        "pcall": protection.pcall,
        "print": io_library.print_,
        "rawequal": rawequal,
        "rawget": rawget,
        "rawlen": rawlen,
        "rawset": rawset,
        "select": select,
        "setmetatable": setmetatable,
        "string": string,
        "table": table,
        "tonumber": tonumber,
        "tostring": tostring,
        "type": type_of,
        "unpack": table_library.unpack,
        "xpcall": protection.xpcall,
    }
)
"""Lua's globals."""
_G["_G"] = _G
