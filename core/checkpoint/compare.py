"""Equality of contents, all the way down and without recursion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import to_numpy
from ..storage import Storage
from ..tensor import Tensor
from .objects import LuaFunction, TorchObject
from .table import Table

_PLAIN = (str, bytes, int, float, bool, type(None))


def equal_contents(first: object, second: object) -> bool:
    """Whether two graphs of tables, objects, tensors and plain values are equal.

    A pair of objects that was met before is taken as equal, so cycles end and shared
    parts are compared once.
    """
    pending: list[tuple[Any, Any]] = [(first, second)]
    met: set[tuple[int, int]] = set()
    while pending:
        a, b = pending.pop()
        if a is b or (id(a), id(b)) in met:
            continue
        if isinstance(a, (Table, TorchObject, LuaFunction)):
            if _kind(a) != _kind(b):
                return False
            met.add((id(a), id(b)))
            inner = _children(a, b)
            if inner is None:
                return False
            pending.extend(inner)
        elif not _equal_leaves(a, b):
            return False
    return True


def _kind(value: object) -> object:
    """Return what tells kinds of objects apart; subclasses that only read differently are one."""
    kind = type(value)
    return getattr(kind, "t7_typename", Table) if issubclass(kind, Table) else kind


def _children(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    """Return the pairs that must be equal for `a` and `b` to be; None if they cannot be."""
    if isinstance(a, LuaFunction):
        same = a.bytecode == b.bytecode and a.tag == b.tag
        return [(a.upvalues, b.upvalues)] if same else None
    if isinstance(a, TorchObject):
        if (a.t7_typename, a.t7_version) != (b.t7_typename, b.t7_version):
            return None
        return [(a.t7_fields(), b.t7_fields()), (a.t7_payload, b.t7_payload)]
    return _entries(a._map, b._map)


def _entries(a: dict[Any, Any], b: dict[Any, Any]) -> list[tuple[Any, Any]] | None:
    if len(a) != len(b):
        return None
    pairs = []
    foreign = []
    for key, value in a.items():
        if key in b:
            pairs.append((value, b[key]))
        else:
            foreign.append((key, value))
    if foreign:
        others: Iterator[tuple[Any, Any]] = ((k, v) for k, v in b.items() if k not in a)
        for (key, value), (key_b, value_b) in zip(foreign, others, strict=True):
            if isinstance(key, _PLAIN) or isinstance(key_b, _PLAIN):
                return None
            pairs += [(key, key_b), (value, value_b)]
    return pairs


def _equal_leaves(a: Any, b: Any) -> bool:
    if isinstance(a, _PLAIN):
        if isinstance(a, bool) or isinstance(b, bool):
            return type(a) is type(b) and a == b
        return isinstance(b, _PLAIN) and (a == b or (a != a and b != b))
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.shape == b.shape and _equal_arrays(a, b)
    if isinstance(a, Storage):
        return isinstance(b, Storage) and _equal_arrays(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and _same_values(a, b)
    return bool(a == b)


def _equal_arrays(a: Tensor | Storage, b: Tensor | Storage) -> bool:
    return a.dtype == b.dtype and _same_values(to_numpy(a.array), to_numpy(b.array))


def _same_values(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    if a.shape != b.shape:
        return False
    # What both only repeat is compared once: an expanded view may stand for terabytes.
    once = tuple(
        slice(0, 1) if s == 0 == t else slice(None)
        for s, t in zip(a.strides, b.strides, strict=True)
    )
    return bool(np.array_equal(a[once], b[once], equal_nan=a.dtype.kind == "f"))
