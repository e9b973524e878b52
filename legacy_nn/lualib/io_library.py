"""Lua's io library, and print."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from .arguments import string
from .calls import call
from .errors import bad_argument, located
from .files import LuaFile, open_file, open_process
from .iteration import Stepper
from .os_library import failure, flush_output
from .streams import Standard, write_text
from .values import tostring

stdin = LuaFile(Standard("stdin"), keep=True)
stdout = LuaFile(Standard("stdout"), keep=True)
stderr = LuaFile(Standard("stderr"), keep=True)

_default = {"input": stdin, "output": stdout}


def print_(*values: Any) -> None:
    """Write values as text, tabs between them and a line end behind, to Python's stdout."""
    write_text(sys.stdout, "\t".join(map(tostring, values)) + "\n")


def open_(name: Any, mode: Any = None) -> Any:
    """Open a file; return it, or (nil, "name: why", number).

    Examples
    --------
    >>> open_("/none/such")
    (None, '/none/such: No such file or directory', 2)
    """
    text = string(name, 1, "open")
    try:
        return open_file(text, string(mode, 2, "open", "r"))
    except OSError as exc:
        return failure(exc, text)


def popen(command: Any, mode: Any = None) -> LuaFile:
    """Start a shell command, to read what it writes ("r") or write what it reads ("w")."""
    way = string(mode, 2, "popen", "r")
    if way not in ("r", "w"):
        raise bad_argument(2, "popen", f"invalid option '{way}'")
    flush_output()
    return open_process(string(command, 1, "popen"), way)


def tmpfile() -> LuaFile:
    """Return a new file for reading and writing that vanishes when it is closed."""
    return LuaFile(tempfile.TemporaryFile())


def type_(value: Any) -> str | None:
    """Return "file", "closed file", or nil for what is no file."""
    if not isinstance(value, LuaFile):
        return None
    return "closed file" if value.closed else "file"


def input_(file: Any = None) -> Any:
    """Return the file that `io.read` reads from, or set it: a file, or the name of one."""
    return _set("input", file, "r")


def output(file: Any = None) -> Any:
    """Return the file that `io.write` writes to, or set it: a file, or the name of one."""
    return _set("output", file, "w")


def _set(which: str, file: Any, mode: str) -> LuaFile:
    if file is not None:
        if isinstance(file, LuaFile):
            _default[which] = file
        else:
            name = string(file, 1, which)
            try:
                _default[which] = open_file(name, mode)
            except OSError as exc:
                raise located(failure(exc, name)[1]) from exc
    return _default[which]


def read(*formats: Any) -> Any:
    """Read from the default input, as `file:read`."""
    return _default["input"].read(*formats)


def write(*values: Any) -> Any:
    """Write text and numbers to the default output; return that file."""
    return _default["output"].write(*values)


def flush() -> Any:
    """Write out what the default output holds back."""
    return _default["output"].flush()


def close(file: Any = None) -> Any:
    """Close a file, the default output if none is given."""
    return call((_default["output"] if file is None else _checked(file, "close")).close)


def _checked(value: Any, function: str) -> LuaFile:
    if not isinstance(value, LuaFile):
        raise bad_argument(1, function, f"FILE* expected, got {tostring(value)}")
    return value


def lines(name: Any = None, *formats: Any) -> Stepper:
    """Return an iterator over the lines of a file, which is closed at its end.

    Parameters
    ----------
    name : str, optional
        The default input, which stays open, if none is given.
    *formats : str or int
        As for `file:read`.

    Raises
    ------
    LuaError
        If the file cannot be opened.
    """
    if name is None:
        return _default["input"].lines(*formats)
    text = string(name, 1, "lines")
    try:
        file = open_file(text, "r")
    except OSError as exc:
        raise bad_argument(1, "lines", failure(exc, text)[1]) from exc
    return Stepper(file._lines(formats, close=True))
