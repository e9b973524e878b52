"""Metatables: where they are, and what they say."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint.table import Table, set_metatable

from .errors import bad_argument, located
from .kinds import type_of

string_metatable = Table()
"""The metatable of all strings; its `__index` is the string library."""


def metatable_of(value: Any) -> Table | None:
    """Return a value's metatable, also where `__metatable` hides it.

    A Table carries its own, strings share one, and a Python class gives its instances one as
    the class attribute `lua_metatable`.
    """
    if isinstance(value, Table):
        return value._metatable
    if type(value) is str:
        return string_metatable
    return getattr(type(value), "lua_metatable", None)


def metamethod(value: Any, event: str) -> Any:
    """Return what a value's metatable holds for an event ("__add"), or None."""
    metatable = metatable_of(value)
    return None if metatable is None else metatable._map.get(event)


def getmetatable(value: Any) -> Any:
    """Return a value's metatable, its field `__metatable` if it has one, or None."""
    metatable = metatable_of(value)
    if metatable is None:
        return None
    hidden = metatable._map.get("__metatable")
    return metatable if hidden is None else hidden


def setmetatable(table: Any, metatable: Any) -> Any:
    """Give a table a metatable, or take it away with None; return the table.

    Raises
    ------
    LuaError
        If `table` is not a table, or its metatable is protected by `__metatable`.

    Examples
    --------
    >>> from rekindle.legacy_nn.lualib import index
    >>> index(setmetatable(Table(), Table({"__index": Table({"lr": 0.1})})), "lr")
    0.1
    """
    if not isinstance(table, Table):
        raise bad_argument(1, "setmetatable", f"table expected, got {type_of(table)}")
    if metatable is not None and not isinstance(metatable, Table):
        raise bad_argument(2, "setmetatable", "nil or table expected")
    if metamethod(table, "__metatable") is not None:
        raise located("cannot change a protected metatable")
    set_metatable(table, metatable)
    entries: Any = table._map
    if type(entries) is not dict:  # they are in Lua
        entries.met(metatable)
    return table
