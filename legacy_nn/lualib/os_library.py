"""Lua's os library: clock and calendar, environment, files by name, shell commands."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time as clocks
from typing import Any, NoReturn

from rekindle.core.checkpoint.table import Table

from .arguments import integer, number, string
from .arguments import table as check_table
from .errors import located
from .indexing import rawget
from .numbers import as_number, parse_number

CONVERSIONS = frozenset("aAbBcdHIjmMpSUwWxXyYZ%DeFgGhnrRtTuVCszk")


def clock() -> float:
    """Return the seconds of processor time that the program has used."""
    return clocks.process_time()


def time(table: Any = None) -> int | None:
    """Return seconds since 1970, of now or of a local date.

    Parameters
    ----------
    table : Table, optional
        year, month and day, and if given hour (12), min, sec and isdst; fields out of range are
        carried over.

    Raises
    ------
    LuaError
        "field 'day' missing in date table".
    """
    if table is None:
        return int(clocks.time())
    check_table(table, 1, "time")
    dst = rawget(table, "isdst")
    second, minute = _field(table, "sec", 0), _field(table, "min", 0)
    hour, day = _field(table, "hour", 12), _field(table, "day")
    month, year = _field(table, "month"), _field(table, "year")
    daylight = -1 if dst is None else int(dst)
    parts = (year, month, day, hour, minute, second, 0, 0, daylight)
    try:
        return int(clocks.mktime(parts))
    except (OverflowError, ValueError):
        return None


def _field(table: Table, name: str, default: int | None = None) -> int:
    value = rawget(table, name)
    found = parse_number(value) if type(value) is str else as_number(value)
    if found is None:
        if default is None:
            raise located(f"field '{name}' missing in date table")
        return default
    return int(found)


def date(template: Any = None, time: Any = None) -> Any:
    """Return a date as text in the form of C's `strftime`, or as a table for "*t".

    Parameters
    ----------
    template : str, optional
        "%c" by default; a "!" in front means UTC.
    time : int, optional
        Seconds since 1970; now by default.

    Examples
    --------
    >>> date("!%Y-%m-%d %H:%M:%S", 0)
    '1970-01-01 00:00:00'
    """
    text = string(template, 1, "date", "%c")
    seconds = integer(time, 2, "date", int(clocks.time()))
    utc = text.startswith("!")
    text = text.removeprefix("!")
    moment = clocks.gmtime(seconds) if utc else clocks.localtime(seconds)
    if not text.startswith("*t"):
        return clocks.strftime(text, moment)
    return Table(
        {
            "sec": moment.tm_sec,
            "min": moment.tm_min,
            "hour": moment.tm_hour,
            "day": moment.tm_mday,
            "month": moment.tm_mon,
            "year": moment.tm_year,
            "wday": (moment.tm_wday + 1) % 7 + 1,
            "yday": moment.tm_yday,
            "isdst": moment.tm_isdst > 0,
        }
    )


def difftime(later: Any, earlier: Any = None) -> float:
    """Return the seconds between two times."""
    return number(later, 1, "difftime") - number(earlier, 2, "difftime", 0)


def getenv(name: Any) -> str | None:
    """Return a variable of the environment, one character per byte, or nil."""
    value = os.environb.get(string(name, 1, "getenv").encode("latin-1"))
    return None if value is None else value.decode("latin-1")


def file_name(name: str) -> str:
    """Return a file's name as Python spells it; Lua has one character per byte."""
    if name.isascii() or any(char > "\xff" for char in name):
        return name
    return os.fsdecode(name.encode("latin-1"))


def failure(exc: OSError, name: str | None = None) -> tuple[None, str, int]:
    """Return what Lua's functions return for an error of the system: nil, text, number."""
    text = os.strerror(exc.errno) if exc.errno else str(exc)
    return None, text if name is None else f"{name}: {text}", exc.errno or 0


def remove(name: Any) -> Any:
    """Delete a file or an empty folder; return true, or (nil, why, number)."""
    text = string(name, 1, "remove")
    path = file_name(text)
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError as exc:
        return failure(exc, text)
    return True


def rename(old: Any, new: Any) -> Any:
    """Give a file another name; return true, or (nil, why, number)."""
    text = string(old, 1, "rename")
    try:
        os.rename(file_name(text), file_name(string(new, 2, "rename")))
    except OSError as exc:
        return failure(exc, text)
    return True


def tmpname() -> str:
    """Create an empty file for the time being, and return its name."""
    handle, name = tempfile.mkstemp(prefix="lua_")
    os.close(handle)
    return name


def exit_(code: Any = None, close: Any = None) -> NoReturn:
    """End the program.

    Parameters
    ----------
    code : int or bool, optional
        The exit status; true is 0, false is 1.
    close : bool, optional
        Accepted as in 5.2; Python always tidies up.

    Raises
    ------
    SystemExit
    """
    if type(code) is bool:
        sys.exit(0 if code else 1)
    sys.exit(integer(code, 1, "exit", 0) & 255)


def execute(command: Any = None) -> Any:
    """Run a shell command; with none, say whether there is a shell.

    Returns
    -------
    (true or nil, "exit" or "signal", number), as with the 5.2 compatibility of Torch's LuaJIT
    """
    if command is None:
        return True
    flush_output()
    text = string(command, 1, "execute")
    return ended(subprocess.call(file_name(text), shell=True))


def ended(code: int) -> tuple[bool | None, str, int]:
    """Return the end of a process as Lua 5.2 tells it."""
    if code < 0:
        return None, "signal", -code
    return (True if code == 0 else None), "exit", code


def flush_output() -> None:
    """Write out what Python still holds back, before another process writes."""
    sys.stdout.flush()
    sys.stderr.flush()


def setlocale(name: Any = None, category: Any = None) -> str | None:
    """Return "C", the only locale there is; nil if another one is asked for."""
    return "C" if name is None or string(name, 1, "setlocale") in ("", "C", "POSIX") else None
