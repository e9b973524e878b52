"""Where `#` finds a border in a table with holes: where LuaJIT does, as far as that can be told.

LuaJIT keeps elements 1 to some end in an array and looks for a border there first. Only tables
with holes have several borders, so only they remember the end of their array.

Source: LuaJIT lj_tab.c (lj_tab_len, bestasize), lj_parse.c (expr_table).
"""

from __future__ import annotations

from collections.abc import Container, Iterable


def border(entries: Container[int], end: int) -> int:
    """Return n where n is an entry, or 0, and n + 1 is none.

    Parameters
    ----------
    entries : container of int
        The positions that are there, among other keys.
    end : int
        The last place of the array; 0 where there is none.
    """
    low, high = 0, end
    if end == 0 or end in entries:
        low, high = end, end + 1
        while high in entries:
            low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if middle in entries:
            low = middle
        else:
            high = middle
    return low


def end_of_grown(count: int) -> int:
    """Return the end of the array of a table that grew element by element."""
    return max(2, 1 << (count - 1).bit_length())


def end_of_results(count: int) -> int:
    """Return the end of the array of `{...}` with so many values."""
    return 2 if count <= 2 else count + 1


def end_of_written(there: Iterable[bool]) -> int:
    """Return the end of the array of a table that is written out, as `{1, nil, 3}`.

    Parameters
    ----------
    there : iterable of bool
        For each element whether it is not nil.
    """
    size, nodes = 2, 0
    live: list[int] = []
    hashed: list[int] = []
    place = 0
    for place, value in enumerate(there, 1):
        if place >= size and len(hashed) < nodes:
            hashed.append(place)
        elif place >= size:
            keys = [*live, place]
            size, inside = _best_size(keys)
            outside = len(keys) - inside
            nodes = 2 if outside == 1 else 1 << (outside - 1).bit_length() if outside else 0
            hashed = [k for k in keys if k >= size]
        if value:
            live.append(place)
        elif place in hashed:
            hashed.remove(place)
    return max(size - 1, place)


def _best_size(keys: list[int]) -> tuple[int, int]:
    """Return the largest size of which more than half is used, and how many keys are inside."""
    bins: dict[int, int] = {}
    for key in keys:
        power = (key - 1).bit_length() - 1 if key > 2 else 0
        bins[power] = bins.get(power, 0) + 1
    size = inside = total = power = 0
    while 2 * len(keys) > 1 << power and total != len(keys):
        total += bins.get(power, 0)
        if power in bins and 2 * total > 1 << power:
            size, inside = (2 << power) + 1, total
        power += 1
    return size, inside
