"""`for ... in`: next, pairs, ipairs, and iterators that both languages can drive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from rekindle.core.checkpoint.table import Table, _BoolKey, as_key

from . import foreign
from .arguments import table as check_table
from .calls import call, spread, take
from .errors import bad_argument, located
from .indexing import index
from .kinds import type_of
from .metatables import metamethod


class Stepper:
    """An iterator for Python (`for k, v in pairs(t)`) that Lua code can call for the next step.

    Parameters
    ----------
    steps : iterable
        The results of one step after the other, a tuple where they are several.
    """

    lua_type = "function"
    __slots__ = ("_steps",)

    def __init__(self, steps: Iterable[Any]) -> None:
        self._steps = iter(steps)

    def __iter__(self) -> Iterator[Any]:
        return self._steps

    def __next__(self) -> Any:
        return next(self._steps)

    def __call__(self, *_: Any) -> Any:
        return next(self._steps, None)


def _ordered(table: Table) -> list[Any]:
    """Return the keys of a table's dict: 1, 2, ... first, as LuaJIT's array part comes first."""
    entries = table._map
    keys = list(entries)
    count = 0
    while count < len(keys) and keys[count] == count + 1:
        count += 1
    if (count + 1) not in entries:
        return keys
    while (count + 1) in entries:
        count += 1
    rest = [k for k in keys if type(k) is not int or not 1 <= k <= count]
    return [*range(1, count + 1), *rest]


def _lua_key(key: Any) -> Any:
    return key.value if type(key) is _BoolKey else key


def _walk(table: Table) -> Iterator[tuple[Any, Any]]:
    entries = table._map
    for key in _ordered(table):
        value = entries.get(key)
        if value is not None:
            yield _lua_key(key), value


def pairs(table: Any) -> Any:
    """Return an iterator over all (key, value) pairs of a table.

    Entries may be changed and deleted on the way. Elements 1, 2, ... come first, then the other
    keys in the order of their insertion. `__pairs` is heeded, as with 5.2 compatibility.

    Examples
    --------
    >>> dict(pairs(Table({"b": 2, 1: "one"})))
    {1: 'one', 'b': 2}
    """
    handler = metamethod(table, "__pairs")
    if handler is not None:
        return Stepper(each(2, *take(call(handler, table), 3)))
    if isinstance(table, Table):
        return Stepper(_walk(table))
    if type_of(table) not in ("table", "userdata"):
        raise bad_argument(1, "pairs", f"table expected, got {type_of(table)}")
    return Stepper(foreign.entries(table))


def ipairs(table: Any) -> Any:
    """Return an iterator over (1, t[1]), (2, t[2]), ... up to the first nil.

    As in Lua 5.1 entries that only `__index` knows are not seen.
    """
    handler = metamethod(table, "__ipairs")
    if handler is not None:
        return Stepper(each(2, *take(call(handler, table), 3)))
    if isinstance(table, Table):
        return Stepper(_count_up(table))
    if type_of(table) not in ("table", "userdata"):
        raise bad_argument(1, "ipairs", f"table expected, got {type_of(table)}")
    return Stepper(_count_up_foreign(table))


def _count_up(table: Table) -> Iterator[tuple[int, Any]]:
    entries = table._map
    position = 1
    while (value := entries.get(position)) is not None:
        yield position, value
        position += 1


def _count_up_foreign(value: Any) -> Iterator[tuple[int, Any]]:
    position = 1
    while (element := index(value, position)) is not None:
        yield position, element
        position += 1


_walks: WeakKeyDictionary[Table, tuple[list[Any], int]] = WeakKeyDictionary()
"""Where `next` stands in each table that is walked with it: the keys, and the last one given."""


def next_(table: Any, key: Any = None) -> Any:
    """Return the (key, value) pair that follows a key, the first one for nil, None at the end.

    Raises
    ------
    LuaError
        "invalid key to 'next'" for a key that the table never had.

    Examples
    --------
    >>> next_(Table(["a"])), next_(Table(["a"]), 1)
    ((1, 'a'), None)
    """
    table = check_table(table, 1, "next")
    entries = table._map
    if key is None:
        if not entries:
            return None
        keys, at = _ordered(table), -1
    else:
        wanted = as_key(key)
        keys, at = _walks.get(table, ([], -1))
        if not (0 <= at < len(keys) and keys[at] == wanted):
            if wanted not in keys:
                keys = _ordered(table)
            if wanted not in keys:
                raise located("invalid key to 'next'")
            at = keys.index(wanted)
    for following in range(at + 1, len(keys)):
        value = entries.get(keys[following])
        if value is not None:
            _walks[table] = (keys, following)
            return _lua_key(keys[following]), value
    _walks.pop(table, None)
    return None


def each(names: int, function: Any, state: Any = None, control: Any = None) -> Iterator[Any]:
    """Yield the steps of `for a, b in function, state, control do`.

    Parameters
    ----------
    names : int
        How many variables the loop has: tuples of so many are yielded, plain values for one.
    function, state, control : Any
        What the expression after `in` gives; `function` alone may be a tuple of all three. A
        Python iterable is taken as well.

    Examples
    --------
    >>> def countdown(last, n):
    ...     return n - 1 if n > last else None
    >>> list(each(1, countdown, 0, 3))
    [2, 1, 0]
    """
    if type(function) is tuple:
        function, state, control = take(function, 3)
    if isinstance(function, Stepper) or (
        not callable(function) and not isinstance(function, Table) and hasattr(function, "__iter__")
    ):
        steps: Iterable[Any] = function
    else:
        steps = _drive(function, state, control)
    for step in steps:
        found = take(step, names)
        if found[0] is None:
            return
        yield found if names > 1 else found[0]


def _drive(function: Any, state: Any, control: Any) -> Iterator[tuple[Any, ...]]:
    while True:
        results = spread(call(function, state, control))
        if not results or results[0] is None:
            return
        control = results[0]
        yield results
