"""LuaError: what `error` throws, with the place in front of its text, as Lua has it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

from rekindle.core.errors import RekindleError

LIBRARIES = ("rekindle.legacy_nn.", "rekindle.transpiler.runtime.")
"""What a Lua program knows nothing of: its errors are never said to be there."""

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
    from there.
    """
    frame = _outside(sys._getframe(1))
    for _ in range(level - 1):
        frame = frame.f_back if frame is not None else None
    return "" if frame is None else place_in(frame, frame.f_lineno)


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
    """Return what Lua says of an argument that a library function cannot take."""
    return located(f"bad argument #{position} to '{function}' ({problem})")
