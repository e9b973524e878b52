"""LuaError: what `error` throws, with the place in front of its text, as Lua has it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

from rekindle.core.errors import RekindleError

from .source_places import is_tail_call

LIBRARIES = (
    "rekindle.core.checkpoint.table",
    "rekindle.legacy_nn.",
    "rekindle.transpiler.runtime.",
)
"""What a Lua program knows nothing of: its errors are never said to be there."""

CARRIERS = (
    *(f"rekindle.legacy_nn.lualib.{name}" for name in ("calls", "indexing", "operators")),
    *(f"rekindle.transpiler.runtime.{name}" for name in ("lua", "tables", "table_objects")),
    "rekindle.core.checkpoint.table",
)
"""What carries out calls and operators: no function of Lua stands for it."""

F = TypeVar("F", bound=Callable[..., Any])

_borders: set[CodeType] = set()


class LuaError(RekindleError, RuntimeError):
    """An error of a Lua program: any Lua value.

    Parameters
    ----------
    value : Any
        What `error` was given; `pcall` returns it unchanged.

    Examples
    --------
    >>> str(LuaError("train.lua:3: no data"))
    'train.lua:3: no data'
    """

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        from .kinds import type_of
        from .metatables import metamethod
        from .values import tostring

        value = self.value
        if type_of(value) in ("string", "number") or metamethod(value, "__tostring") is not None:
            return tostring(value)
        return f"(error object is a {type_of(value)} value)"


def protected(function: F) -> F:
    """Mark a function of the library that calls a Lua function: no place is sought beyond it.

    In `pcall(error, "x")` the caller of `error` is not Lua code, so that "x" gets no place.
    """
    _borders.add(function.__code__)
    return function


def place(level: int = 1) -> str:
    """Return "file:line: " of the code that called into this library, or "" where there is none.

    Parameters
    ----------
    level : int
        1 for that code itself, 2 for its caller, and so on.

    Notes
    -----
    File and line are those of the Python source; a file below the working directory is named
    from there. As in LuaJIT, a function that returns what it calls is no caller: its frame is
    gone.
    """
    frame = _still_there(_outside(sys._getframe(1)))
    for _ in range(level - 1):
        frame = None if frame is None else _still_there(_calling(frame.f_back))
    return "" if frame is None else place_in(frame, frame.f_lineno)


def caller() -> FrameType | None:
    """Return the frame of the code that called into this library, None where there is none."""
    return _outside(sys._getframe(1))


def _still_there(frame: FrameType | None) -> FrameType | None:
    """Return the frame, or the one that it returns to, where it has made a tail call."""
    while frame is not None and is_tail_call(frame):
        frame = _calling(frame.f_back)
    return frame


def _calling(frame: FrameType | None) -> FrameType | None:
    """Return the frame that a call came from: what only carries it out is none in Lua."""
    while frame is not None and frame.f_globals.get("__name__", "") in CARRIERS:
        frame = frame.f_back
    return frame


def place_in(frame: FrameType, line: int) -> str:
    """Return "file:line: " for a line of a program, "" for one of a library."""
    if frame.f_globals.get("__name__", "").startswith(LIBRARIES):
        return ""
    folder = os.getcwd() + os.sep
    return f"{frame.f_code.co_filename.removeprefix(folder)}:{line}: "


def _outside(frame: FrameType | None) -> FrameType | None:
    while frame is not None and frame.f_globals.get("__name__", "").startswith(LIBRARIES):
        if frame.f_code in _borders:
            return None
        frame = frame.f_back
    return frame


def located(message: str) -> LuaError:
    """Return a LuaError with the caller's place in front of the message."""
    return LuaError(place() + message)


def bad_argument(position: int, function: str, problem: str) -> LuaError:
    """Return what Lua says of an argument that a library function cannot take.

    The function has no name where `pcall` calls it itself, or a function returns its call.
    """
    frame = caller()
    name = "?" if frame is None or is_tail_call(frame) else function
    return located(f"bad argument #{position} to '{name}' ({problem})")
