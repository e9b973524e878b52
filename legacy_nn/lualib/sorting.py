"""`table.sort`: Lua's quicksort, so that what compares equal ends where Lua leaves it.

Source: the algorithm is that of Lua's ltablib.c (median of three, after Sedgewick), which
LuaJIT has unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .arguments import table as check_table
from .calls import call, first
from .errors import bad_argument, located
from .kinds import truth, type_of
from .operators import lt


def sort(table: Any, before: Any = None) -> None:
    """Sort the elements 1 to `#t` in place.

    Parameters
    ----------
    table : Table
    before : function, optional
        Whether its first argument comes before its second; `<` by default.

    Raises
    ------
    LuaError
        "invalid order function for sorting", where the function contradicts itself so that the
        search runs off the table; and what comparing raises.

    Examples
    --------
    >>> from rekindle.core.checkpoint import Table
    >>> t = Table([3, 1, 2])
    >>> sort(t, lambda a, b: a > b)
    >>> t.array()
    [3, 2, 1]
    """
    values = table if isinstance(table, list) else None
    if values is None:
        table = check_table(table, 1, "sort")
        entries = table._map
        values = [entries.get(k) for k in range(1, len(table) + 1)]
    if before is not None and type_of(before) != "function":
        raise bad_argument(2, "sort", f"function expected, got {type_of(before)}")
    try:
        _sort(values, before)
    finally:
        if values is not table:
            entries.update(enumerate(values, 1))


def _sort(values: list[Any], before: Any) -> None:
    if before is None:
        kinds = set(map(type, values))
        if kinds == {str} or kinds == {int}:  # nothing can tell equal ones apart
            values.sort()
        else:
            _quicksort(values, lt)
    else:
        _quicksort(values, lambda a, b: truth(first(call(before, a, b))))


def _quicksort(v: list[Any], less: Callable[[Any, Any], bool]) -> None:
    waiting = [(0, len(v) - 1)]
    while waiting:
        low, high = waiting.pop()
        while low < high:
            if less(v[high], v[low]):
                v[low], v[high] = v[high], v[low]
            if high - low == 1:
                break
            middle = (low + high + 2) // 2 - 1  # counted from 1, as Lua halves
            if less(v[middle], v[low]):
                v[middle], v[low] = v[low], v[middle]
            elif less(v[high], v[middle]):
                v[middle], v[high] = v[high], v[middle]
            if high - low == 2:
                break
            at = _partition(v, less, low, high, middle)
            # The smaller part at once, the larger one afterwards: the list of parts stays short.
            if at - low < high - at:
                waiting.append((at + 1, high))
                high = at - 1
            else:
                waiting.append((low, at - 1))
                low = at + 1


def _partition(
    v: list[Any], less: Callable[[Any, Any], bool], low: int, high: int, middle: int
) -> int:
    pivot = v[middle]
    v[middle], v[high - 1] = v[high - 1], v[middle]
    i, j = low, high - 1
    while True:
        i += 1
        while less(v[i], pivot):
            if i >= high:
                raise located("invalid order function for sorting")
            i += 1
        j -= 1
        while less(pivot, v[j]):
            if j <= low:
                raise located("invalid order function for sorting")
            j -= 1
        if j < i:
            v[high - 1], v[i] = v[i], v[high - 1]
            return i
        v[i], v[j] = v[j], v[i]
