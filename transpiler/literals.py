"""Numbers and strings as Lua writes them.

Source: Lua 5.1 reference manual 2.1, LuaJIT's extensions.
"""

from __future__ import annotations

import re

_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ESCAPE = re.compile(rb"\\(\d{1,3}|x[0-9a-fA-F]{2}|z[ \t\r\n\v\f]*|u\{[0-9a-fA-F]+\}|\r\n|[\s\S])")
_HEX = re.compile(r"0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$")


def number(text: str) -> int | float:
    """Return the value of a number; whole ones come as int where that is exact.

    LuaJIT's 64-bit integers (`5LL`, `5ULL`) and imaginary numbers are its FFI's; the former
    come as int, the latter are refused.

    Raises
    ------
    ValueError
        If it is no number.
    """
    plain = re.sub(r"(?i)u?ll$", "", text)
    if plain != text:
        return int(plain, 16) if plain[:2].lower() == "0x" else int(plain)
    if text[:2].lower() == "0x":
        return _hexadecimal(text)
    if re.fullmatch(r"\d+", text) and len(text) < 16:
        return int(text)
    return float(text)


def _hexadecimal(text: str) -> int | float:
    found = _HEX.match(text)
    if not found or not (found[1] or found[2]):
        raise ValueError(f"{text!r} is no number")
    whole, fraction, power = found.groups()
    if fraction is None and power is None:
        value = int(whole, 16)
        return value if value < 2**53 else float(value)
    digits = (whole or "") + (fraction or "")
    return float(int(digits, 16)) * 2.0 ** (int(power or 0) - 4 * len(fraction or ""))


def unescape(raw: bytes) -> bytes:
    r"""Return the bytes that the inside of a quoted string stands for.

    `\z` skips white space, `\x41` and `\u{41}` are LuaJIT's.
    """

    def replace(found: re.Match[bytes]) -> bytes:
        code = found[1]
        head = chr(code[0])
        if head.isdigit():
            return bytes([int(code) & 255])
        if head == "x" and len(code) == 3:
            return bytes([int(code[1:], 16)])
        if head == "z":
            return b""
        if head == "u" and len(code) > 1:
            return chr(int(code[2:-1], 16)).encode("utf-8", "surrogatepass")
        if head in "\r\n":
            return b"\n"
        return bytes([_ESCAPES[head]]) if head in _ESCAPES else code

    return _ESCAPE.sub(replace, raw)


def long_string(raw: bytes) -> bytes:
    """Return the bytes of `[[...]]` given with its brackets: a first line break is dropped."""
    level = raw.index(b"[", 1) + 1
    inner = raw[level:-level]
    inner = inner.replace(b"\r\n", b"\n")
    return inner[1:] if inner[:1] == b"\n" else inner
