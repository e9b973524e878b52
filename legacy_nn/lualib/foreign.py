"""Python's own objects as Lua sees them: lists and dicts as tables, attributes as fields.

A list is the table of its elements, counted from 1; it cannot have holes. A dict is a table
with its entries. Of any other object the attributes are fields and what `object[key]` gives are
its other entries; None stands for nil throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MethodType, ModuleType
from typing import Any

from rekindle.core.checkpoint.table import as_key

from .calls import call
from .errors import located
from .kinds import FUNCTIONS, type_of
from .operand_names import refusal


def get_entry(value: Any, key: Any) -> Any:
    """Return `value[key]` as Lua would, None where there is nothing.

    A method comes back as the plain function, which takes the object as its first argument.
    """
    if isinstance(value, list):
        key = as_key(key)
        return value[key - 1] if type(key) is int and 1 <= key <= len(value) else None
    if isinstance(value, dict):
        return value.get(as_key(key))
    if type(key) is str:
        return _unbound(value, key, getattr(value, key, None))
    if not hasattr(type(value), "__getitem__"):
        if type_of(value) == "table":
            return None
        raise refusal("index", value)
    try:
        return value[key]
    except KeyError:
        return None


def _unbound(value: Any, name: str, found: Any) -> Any:
    kind = type(found)
    if kind is MethodType and found.__self__ is value:
        return found.__func__
    if (
        kind not in FUNCTIONS
        or not is_method(value, name)
        or getattr(type(value), name, 0) is found
    ):
        return found
    # Made by `__getattr__` for this object: the next call may be for another one.
    return lambda self, *args: call(getattr(self, name), *args)


def is_method(value: Any, name: str) -> bool:
    """Whether Python gives `value.name` the object itself: not where a field holds a function."""
    return not (isinstance(value, (type, ModuleType)) or name in getattr(value, "__dict__", ()))


def set_entry(value: Any, key: Any, new: Any) -> None:
    """Assign `value[key] = new` as Lua would; None deletes."""
    if isinstance(value, list):
        _set_element(value, as_key(key), new)
    elif isinstance(value, dict):
        if new is None:
            value.pop(as_key(key), None)
        else:
            value[as_key(key)] = new
    elif type(key) is str:
        setattr(value, key, new)
    elif hasattr(type(value), "__setitem__"):
        value[key] = new
    else:
        raise refusal("index", value)


def _set_element(values: list[Any], key: Any, new: Any) -> None:
    count = len(values)
    if type(key) is int and 1 <= key <= count + 1:
        if new is None:
            if key == count:
                values.pop()
            elif key < count:
                values[key - 1] = None
        elif key == count + 1:
            values.append(new)
        else:
            values[key - 1] = new
    elif new is not None:
        raise located(
            f"a Python list of {count} elements has no place for the key {key!r}: "
            "use a Table for what is not a list without holes"
        )


def entries(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the (key, value) pairs that `pairs` shows of a list, a dict or an object."""
    if isinstance(value, list):
        found = list(enumerate(value, 1))
    elif isinstance(value, dict):
        found = list(value.items())
    else:
        try:
            found = list(vars(value).items())
        except TypeError:
            raise located(
                f"bad argument #1 to 'pairs' (table expected, got {type_of(value)})"
            ) from None
    return ((key, item) for key, item in found if item is not None)


def size(value: Any) -> int:
    """Return what `#` gives for a Python object that has a length."""
    if isinstance(value, dict):
        count = 0
        while value.get(count + 1) is not None:
            count += 1
        return count
    try:
        return len(value)
    except TypeError:
        raise refusal("get length of", value) from None
