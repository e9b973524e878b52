"""tds.Vec: a vector of any values, nil among them.

Source: torch/tds vec.lua, tds_vec.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cmp_to_key
from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.checkpoint import Table, TdsVec
from rekindle.core.storage import Storage

from ..lualib import LuaError, call, first, tostring, truth, type_of
from ..lualib.iteration import Stepper
from .containers import checked, converted, described, fill, is_vector, position


def Vec(*args: Any) -> TdsVec:
    """Return a new vector of the elements of a table, or of the arguments.

    Raises
    ------
    LuaError
        For a table with keys that are no numbers.
    """
    vec = TdsVec()
    if len(args) == 1 and type_of(args[0]) == "table":
        if not is_vector(args[0]):
            raise LuaError("lua table with number keys expected")
        fill(vec, args[0])
    else:
        for place, value in enumerate(args, 1):
            vec[place] = converted(value)
    return vec


def insert(vec: TdsVec, *args: Any) -> None:
    """Put a value at a position, or behind the end; what was there moves up.

    Raises
    ------
    LuaError
        For a position that is not positive.
    """
    if len(args) not in (1, 2):
        raise LuaError("[key] value expected")
    place = len(vec) + 1 if len(args) == 1 else position(args[0])
    if place > len(vec):
        vec[place] = checked(args[-1])
        return
    values = vec.array()
    values[place - 1 : place - 1] = [checked(args[-1])]
    _replace(vec, values, place)


def remove(vec: TdsVec, place: Any = None) -> None:
    """Take out the element at a position, the last one by default; what follows moves down."""
    at = position(len(vec) if place is None else place)
    if at >= len(vec):
        vec.resize(min(at - 1, len(vec)))
        return
    values = vec.array()
    del values[at - 1]
    _replace(vec, values, at)


def _replace(vec: TdsVec, values: list[Any], start: int) -> None:
    """Make `values` the elements, of which those before `start` are as they were."""
    vec.resize(len(values))
    for place in range(start, len(values) + 1):
        vec[place] = values[place - 1]


def resize(vec: TdsVec, size: Any) -> None:
    """Have so many elements: drop those at the end, or add nil.

    Raises
    ------
    LuaError
        For a size that is no number, or negative.
    """
    if type_of(size) != "number" or size < 0:
        raise LuaError("size must be a positive number")
    vec.resize(int(size))


def sort(vec: TdsVec, compare: Any = None) -> None:
    """Sort the elements; `compare(a, b)` says whether a comes before b.

    Raises
    ------
    LuaError
        Without a function.
    """
    if type_of(compare) != "function":
        raise LuaError("compare function must be a lua or C function")

    def order(a: Any, b: Any) -> int:
        if truth(first(call(compare, a, b))):
            return -1
        return 1 if truth(first(call(compare, b, a))) else 0

    _replace(vec, sorted(vec.array(), key=cmp_to_key(order)), 1)


def concat(vec: TdsVec, sep: Any = None, i: Any = None, j: Any = None) -> str:
    """Return the elements from i to j as one string, with a separator between them."""
    start, stop = 1 if i is None else int(i), len(vec) if j is None else int(j)
    values = (vec.get(place) for place in range(start, stop + 1))
    return ("" if sep is None else tostring(sep)).join(map(tostring, values))


def concatstorage(vec: TdsVec, sep: Any = None, i: Any = None, j: Any = None) -> Storage:
    """Return what `concat` does, as a CharStorage."""
    raw = concat(vec, sep, i, j).encode("latin-1")
    return Storage(np.frombuffer(raw, dtypes.int8).copy())


METHODS = {
    "insert": insert,
    "remove": remove,
    "resize": resize,
    "sort": sort,
    "concat": concat,
    "concatstorage": concatstorage,
}


def _index(vec: TdsVec, key: Any) -> Any:
    if type_of(key) == "number":
        return vec.get(position(key))
    if key in METHODS:
        return METHODS[key]
    raise LuaError("invalid key (number) or method name")


def _assign(vec: TdsVec, key: Any, value: Any) -> None:
    vec[position(key)] = checked(value)


def _steps(vec: TdsVec) -> Iterator[tuple[int, Any]]:
    place = 1
    while place <= len(vec):
        yield place, vec.get(place)
        place += 1


def _walk(vec: TdsVec) -> Stepper:
    return Stepper(_steps(vec))


def _text(vec: TdsVec) -> str:
    values = [vec.get(place) for place in range(1, min(len(vec), 20) + 1)]
    return described(
        vec, [(f"{place:>5} : ", tostring(value)) for place, value in enumerate(values, 1)]
    )


TdsVec.lua_methods = Table(
    {
        "__index": _index,
        "__newindex": _assign,
        "__len": len,
        "__pairs": _walk,
        "__ipairs": _walk,
        "__tostring": _text,
    }
)
