"""Weak tables: what only they refer to leaves them when a program collects garbage."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint.table import Table


def collect() -> None:
    """Collect garbage, and drop the entries of weak tables (`__mode`) that are garbage.

    Between calls of this a weak table keeps what it has. An object that a table with weak values
    has, and a local of Python that Lua has left, counts as referred to.
    """
    # By their types: `isinstance` asks an object for its class, which may be a proxy's own code.
    found = [t for t in gc.get_objects() if issubclass(type(t), Table) and _mode(t)]
    held = [_let_go(table) for table in found]
    gc.collect()
    for table, entries in zip(found, held, strict=True):
        for get_key, get_value in entries:
            key, value = get_key(), get_value()
            if key is not None and value is not None:
                table._map[key] = value


def _mode(table: Table) -> str:
    """Return a table's `__mode`; empty where it is not weak, or its entries are elsewhere."""
    metatable = getattr(table, "_metatable", None)
    mode = metatable._map.get("__mode") if isinstance(metatable, Table) else None
    return mode if type(mode) is str and type(table._map) is dict else ""


_Get = Callable[[], Any]


def _let_go(table: Table) -> list[tuple[_Get, _Get]]:
    """Empty a table; return what gives its entries again, None for those that are garbage."""
    mode = _mode(table)
    entries = [
        (_getter(key, "k" in mode), _getter(value, "v" in mode))
        for key, value in table._map.items()
    ]
    table._map.clear()
    return entries


def _getter(value: Any, weak: bool) -> _Get:
    if weak:
        try:
            return weakref.ref(value)
        except TypeError:  # numbers and text are no garbage
            pass
    return lambda: value
