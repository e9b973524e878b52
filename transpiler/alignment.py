"""Which lines of Lua became which lines of Python, from statement to statement at the top."""

from __future__ import annotations

import ast as python_ast
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that belong together, counted from 1; the last line is not part of it.

    Attributes
    ----------
    lua, python : range
        Either may be empty.
    """

    lua: range
    python: range


def raw_marks(marks: list[tuple[int, int]], text: str, lines: list[str]) -> list[tuple[int, int]]:
    """Return marks in terms of a file's text instead of the list of lines it is made of.

    Parameters
    ----------
    marks : list of (int, int)
        The line of a Lua statement, and the place in `lines` where its Python starts.
    text : str
        The file: a head, and `lines`.
    lines : list of str
        Some of them several lines of text.
    """
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + line.count("\n") + 1)
    head = text.count("\n") - starts[-1]
    return [(lua, head + starts[place] + 1) for lua, place in marks]


def aligned(
    lua: str, raw: str, formatted: str, marks: list[tuple[int, int]], starts: list[int]
) -> list[Row]:
    """Return the rows of two texts side by side.

    Parameters
    ----------
    lua : str
    raw, formatted : str
        The Python before and after formatting, which leaves its statements what they are.
    marks : list of (int, int)
        Lines of Lua statements, and where their Python starts in `raw`.
    starts : list of int
        The lines where the statements at the top of the Lua file begin, comments included, in
        pairs with the line of the statement itself: `[begin, line, begin, line, ...]`.

    Returns
    -------
    list of Row
        They cover both texts, in order.
    """
    lua_end, python_end = _count(lua) + 1, _count(formatted) + 1
    lines = formatted.split("\n")
    places = _statement_places(raw, formatted)
    first_mark: dict[int, int] = {}
    for line, place in marks:
        first_mark.setdefault(line, place)
    cuts = [(1, 1)]
    for begin, line in zip(starts[::2], starts[1::2], strict=True):
        found = first_mark.get(line)
        if found is None:
            continue
        position = bisect_left(places, (found, 0))
        if position == len(places):
            continue
        place = places[position][1]
        while not lines[place - 1]:  # the empty line belongs to what stands before it
            place += 1
        cut = begin, place
        if cut[0] > cuts[-1][0] and cut[1] > cuts[-1][1]:
            cuts.append(cut)
    cuts.append((lua_end, python_end))
    return [Row(range(a, c), range(b, d)) for (a, b), (c, d) in pairwise(cuts)]


def _count(text: str) -> int:
    return len(text.rstrip("\n").split("\n"))


def _statement_places(raw: str, formatted: str) -> list[tuple[int, int]]:
    """Return where statements start in one text and, with what stands before, in the other."""
    before, after = python_ast.parse(raw).body, python_ast.parse(formatted).body
    if len(before) != len(after):
        return []
    found = []
    end = 0
    for one, other in zip(before, after, strict=True):
        found.append((_first_line(one), end + 1))
        end = other.end_lineno or other.lineno
    return found


def _first_line(node: python_ast.stmt) -> int:
    decorators: list[python_ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])
