"""A backtracking matcher for the Lua patterns that no regular expression can state.

The choices still open are on a list, not on Python's stack, so that the length of a text is no
limit. Mistakes in a pattern are reported where matching arrives at them, as Lua does.
"""

from __future__ import annotations

from .errors import located
from .pattern_classes import end_of_item, members
from .pattern_regex import MAX_CAPTURES

OPEN = -1
POSITION = -2

Captures = tuple[tuple[int, int], ...]
"""(start, length) of each; the length is OPEN until the capture is closed, or POSITION."""

_Choice = tuple[int, int, int, int, Captures]
"""Next place in the text to go on from, last one to try, step, place in the pattern, captures."""


def match(text: str, pattern: str, start: int, begin: int = 0) -> tuple[int, Captures] | None:
    """Match a pattern at one place of a text.

    Parameters
    ----------
    text, pattern : str
    start : int
        Where in the text, from 0.
    begin : int
        Where in the pattern: behind its anchor.

    Returns
    -------
    (end, captures), or None; a capture may still be OPEN, which is a mistake once it is used

    Raises
    ------
    LuaError
        For a malformed pattern, with Lua's words.
    """
    at: int | None = start
    p = begin
    captures: Captures = ()
    choices: list[_Choice] = []
    while True:
        if at is None:
            if not choices:
                return None
            at, last, step, p, captures = choices.pop()
            if at != last:
                choices.append((at + step, last, step, p, captures))
        if p == len(pattern):
            return at, captures
        char = pattern[p]
        following = pattern[p + 1 : p + 2]
        if char == "(":
            if len(captures) >= MAX_CAPTURES:
                raise located("too many captures")
            position = following == ")"
            captures = (*captures, (at, POSITION if position else OPEN))
            p += 2 if position else 1
        elif char == ")":
            captures = _close(captures, at)
            p += 1
        elif char == "$" and p + 1 == len(pattern):
            p += 1
            if at != len(text):
                at = None
        elif char == "%" and following == "b":
            at = _balanced(text, pattern, at, p + 2)
            p += 4
        elif char == "%" and following == "f":
            at, p = _frontier(text, pattern, at, p + 2)
        elif char == "%" and following.isdecimal():
            at = _again(text, captures, at, int(following))
            p += 2
        else:
            end = end_of_item(pattern, p)
            allowed = members(pattern[p:end])
            suffix = pattern[end : end + 1]
            p = end + 1
            if suffix == "*" or suffix == "+":
                longest = at
                while longest < len(text) and text[longest] in allowed:
                    longest += 1
                shortest = at if suffix == "*" else at + 1
                if longest > shortest:
                    choices.append((longest - 1, shortest, -1, p, captures))
                at = longest if longest >= shortest else None
            elif suffix == "-":
                longest = at
                while longest < len(text) and text[longest] in allowed:
                    longest += 1
                if longest > at:
                    choices.append((at + 1, longest, 1, p, captures))
            elif suffix == "?":
                if at < len(text) and text[at] in allowed:
                    choices.append((at, at, 1, p, captures))
                    at += 1
            else:
                p = end
                at = at + 1 if at < len(text) and text[at] in allowed else None


def _close(captures: Captures, at: int) -> Captures:
    for number in range(len(captures) - 1, -1, -1):
        start, size = captures[number]
        if size == OPEN:
            return (*captures[:number], (start, at - start), *captures[number + 1 :])
    raise located("invalid pattern capture")


def _balanced(text: str, pattern: str, at: int, p: int) -> int | None:
    if p + 1 >= len(pattern):
        raise located("unbalanced pattern")
    opening, closing = pattern[p], pattern[p + 1]
    if text[at : at + 1] != opening:
        return None
    depth = 1
    for k in range(at + 1, len(text)):
        if text[k] == closing:
            depth -= 1
            if depth == 0:
                return k + 1
        elif text[k] == opening:
            depth += 1
    return None


def _frontier(text: str, pattern: str, at: int, p: int) -> tuple[int | None, int]:
    if pattern[p : p + 1] != "[":
        raise located("missing '[' after '%f' in pattern")
    end = end_of_item(pattern, p)
    allowed = members(pattern[p:end])
    before = text[at - 1] if at > 0 else "\0"
    here = text[at] if at < len(text) else "\0"
    return (at if before not in allowed and here in allowed else None), end


def _again(text: str, captures: Captures, at: int, number: int) -> int | None:
    if not 1 <= number <= len(captures) or captures[number - 1][1] == OPEN:
        raise located("invalid capture index")
    start, size = captures[number - 1]
    if size == POSITION:
        return None
    return at + size if text.startswith(text[start : start + size], at) else None
