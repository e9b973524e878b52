"""Numbers as text: what C's fscanf does with an open file."""

from __future__ import annotations

from typing import Any, Protocol

from .kinds import Kind

_LARGEST = 1 << 16
_LONGEST = 400
"""Bytes that a number can take: a double written without an exponent."""


class Text(Protocol):
    """What is scanned: bytes that can be looked at before they are taken."""

    def _peek(self, count: int) -> bytes: ...

    def _read(self, count: int) -> bytes: ...


def scan(text: Text, kind: Kind, count: int) -> list[Any]:
    """Take up to `count` numbers, each with the white space before it.

    Stops at the end, and before the first word that is no number.
    """
    assert kind.pattern is not None
    match_at, parse = kind.pattern.match, kind.parse
    numbers: list[Any] = []
    while len(numbers) < count:
        window = min(_LARGEST, _LONGEST + 32 * (count - len(numbers)))
        piece = text._peek(window)
        ended = len(piece) < window
        limit = len(piece) if ended else len(piece) - _LONGEST
        taken = 0
        while len(numbers) < count and taken <= limit:
            match = match_at(piece, taken)
            if match is None:
                break
            numbers.append(parse(match[1]))
            taken = match.end()
        if not taken and not ended and piece.isspace():
            taken = len(piece)
        if not taken:
            break
        text._read(taken)
    return numbers
