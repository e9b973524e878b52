"""Lua's numbers as text, and text as numbers."""

from __future__ import annotations

import re
from numbers import Integral, Real
from typing import Any

EXACT = 2**53
"""Lua's numbers are doubles: an int beyond this would be more exact than they are."""

SPACE = " \t\n\v\f\r"

_MOST = 2**20
"""LuaJIT takes no decimal exponent as large as this for a number."""

_NUMBER = re.compile(
    r"[ \t-\r]*([+-]?)(?:"
    r"(?P<decimal>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|0[xX](?P<hex>(?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?)"
    r"|0[bB](?P<binary>[01]+)"
    r"|(?P<word>(?i:inf|infinity|nan))"
    r")[ \t-\r]*"
)


def as_number(value: Any) -> int | float | None:
    """Return a Python number for any number (not a bool, not text), else None.

    NumPy's scalars become int and float; an int beyond 2^53 a float.
    """
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return value if -EXACT <= value <= EXACT else _as_float(value)
    if kind is bool or not isinstance(value, Real):
        return None
    return as_number(int(value)) if isinstance(value, Integral) else float(value)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def whole(value: float) -> int | float:
    """Return a whole float within 2^53 as an int; -0.0, inf, nan and others as they are."""
    if value.is_integer() and -EXACT <= value <= EXACT and (value or str(value)[0] != "-"):
        return int(value)
    return value


def format_number(value: float) -> str:
    """Return a number as Lua writes it, `%.14g`: 1, 0.1, 1e+15, -0, inf, nan.

    Examples
    --------
    >>> format_number(3.0), format_number(1 / 3), format_number(2**53)
    ('3', '0.33333333333333', '9.007199254741e+15')
    """
    if type(value) is int and -(10**14) < value < 10**14:
        return str(value)
    return f"{value:.14g}"


def parse_number(text: str) -> int | float | None:
    """Return the number that a text spells in Lua, or None.

    Blanks around it, hexadecimal ("0x1F", "0x.8p1"), binary ("0b101"), "inf" and "nan" count.

    Examples
    --------
    >>> parse_number(" 12.50 "), parse_number("0x1F"), parse_number("1,5")
    (12.5, 31, None)
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    if match["decimal"] is not None:
        _, _, exponent = match["decimal"].lower().partition("e")
        if exponent and abs(int(exponent[:12])) >= _MOST:
            return None
        value = float(match["decimal"])
    elif match["hex"] is not None:
        value = _hexadecimal(match["hex"])
    elif match["binary"] is not None:
        value = _as_float(int(match["binary"], 2))
    else:
        value = float(match["word"])
    return whole(-value if match[1] == "-" else value)


def _hexadecimal(digits: str) -> float:
    try:
        return float.fromhex(digits)
    except OverflowError:
        return float("inf")


def parse_in_base(text: str, base: int) -> int | float | None:
    """Return the whole number that a text spells in a base from 2 to 36, or None.

    As C's `strtoul`: text ends at a zero byte, "0x" may precede base 16, and what is too large
    is 2^64 - 1.
    """
    body = text.split("\0", 1)[0].strip(SPACE)
    negative = body.startswith("-")
    if body[:1] in ("-", "+"):
        body = body[1:]
    if base == 16 and body[:2] in ("0x", "0X") and len(body) > 2:
        body = body[2:]
    if not body.isascii() or not body.isalnum():
        return None
    try:
        value = min(int(body, base), 2**64 - 1)
    except ValueError:
        return None
    return whole(-float(value) if negative else float(value))
