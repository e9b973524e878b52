"""Lua's string functions without patterns. A string has one character per byte (latin-1)."""

from __future__ import annotations

from typing import Any

from .arguments import integer, string
from .calls import single
from .errors import bad_argument, located

_LOWER = {code: code + 32 for code in range(65, 91)}
_UPPER = {code: code - 32 for code in range(97, 123)}


def _range(text: str, first: int, last: int) -> tuple[int, int]:
    """Return Lua's bounds i, j as those of a Python slice."""
    size = len(text)
    if first < 0:
        first += size + 1
    if last < 0:
        last += size + 1
    return max(first - 1, 0), min(max(last, 0), size)


def byte(s: Any, i: Any = None, j: Any = None) -> Any:
    """Return the codes of the characters i to j, by default of the first.

    Examples
    --------
    >>> byte("abc", 1, -1), byte("abc")
    ((97, 98, 99), 97)
    """
    text = string(s, 1, "byte")
    first = integer(i, 2, "byte", 1)
    begin, end = _range(text, first, integer(j, 3, "byte", first))
    return single(tuple(map(ord, text[begin:end])))


def char(*codes: Any) -> str:
    """Return the text of the given character codes, 0 to 255."""
    parts = []
    for position, code in enumerate(codes, 1):
        value = integer(code, position, "char")
        if not 0 <= value <= 255:
            raise bad_argument(position, "char", "invalid value")
        parts.append(chr(value))
    return "".join(parts)


def len_(s: Any) -> int:
    """Return the number of bytes."""
    return len(string(s, 1, "len"))


def lower(s: Any) -> str:
    """Return the text with A to Z in lower case; other bytes stay."""
    return string(s, 1, "lower").translate(_LOWER)


def upper(s: Any) -> str:
    """Return the text with a to z in upper case; other bytes stay."""
    return string(s, 1, "upper").translate(_UPPER)


def rep(s: Any, n: Any, separator: Any = None) -> str:
    """Return n copies of the text, with the separator between them."""
    text, count = string(s, 1, "rep"), integer(n, 2, "rep")
    glue = string(separator, 3, "rep", "")
    return glue.join([text] * count) if glue else text * count


def reverse(s: Any) -> str:
    """Return the bytes in reverse order."""
    return string(s, 1, "reverse")[::-1]


def sub(s: Any, i: Any = None, j: Any = None) -> str:
    """Return the characters i to j; negative ones count from the end.

    Examples
    --------
    >>> sub("torch", -3, -2), sub("torch", 2), sub("torch", 4, 99)
    ('rc', 'orch', 'ch')
    """
    text = string(s, 1, "sub")
    begin, end = _range(text, integer(i, 2, "sub"), integer(j, 3, "sub", -1))
    return text[begin:end]


def dump(function: Any, strip: Any = None) -> str:
    """Refuse: there is no bytecode of a Python function.

    Raises
    ------
    LuaError
    """
    raise located(
        "string.dump: a function translated to Python has no Lua bytecode; "
        "keep the Lua source and run it with rekindle.lua.Runtime"
    )
