"""debug.traceback and debug.getinfo: the calls under way, as the Python source shows them."""

from __future__ import annotations

import sys
import traceback as python_traceback
from types import CodeType, FrameType, FunctionType
from typing import Any

from rekindle.core.checkpoint.table import Table

from .arguments import integer
from .errors import bad_argument
from .kinds import type_of
from .values import tostring


def traceback(message: Any = None, level: Any = None) -> Any:
    """Return text with the list of calls under it, as `debug.traceback`.

    While an error is handled (in the handler of `xpcall`) these are the calls that led to it.
    The places are those of the Python source. What is neither text nor nil comes back as it is.
    """
    if message is not None and type(message) is not str:
        return message
    exc = sys.exc_info()[1]
    if exc is not None:
        frames = python_traceback.extract_tb(exc.__traceback__)
    else:
        frames = python_traceback.extract_stack(sys._getframe(1))
    lines = [] if message is None else [tostring(message)]
    lines.append("stack traceback:")
    lines.extend(f"\t{f.filename}:{f.lineno}: in {f.name}" for f in reversed(frames))
    return "\n".join(lines)


def getinfo(function: Any, what: Any = None) -> Table | None:
    """Return what is known of a function, or of the call at a level.

    Parameters
    ----------
    function : function or int
        1 for the function that calls `getinfo`, 2 for its caller, and so on.
    what : str, optional
        Accepted as in Lua; everything there is comes back in any case.

    Returns
    -------
    Table with source ("@" and the file), short_src, linedefined, currentline (-1 unless it is
    a call under way), name and what ("main", "Lua", or "C" for what has no source in Python);
    nil where there are not so many calls
    """
    if type_of(function) == "function":
        code = getattr(function, "__code__", None)
        if isinstance(function, FunctionType) and code is not None:
            return _described(code, -1)
        return Table({"source": "=[C]", "short_src": "[C]", "what": "C", "currentline": -1})
    level = integer(function, 1, "getinfo")
    if level < 0:
        raise bad_argument(1, "getinfo", "level out of range")
    frame: FrameType | None = sys._getframe(0)
    for _ in range(level):
        frame = frame.f_back if frame is not None else None
    return None if frame is None else _described(frame.f_code, frame.f_lineno)


def _described(code: CodeType, line: int) -> Table:
    main = code.co_name == "<module>"
    return Table(
        {
            "source": "@" + code.co_filename,
            "short_src": code.co_filename,
            "linedefined": 0 if main else code.co_firstlineno,
            "currentline": line,
            "name": None if main else code.co_name,
            "what": "main" if main else "Lua",
        }
    )
