"""Errors that cross between Lua and Python."""

from __future__ import annotations

from typing import Any

from rekindle.core.errors import RekindleError


class BridgeError(RekindleError, ValueError):
    """What the bridge cannot do: a value of another runtime, a name that is no class."""


class LuaError(RekindleError, RuntimeError):
    """An error that Lua code raised, or that came through it.

    Its cause is the Python exception, where there was one.

    Parameters
    ----------
    value : object
        What was raised: usually a str, with file and line.
    traceback : str
        Lua's, from the place of the error outwards.

    Attributes
    ----------
    value, traceback
    """

    def __init__(self, value: Any, traceback: str = "") -> None:
        super().__init__(value)
        self.value = value
        self.traceback = traceback
        if traceback:
            self.add_note(traceback)

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return self.value
        return f"(error object is {self.value!r})"


class LuaExit(SystemExit):
    """`os.exit` in a program that Python runs."""
