"""The package tds: hashes, vectors and counters; the objects are Python's, as in files."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table, TdsHash, TdsVec

from ... import tds
from ...tds import vec
from ..toolbox import Toolbox


def _keys(hashed: TdsHash) -> Table:
    return Table(list(hashed.keys()))


def _set(container: Any, key: Any, value: Any) -> None:
    type(container).lua_methods["__newindex"](container, key, value)


def load(tools: Toolbox) -> Any:
    """Return the classes and functions that `tds.lua` completes."""
    module = tools.table({})
    made = tools.table(tds.FUNCTIONS)
    for name, cls in tds.CLASSES.items():
        tools.classes.publish(cls, name, module)
    for cls in (TdsHash, TdsVec):  # Tables of Python, which would cross as plain tables of Lua
        tools.border._makers[cls] = tools.classes.stand_in
    host = {
        "get": lambda container, key: container.get(key),
        "keys": _keys,
        "set": _set,
        "length": len,
        **vec.METHODS,
    }
    return tools.raw_table({"module": module, "made": made, "host": tools.table(host)})
