"""string.format."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .arguments import number as check_number
from .arguments import string as check_string
from .errors import bad_argument, located
from .values import tostring

_SPEC = re.compile(r"%([-+ #0]*)(\d{0,2})(?:(\.)(\d{0,2}))?(.?)", re.DOTALL)


def format_(template: Any, *args: Any) -> str:
    r"""Return the text that a template and its arguments make, as C's `sprintf`.

    Parameters
    ----------
    template : str
        With %d %i %u %c %o %x %X, %e %E %f %g %G %a %A, %s, %q and %%; flags, width and
        precision as in C. %d drops a fraction, %s takes any value as `tostring` shows it.
    *args : Any

    Raises
    ------
    LuaError
        For a missing argument, one that is no number where one is needed, an unknown option.

    Examples
    --------
    >>> format_("%-8s|%5.2f|%03d|%q", "conv", 2.71828, 7.0, 'a"b')
    'conv    | 2.72|007|"a\\"b"'
    """
    parts = []
    position = 1
    for part in _parsed(check_string(template, 1, "format")):
        if isinstance(part, str):
            parts.append(part)
            continue
        position += 1
        if not part.kind:
            raise located(f"invalid option '{part.source}' to 'format'")
        if position > len(args) + 1:
            raise bad_argument(position, "format", "value expected")
        parts.append(_one(part, args[position - 2], position))
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Spec:
    """One `%...` of a template; without `kind` if it is none that Lua knows."""

    source: str
    flags: str
    width: int
    precision: int | None
    kind: str


@lru_cache(maxsize=512)
def _parsed(template: str) -> tuple[str | _Spec, ...]:
    parts: list[str | _Spec] = []
    at = 0
    while True:
        percent = template.find("%", at)
        if percent < 0:
            parts.append(template[at:])
            return tuple(parts)
        parts.append(template[at:percent])
        if template.startswith("%%", percent):
            parts.append("%")
            at = percent + 2
            continue
        found = _SPEC.match(template, percent)
        assert found is not None
        precision = None if found[3] is None else int(found[4] or 0)
        kind = found[5] if found[5] and found[5] in "aAcdeEfgGioqsuxX" else ""
        parts.append(_Spec(found[0], found[1], int(found[2] or 0), precision, kind))
        at = found.end()


def _one(spec: _Spec, value: Any, position: int) -> str:
    flags, width, precision, kind = spec.flags, spec.width, spec.precision, spec.kind
    if kind == "s":
        text = tostring(value)
        return _padded(text if precision is None else text[:precision], flags, width)
    if kind == "q":
        return _quoted(tostring(value))
    number = check_number(value, position, "format")
    if kind == "c":
        return _padded(chr(_integer(number) & 255), flags, width)
    if kind in "di":
        integer = _integer(number)
        sign = "-" if integer < 0 else "+" if "+" in flags else " " if " " in flags else ""
        return _digits(str(abs(integer)), sign, flags, width, precision)
    if kind in "uoxX":
        return _unsigned(_integer(number) & (2**64 - 1), kind, flags, width, precision)
    if not math.isfinite(number):
        return _special(number, kind.isupper(), flags, width)
    if kind in "aA":
        return _hexadecimal(float(number), kind, flags, width, precision)
    point = "" if precision is None else f".{precision}"
    return f"%{flags}{width or ''}{point}{kind}" % number


def _integer(number: float) -> int:
    """Return a number as a 64-bit integer, fraction dropped, as the CPU converts it."""
    if math.isfinite(number):
        integer = int(number)
        if -(2**63) <= integer < 2**64:
            return integer if integer < 2**63 else integer - 2**64
    return -(2**63)


def _padded(text: str, flags: str, width: int) -> str:
    return text.ljust(width) if "-" in flags else text.rjust(width)


def _digits(digits: str, sign: str, flags: str, width: int, precision: int | None) -> str:
    if precision is not None:
        digits = "" if precision == 0 and digits == "0" else digits.rjust(precision, "0")
    elif "0" in flags and "-" not in flags:
        digits = digits.rjust(width - len(sign), "0")
    return _padded(sign + digits, flags, width)


def _unsigned(value: int, kind: str, flags: str, width: int, precision: int | None) -> str:
    base = {"u": "d", "o": "o", "x": "x", "X": "X"}[kind]
    digits = format(value, base)
    prefix = "0" + kind if "#" in flags and kind in "xX" and value else ""
    if "#" in flags and kind == "o":  # the first digit is a zero, and there is one
        digits = "0" + digits if value else "0"
        precision = 1 if precision == 0 else precision  # one digit stays, and no zeros fill
    return _digits(digits, prefix, flags, width, precision)


def _special(number: float, upper: bool, flags: str, width: int) -> str:
    text = "nan" if number != number else "inf"
    if number != number:
        flags = flags.replace("+", "")
    sign = "-" if number == -math.inf else "+" if "+" in flags else " " if " " in flags else ""
    return _padded(sign + (text.upper() if upper else text), flags, width)


def _hexadecimal(number: float, kind: str, flags: str, width: int, precision: int | None) -> str:
    mantissa, exponent = math.frexp(abs(number))
    exponent -= 1
    if not number:
        exponent = 0
    bits = int(math.ldexp(mantissa, 53))  # 1 + 52 binary digits
    if precision is not None and precision < 13:
        drop = 4 * (13 - precision)
        quotient, rest = divmod(bits, 1 << drop)
        half = 1 << (drop - 1)
        quotient += rest >= half  # a tie goes up, other than in C
        bits = quotient << drop
    digits = f"{bits & (2**52 - 1):013x}"
    digits = digits.rstrip("0") if precision is None else digits.ljust(precision, "0")[:precision]
    point = "." if digits or "#" in flags else ""
    text = f"{bits >> 52}{point}{digits}p{exponent:+d}"
    if kind == "A":
        text = text.upper()
    negative = math.copysign(1.0, number) < 0
    sign = "-" if negative else "+" if "+" in flags else " " if " " in flags else ""
    return _digits(text, f"{sign}0{'X' if kind == 'A' else 'x'}", flags, width, None)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\\n"}


def _quoted(text: str) -> str:
    """Return text between quotes such that Lua reads the same text back."""
    parts = ['"']
    for at, char in enumerate(text):
        if char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif char < " " or char == "\x7f":
            code = ord(char)
            parts.append(f"\\{code:03d}" if text[at + 1 : at + 2].isdecimal() else f"\\{code}")
        else:
            parts.append(char)
    parts.append('"')
    return "".join(parts)
