"""Lua patterns as Python regular expressions, which are fast and never recurse.

Both match by backtracking, in the same order, so that the translation is exact. What it leaves
to `pattern_matcher`: %b, references to captures that are positions or still open, and
patterns with a mistake, which Lua reports only when matching arrives at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .errors import LuaError
from .pattern_classes import EVERY, end_of_item, members

MAX_CAPTURES = 32


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pattern as a regular expression.

    Attributes
    ----------
    regex : re.Pattern
    positions : tuple of bool
        For each capture, whether it is a position, `()`.
    """

    regex: re.Pattern[str]
    positions: tuple[bool, ...]


class _Untranslatable(Exception):
    """The pattern is one for `pattern_matcher`."""


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Compiled | None:
    """Return a pattern (without its anchor `^`) as a regular expression, if it can be one."""
    try:
        return _Translation(pattern).result()
    except (_Untranslatable, LuaError):
        return None


class _Translation:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.parts: list[str] = []
        self.positions: list[bool] = []
        self.open: list[int] = []

    def result(self) -> Compiled:
        pattern = self.pattern
        while self.at < len(pattern):
            char = pattern[self.at]
            following = pattern[self.at + 1 : self.at + 2]
            if char == "(":
                self.capture(position=following == ")")
            elif char == ")":
                if not self.open:
                    raise _Untranslatable
                self.open.pop()
                self.parts.append(")")
                self.at += 1
            elif char == "$" and self.at + 1 == len(pattern):
                self.parts.append(r"\Z")
                self.at += 1
            elif char == "%" and following == "b":
                raise _Untranslatable
            elif char == "%" and following == "f":
                self.frontier()
            elif char == "%" and following.isdecimal():
                self.reference(int(following))
            else:
                self.item()
        if self.open:
            raise _Untranslatable
        return Compiled(re.compile("".join(self.parts), re.DOTALL), tuple(self.positions))

    def capture(self, position: bool) -> None:
        self.positions.append(position)
        if len(self.positions) > MAX_CAPTURES:
            raise _Untranslatable
        if position:
            self.parts.append("()")
            self.at += 2
        else:
            self.open.append(len(self.positions))
            self.parts.append("(")
            self.at += 1

    def reference(self, number: int) -> None:
        known = 1 <= number <= len(self.positions)
        if not known or number in self.open or self.positions[number - 1]:
            raise _Untranslatable
        self.parts.append(rf"(?:\{number})")
        self.at += 2

    def frontier(self) -> None:
        if self.pattern[self.at + 2 : self.at + 3] != "[":
            raise _Untranslatable
        end = end_of_item(self.pattern, self.at + 2)
        allowed = members(self.pattern[self.at + 2 : end])
        # Before the first and behind the last character stands a zero byte.
        if "\0" in allowed:
            self.parts.append(f"(?<={_charset(EVERY - allowed)})(?:(?={_charset(allowed)})|\\Z)")
        else:
            self.parts.append(f"(?<!{_charset(allowed)})(?={_charset(allowed)})")
        self.at = end

    def item(self) -> None:
        end = end_of_item(self.pattern, self.at)
        chars = _charset(members(self.pattern[self.at : end]))
        suffix = self.pattern[end : end + 1]
        if suffix and suffix in "*+?-":
            chars += "*?" if suffix == "-" else suffix
            end += 1
        self.parts.append(chars)
        self.at = end


def _charset(chars: frozenset[str]) -> str:
    if chars == EVERY:
        return "."
    if len(chars) == 1:
        return re.escape(next(iter(chars)))
    if not chars:
        return "(?!)."
    codes = sorted(map(ord, chars))
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\x{low:02x}-\\x{high:02x}" for low, high in ranges) + "]"
