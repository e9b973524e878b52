"""Where in the source of a Python program a running instruction stands."""

from __future__ import annotations

import linecache
import re
from itertools import islice
from types import FrameType

_RETURNED = re.compile(rb"(^\s*return|\blambda\b[^:]*:)\s*$")
_CALLING = re.compile(rb"lua\.(\w+)\(")
_CALLS = (b"call", b"call_all", b"invoke", b"invoke_all")
"""What `lua` has for Lua's calls; its other functions are operators, which no call replaces."""


def source_of(frame: FrameType, instruction: int) -> tuple[bytes, bytes, bytes] | None:
    """Return the text that an instruction comes from, and its lines before and behind it.

    None where the source is not there.
    """
    start, end, column, stop = next(
        islice(frame.f_code.co_positions(), instruction // 2, None), (None,) * 4
    )
    if start is None or end is None or column is None or stop is None:
        return None
    name = frame.f_code.co_filename
    lines = [linecache.getline(name, k).encode() for k in range(start, end + 1)]
    before, behind = lines[0][:column], lines[-1][stop:]
    lines[-1] = lines[-1][:stop]
    lines[0] = lines[0][column:]
    return b"".join(lines), before, behind


def is_tail_call(frame: FrameType) -> bool:
    """Whether a frame waits for a call whose results it returns: in Lua it is not there anymore."""
    found = source_of(frame, frame.f_lasti)
    if found is None:
        return False
    text, before, behind = found
    operator = _CALLING.match(text)
    if not _RETURNED.search(before) or (operator is not None and operator[1] not in _CALLS):
        return False
    rest = behind.strip()
    return text.endswith(b")") and (not rest or rest[:1] in b"#,)")
