"""LuaJIT's bit library: operations on 32-bit integers, results signed."""

from __future__ import annotations

import struct
from typing import Any

from .arguments import integer, number

ROUNDING = 2.0**52 + 2.0**51


def _bits(value: Any, position: int, function: str) -> int:
    """Return the 32 bits of a number, rounded to the nearest integer as LuaJIT does it."""
    found = number(value, position, function)
    if type(found) is int and abs(found) <= 2**51:
        return found & 0xFFFFFFFF
    # The sum has its binary point at the end of the mantissa: the lowest bits are the integer.
    (raw,) = struct.unpack("<Q", struct.pack("<d", float(found) + ROUNDING))
    return int(raw & 0xFFFFFFFF)


def _signed(bits: int) -> int:
    bits &= 0xFFFFFFFF
    return bits - 2**32 if bits >= 2**31 else bits


def tobit(x: Any) -> int:
    """Return a number as a signed 32-bit integer, modulo 2^32."""
    return _signed(_bits(x, 1, "tobit"))


def bnot(x: Any) -> int:
    """Return the number with all bits flipped."""
    return _signed(~_bits(x, 1, "bnot"))


def band(x: Any, *others: Any) -> int:
    """Return the bits that all numbers have.

    Examples
    --------
    >>> band(12, 10), bor(12, 10), bxor(12, 10), bnot(0)
    (8, 14, 6, -1)
    """
    result = _bits(x, 1, "band")
    for position, other in enumerate(others, 2):
        result &= _bits(other, position, "band")
    return _signed(result)


def bor(x: Any, *others: Any) -> int:
    """Return the bits that any number has."""
    result = _bits(x, 1, "bor")
    for position, other in enumerate(others, 2):
        result |= _bits(other, position, "bor")
    return _signed(result)


def bxor(x: Any, *others: Any) -> int:
    """Return the bits that an odd count of the numbers has."""
    result = _bits(x, 1, "bxor")
    for position, other in enumerate(others, 2):
        result ^= _bits(other, position, "bxor")
    return _signed(result)


def lshift(x: Any, n: Any) -> int:
    """Return the bits moved left; n counts modulo 32, as in all shifts."""
    return _signed(_bits(x, 1, "lshift") << (_bits(n, 2, "lshift") & 31))


def rshift(x: Any, n: Any) -> int:
    """Return the bits moved right, zeros coming in."""
    return _signed(_bits(x, 1, "rshift") >> (_bits(n, 2, "rshift") & 31))


def arshift(x: Any, n: Any) -> int:
    """Return the bits moved right, the sign coming in."""
    return _signed(_signed(_bits(x, 1, "arshift")) >> (_bits(n, 2, "arshift") & 31))


def rol(x: Any, n: Any) -> int:
    """Return the bits rotated left."""
    bits, count = _bits(x, 1, "rol"), _bits(n, 2, "rol") & 31
    return _signed(bits << count | bits >> (32 - count))


def ror(x: Any, n: Any) -> int:
    """Return the bits rotated right."""
    bits, count = _bits(x, 1, "ror"), _bits(n, 2, "ror") & 31
    return _signed(bits >> count | bits << (32 - count))


def bswap(x: Any) -> int:
    """Return the four bytes in reverse order."""
    return _signed(int.from_bytes(_bits(x, 1, "bswap").to_bytes(4, "little"), "big"))


def tohex(x: Any, n: Any = None) -> str:
    """Return n hexadecimal digits, 8 by default; in capitals where n is negative.

    Examples
    --------
    >>> tohex(48879), tohex(255, -4)
    ('0000beef', '00FF')
    """
    bits = _bits(x, 1, "tohex")
    count = integer(n, 2, "tohex", 8)
    digits = min(abs(count), 254)
    text = f"{bits & (16**digits - 1):0{digits}x}" if digits else ""
    return text.upper() if count < 0 else text
