"""The characters of Lua's classes (%a, %d, ...) and sets ([%w_], [^a-z]), in the C locale."""

from __future__ import annotations

from functools import lru_cache

from .errors import located

EVERY = frozenset(map(chr, range(256)))

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGIT = frozenset("0123456789")
_GRAPH = frozenset(map(chr, range(33, 127)))

CLASSES = {
    "a": _LOWER | _UPPER,
    "c": frozenset(map(chr, [*range(32), 127])),
    "d": _DIGIT,
    "g": _GRAPH,
    "l": _LOWER,
    "p": _GRAPH - _LOWER - _UPPER - _DIGIT,
    "s": frozenset("\t\n\v\f\r "),
    "u": _UPPER,
    "w": _LOWER | _UPPER | _DIGIT,
    "x": frozenset("0123456789abcdefABCDEF"),
    "z": frozenset("\0"),
}


def class_of(letter: str) -> frozenset[str]:
    """Return the characters of `%letter`: a class, its complement for a capital, or itself."""
    members = CLASSES.get(letter.lower())
    if members is None:
        return frozenset(letter)
    return EVERY - members if letter in _UPPER else members


def end_of_item(pattern: str, at: int) -> int:
    """Return where the item (a character, class or set) that begins at `at` ends.

    Raises
    ------
    LuaError
        For a pattern that ends inside of it.
    """
    char = pattern[at]
    at += 1
    if char == "%":
        if at >= len(pattern):
            raise located("malformed pattern (ends with '%')")
        return at + 1
    if char != "[":
        return at
    if pattern[at : at + 1] == "^":
        at += 1
    while True:  # a first ']' stands for itself
        if at >= len(pattern):
            raise located("malformed pattern (missing ']')")
        char = pattern[at]
        at += 1
        if char == "%" and at < len(pattern):
            at += 1
        if pattern[at : at + 1] == "]":
            return at + 1


@lru_cache(maxsize=1024)
def members(item: str) -> frozenset[str]:
    """Return the characters that a pattern's item matches."""
    if item == ".":
        return EVERY
    if item[0] == "%" and len(item) == 2:
        return class_of(item[1])
    if item[0] == "[" and len(item) > 1:
        return _set(item)
    return frozenset(item)


def _set(item: str) -> frozenset[str]:
    at, last = 1, len(item) - 1
    complement = item[1] == "^"
    if complement:
        at = 2
    found: set[str] = set()
    while at < last:
        char = item[at]
        if char == "%":
            found |= class_of(item[at + 1])
            at += 2
        elif item[at + 1] == "-" and at + 2 < last:
            found.update(map(chr, range(ord(char), ord(item[at + 2]) + 1)))
            at += 3
        else:
            found.add(char)
            at += 1
    return EVERY - found if complement else frozenset(found)
