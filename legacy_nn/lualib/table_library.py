"""Lua's table library, on Tables. Metamethods are not heeded, as in 5.1."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint.holes import end_of_results
from rekindle.core.checkpoint.table import Table, new_table, set_array_end

from .arguments import integer, string
from .arguments import table as check_table
from .calls import call, single
from .errors import located
from .indexing import rawset
from .iteration import ipairs, pairs
from .kinds import type_of
from .numbers import as_number, format_number

STACK = 8000
"""So many values fit on LuaJIT's stack for one call."""


def sequence(*values: Any) -> Table:
    """Return the table `{...}`: the values as elements 1, 2, ..., without the nils.

    Examples
    --------
    >>> list(pairs(sequence("a", None, "c")))
    [(1, 'a'), (3, 'c')]
    """
    table = new_table({i: value for i, value in enumerate(values, 1) if value is not None})
    if len(table._map) < len(values):
        set_array_end(table, end_of_results(len(values)))
    return table


def pack(*values: Any) -> Table:
    """Return `{n = select("#", ...), ...}`, as `table.pack`."""
    table = sequence(*values)
    table._map["n"] = len(values)
    return table


def unpack(table: Any, i: Any = None, j: Any = None) -> Any:
    """Return the elements i to j as results, nils included; by default all from 1 to `#t`."""
    if isinstance(table, list):
        table = sequence(*table)
    table = check_table(table, 1, "unpack")
    entries = table._map
    first = integer(i, 2, "unpack", 1)
    last = len(table) if j is None else integer(j, 3, "unpack")
    if last - first + 1 >= STACK:
        raise located("too many results to unpack")
    return single(tuple(entries.get(k) for k in range(first, last + 1)))


def insert(table: Any, *args: Any) -> None:
    """Append a value, `insert(t, v)`, or insert it, `insert(t, position, v)`."""
    if isinstance(table, list):
        _insert_in_list(table, args)
        return
    table = check_table(table, 1, "insert")
    entries = table._map
    count = len(table)
    if len(args) == 1:
        rawset(table, count + 1, args[0])
        return
    if len(args) != 2:
        raise located("wrong number of arguments to 'insert'")
    position = integer(args[0], 2, "insert")
    for k in range(max(count + 1, position), position, -1):
        rawset(table, k, entries.get(k - 1))
    rawset(table, position, args[1])


def _insert_in_list(values: list[Any], args: tuple[Any, ...]) -> None:
    if len(args) == 1:
        values.append(args[0])
    elif len(args) != 2:
        raise located("wrong number of arguments to 'insert'")
    else:
        values.insert(integer(args[0], 2, "insert") - 1, args[1])


def remove(table: Any, position: Any = None) -> Any:
    """Take out the last element, or the one at a position, and return it; nil if there is none."""
    if isinstance(table, list):
        k = len(table) if position is None else integer(position, 2, "remove")
        return table.pop(k - 1) if 1 <= k <= len(table) else None
    table = check_table(table, 1, "remove")
    entries = table._map
    count = len(table)
    k = count if position is None else integer(position, 2, "remove")
    if not 1 <= k <= count:
        return None
    old = entries[k]
    for at in range(k + 1, count + 1):
        entries[at - 1] = entries[at]
    del entries[count]
    return old


def concat(table: Any, separator: Any = None, i: Any = None, j: Any = None) -> str:
    """Return the elements i to j, text or numbers, joined to one text."""
    glue = string(separator, 2, "concat", "")
    if isinstance(table, list):
        table = sequence(*table)
    table = check_table(table, 1, "concat")
    entries = table._map
    first = integer(i, 3, "concat", 1)
    last = len(table) if j is None else integer(j, 4, "concat")
    parts = []
    for k in range(first, last + 1):
        value = entries.get(k)
        if type(value) is not str:
            number = as_number(value)
            if number is None:
                raise located(
                    f"invalid value ({type_of(value)}) at index {k} in table for 'concat'"
                )
            value = format_number(number)
        parts.append(value)
    return glue.join(parts)


def maxn(table: Any) -> Any:
    """Return the largest positive number that is a key, 0 if there is none."""
    keys = check_table(table, 1, "maxn")._map
    return max((k for k in keys if type(k) in (int, float) and k > 0), default=0)


def getn(table: Any) -> int:
    """Return `#t` without metamethods."""
    return len(check_table(table, 1, "getn"))


def foreach(table: Any, function: Any) -> Any:
    """Call `function(key, value)` for all entries until it returns something; return that."""
    check_table(table, 1, "foreach")
    for key, value in pairs(table):
        result = call(function, key, value)
        if result is not None and result != ():
            return result
    return None


def foreachi(table: Any, function: Any) -> Any:
    """Call `function(i, value)` for the elements in order until it returns something."""
    check_table(table, 1, "foreachi")
    for position, value in ipairs(table):
        result = call(function, position, value)
        if result is not None and result != ():
            return result
    return None


def move(source: Any, i: Any, j: Any, to: Any, target: Any = None) -> Any:
    """Copy the elements i to j of a table to `to`, ... of another or the same; return that."""
    entries = check_table(source, 1, "move")._map
    goal = source if target is None else check_table(target, 5, "move")
    first, last = integer(i, 2, "move"), integer(j, 3, "move")
    start = integer(to, 4, "move")
    values = [entries.get(k) for k in range(first, last + 1)]
    for k, value in enumerate(values, start):
        rawset(goal, k, value)
    return goal
