"""`t[k]`, `t[k] = v`, `#t` and `t:name()`, with metatables; the same without them."""

from __future__ import annotations

from types import MethodType
from typing import Any

from rekindle.core.checkpoint.table import Table, as_key, delete

from . import foreign
from .arguments import table as check_table
from .calls import call, first
from .errors import located
from .kinds import FUNCTIONS, type_of
from .metatables import metamethod
from .operand_names import no_method, refusal

LOOP = 100
"""So many tables may stand behind one another in `__index`."""


def index(value: Any, key: Any) -> Any:
    """Return `value[key]`, through `__index` where the entry is missing.

    Parameters
    ----------
    value : Any
        A table, a string (whose methods are the string library), or a Python object.
    key : Any

    Raises
    ------
    LuaError
        "attempt to index a nil value" for what has no entries.

    Examples
    --------
    >>> index(Table({"lr": 0.1}), "lr"), index(Table(["a"]), 1.0), index(Table(), "none")
    (0.1, 'a', None)
    """
    if type(value) is Table:
        kind = type(key)
        found = value._map.get(key if kind is str or kind is int else as_key(key))
        if found is not None or value._metatable is None:
            return found
    return _index_through(value, key)


def _index_through(value: Any, key: Any) -> Any:
    for _ in range(LOOP):
        if isinstance(value, Table):
            found = value._map.get(as_key(key))
            if found is not None:
                return found
            metatable = value._metatable
            handler = None if metatable is None else metatable._map.get("__index")
            if handler is None:
                return None
            if isinstance(handler, Table):
                value = handler
                continue
        else:
            handler = metamethod(value, "__index")
            if handler is None:
                _refuse_scalars(value)
                return foreign.get_entry(value, key)
        if type_of(handler) == "function":
            return first(call(handler, value, key))
        value = handler
    raise located("loop in gettable")


def _refuse_scalars(value: Any) -> None:
    kind = type_of(value)
    if kind in ("nil", "boolean", "number", "string", "thread") or type(value) in FUNCTIONS:
        raise refusal("index", value)


def newindex(value: Any, key: Any, new: Any) -> None:
    """Assign `value[key] = new`, through `__newindex` where there was no such entry.

    Assigning None deletes the entry.

    Raises
    ------
    LuaError
        For a key that is nil or nan, and for what has no entries.
    """
    if type(value) is Table and value._metatable is None:
        kind = type(key)
        if kind is not str and kind is not int:
            key = _checked_key(key)
        if new is None:
            delete(value, key)
        else:
            value._map[key] = new
    else:
        _newindex_through(value, key, new)


def _checked_key(key: Any) -> Any:
    if key is None:
        raise located("table index is nil")
    if type(key) is float and key != key:
        raise located("table index is NaN")
    return as_key(key)


def _newindex_through(value: Any, key: Any, new: Any) -> None:
    for _ in range(LOOP):
        handler = None
        if isinstance(value, Table):
            metatable = value._metatable
            if metatable is not None and value._map.get(as_key(key)) is None:
                handler = metatable._map.get("__newindex")
            if handler is None:
                rawset(value, key, new)
                return
        else:
            handler = metamethod(value, "__newindex")
            if handler is None:
                _refuse_scalars(value)
                foreign.set_entry(value, key, new)
                return
        if type_of(handler) == "function":
            call(handler, value, key, new)
            return
        value = handler
    raise located("loop in settable")


def rawget(table: Any, key: Any) -> Any:
    """Return a table's own entry, or None."""
    return check_table(table, 1, "rawget")._map.get(as_key(key))


def rawset(table: Any, key: Any, new: Any) -> Any:
    """Assign a table's own entry, and return the table."""
    checked = check_table(table, 1, "rawset")
    key = _checked_key(key)
    if new is None:
        delete(checked, key)
    else:
        checked._map[key] = new
    return table


def length(value: Any) -> Any:
    """Return `#value`: the bytes of a string, a border of a table, what `__len` says of others.

    Notes
    -----
    As recorded from Torch7, a table's own `__len` does not count, as in Lua 5.1; that of a
    Python class's `lua_metatable` does.
    """
    if type(value) is str or isinstance(value, Table):
        return len(value)
    handler = metamethod(value, "__len")
    return foreign.size(value) if handler is None else first(call(handler, value))


def rawlen(value: Any) -> int:
    """Return the length of a string or table without metamethods."""
    if type(value) is str or isinstance(value, Table):
        return len(value)
    raise located("bad argument #1 to 'rawlen' (table or string expected)")


def invoke(value: Any, name: str, *args: Any) -> Any:
    """Call a method: `value:name(...)`.

    A Python object's own method is called as Python does; everything else, also a function that
    a field of the object holds, is looked up by `index` and called with `value` in front.

    Raises
    ------
    LuaError
        "attempt to call method 'name' (a nil value)".

    Examples
    --------
    >>> invoke("conv%d", "format", 1)
    'conv1'
    """
    if type(value) is not Table and type(value) is not str:
        own = getattr(value, name, None)
        if type(own) is MethodType or (own is not None and foreign.is_method(value, name)):
            return call(own, *args)
    method = index(value, name)
    if method is None:
        raise no_method(name)
    return call(method, value, *args)
