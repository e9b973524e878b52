"""string.find, match, gmatch and gsub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rekindle.core.checkpoint.table import Table

from .arguments import integer, string
from .calls import call, first, single
from .errors import bad_argument, located
from .indexing import index
from .iteration import Stepper
from .kinds import truth, type_of
from .numbers import as_number, format_number
from .pattern_classes import class_of
from .pattern_matcher import OPEN, POSITION
from .pattern_matcher import match as match_at
from .pattern_regex import compiled

SPECIALS = frozenset("^$*+?.([%-")


class _Found(NamedTuple):
    """A match: text[start:end], and its captures (positions counted from 1)."""

    start: int
    end: int
    captures: tuple[Any, ...]


_UNFINISHED = object()
"""Stands for a capture that the pattern does not close."""


def _matches(text: str, pattern: str, start: int, anchored: bool) -> _Found | None:
    """Return the first match at `start` or, unless anchored, behind it."""
    program = compiled(pattern)
    if program is not None:
        regex = program.regex
        found = regex.match(text, start) if anchored else regex.search(text, start)
        if found is None:
            return None
        captures = found.groups()
        if True in program.positions:
            captures = tuple(
                found.start(k) + 1 if position else capture
                for k, (position, capture) in enumerate(
                    zip(program.positions, captures, strict=True), 1
                )
            )
        return _Found(found.start(), found.end(), captures)
    for at in range(start, start + 1 if anchored else len(text) + 1):
        hit = match_at(text, pattern, at)
        if hit is not None:
            end, spans = hit
            return _Found(at, end, tuple(_value(text, *span) for span in spans))
    return None


def _value(text: str, start: int, size: int) -> Any:
    if size == OPEN:
        return _UNFINISHED
    return start + 1 if size == POSITION else text[start : start + size]


def _finished(captures: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the captures, which are to be used now."""
    if _UNFINISHED in captures:
        raise located("unfinished capture")
    return captures


def _start(init: Any, text: str, function: str) -> int:
    """Return where to begin, from 0; a negative `init` counts from the end."""
    at = integer(init, 3, function, 1)
    at = at + len(text) if at < 0 else at - 1
    return min(max(at, 0), len(text))


def _anchor(pattern: str) -> tuple[str, bool]:
    """Return the pattern without its anchor, and whether it has one; a zero byte ends it."""
    body = pattern.split("\0", 1)[0]
    return (body[1:], True) if body[:1] == "^" else (body, False)


def find(s: Any, pattern: Any, init: Any = None, plain: Any = None) -> Any:
    """Return where a pattern is first found, (first, last, captures...), or nil.

    Parameters
    ----------
    s, pattern : str
    init : int, optional
        Where to begin, from 1; negative from the end. What lies behind the end means the end.
    plain : bool, optional
        Whether the pattern stands for itself.

    Examples
    --------
    >>> find("layer1.conv2", "(%a+)(%d)", 4)
    (4, 6, 'er', '1')
    """
    text, wanted = string(s, 1, "find"), string(pattern, 2, "find")
    at = _start(init, text, "find")
    if truth(plain) or SPECIALS.isdisjoint(wanted):
        start = text.find(wanted, at)
        return None if start < 0 else (start + 1, start + len(wanted))
    body, anchored = _anchor(wanted)
    found = _matches(text, body, at, anchored)
    return None if found is None else (found.start + 1, found.end, *_finished(found.captures))


def match(s: Any, pattern: Any, init: Any = None) -> Any:
    """Return the captures of the first match, the whole match if there are none, or nil.

    Examples
    --------
    >>> match("key = value", "^(%w+)%s*=%s*(%w+)$"), match("x12", "%d+")
    (('key', 'value'), '12')
    """
    text, wanted = string(s, 1, "match"), string(pattern, 2, "match")
    at = _start(init, text, "match")
    body, anchored = _anchor(wanted)
    found = _matches(text, body, at, anchored)
    return None if found is None else _results(text, found)


def _results(text: str, found: _Found) -> Any:
    captures = _finished(found.captures)
    return single(captures) if captures else text[found.start : found.end]


def gmatch(s: Any, pattern: Any) -> Stepper:
    """Return an iterator over the captures of all matches; `^` is no anchor here.

    Examples
    --------
    >>> list(gmatch("a=1, b=2", "(%w+)=(%w+)"))
    [('a', '1'), ('b', '2')]
    """
    return Stepper(_all(string(s, 1, "gmatch"), string(pattern, 2, "gmatch")))


def _all(text: str, pattern: str) -> Iterator[Any]:
    at = 0
    body, anchored = _anchor(pattern)
    if anchored:
        body = "%^" + body
    while at <= len(text):
        found = _matches(text, body, at, anchored=False)
        if found is None:
            return
        yield _results(text, found)
        at = found.end + 1 if found.end == found.start else found.end


def gsub(s: Any, pattern: Any, replacement: Any, limit: Any = None) -> tuple[str, int]:
    """Return the text with matches replaced, and how many there were.

    Parameters
    ----------
    s, pattern : str
    replacement : str, table or function
        Text with %0 to %9 for captures; a table that is asked for the first capture, or a
        function that is called with all; where it gives nil or false the match stays.
    limit : int, optional
        So many replacements at most.

    Examples
    --------
    >>> gsub("learning_rate", "_(%a)", lambda c: c.upper())
    ('learningRate', 1)
    """
    text, wanted = string(s, 1, "gsub"), string(pattern, 2, "gsub")
    kind = type_of(replacement)
    if kind not in ("string", "number", "function", "table"):
        raise bad_argument(3, "gsub", "string/function/table expected")
    if kind == "number":
        replacement = format_number(replacement)
    most = len(text) + 1 if limit is None else integer(limit, 4, "gsub")
    body, anchored = _anchor(wanted)
    parts: list[str] = []
    count = at = copied = 0
    while count < most:
        found = _matches(text, body, at, anchored)
        if found is None:
            break
        count += 1
        parts.append(text[copied : found.start])
        parts.append(_replaced(text, found, replacement))
        copied = at = found.end
        if found.end == found.start:
            at += 1
        if at > len(text) or anchored:
            break
    parts.append(text[copied:])
    return "".join(parts), count


def _replaced(text: str, found: _Found, replacement: Any) -> str:
    whole = text[found.start : found.end]
    if type(replacement) is str:
        return _expanded(replacement, whole, found.captures) if "%" in replacement else replacement
    captures = _finished(found.captures) or (whole,)
    if type(replacement) is Table or type_of(replacement) == "table":
        value = index(replacement, captures[0])
    else:
        value = first(call(replacement, *captures))
    if not truth(value):
        return whole
    if type(value) is str:
        return value
    number = as_number(value)
    if number is None:
        raise located(f"invalid replacement value (a {type_of(value)})")
    return format_number(number)


def _expanded(replacement: str, whole: str, captures: tuple[Any, ...]) -> str:
    parts = []
    pieces = replacement.split("%")
    parts.append(pieces[0])
    at = 1
    while at < len(pieces):
        piece = pieces[at]
        if not piece:  # %% is a percent sign, and its second half begins no escape
            parts.append("%" if at + 1 < len(pieces) else "\0")
            parts.append(pieces[at + 1] if at + 1 < len(pieces) else "")
            at += 2
            continue
        number = piece[0] if piece[0] in class_of("d") else ""
        parts.append(_capture(int(number), whole, captures) if number else piece[0])
        parts.append(piece[1:])
        at += 1
    return "".join(parts)


def _capture(number: int, whole: str, captures: tuple[Any, ...]) -> str:
    if number == 0 or (number == 1 and not captures):
        return whole
    if number > len(captures):
        raise located("invalid capture index")
    (value,) = _finished(captures[number - 1 : number])
    return value if type(value) is str else str(value)
