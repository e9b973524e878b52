"""What a value is: its type by Lua's name, and whether it counts as true."""

from __future__ import annotations

import types
from typing import Any

from rekindle.core.checkpoint.objects import TorchObject
from rekindle.core.checkpoint.table import Table

from ..classes import TorchClass
from .numbers import as_number

_TYPES: dict[type, str] = {
    type(None): "nil",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    Table: "table",
    list: "table",
    dict: "table",
    types.FunctionType: "function",
    types.BuiltinFunctionType: "function",
    types.MethodType: "function",
    types.ModuleType: "table",
}


FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
"""Python's functions proper; other objects that can be called may have fields."""


def type_of(value: Any) -> str:
    """Return the name of a value's type, as Lua's `type`.

    Notes
    -----
    Python's lists, dicts, modules and classes are tables, and so are modules and criterions,
    which are tables in Lua. A class says what its instances are in an attribute `lua_type`;
    other objects are "userdata", or "function" if they can be called.

    Examples
    --------
    >>> type_of(None), type_of(True), type_of(1.5), type_of("x"), type_of(print)
    ('nil', 'boolean', 'number', 'string', 'function')
    """
    known = _TYPES.get(type(value))
    if known is not None:
        return known
    named = getattr(type(value), "lua_type", None)
    if isinstance(named, str):
        return named
    if isinstance(value, (Table, TorchClass, TorchObject, type, dict, list)):
        return "table"
    if as_number(value) is not None:
        return "number"
    return "function" if callable(value) else "userdata"


def truth(value: Any) -> bool:
    """Whether a value counts as true: all but nil and false do, so 0 and "" too."""
    return value is not None and value is not False
