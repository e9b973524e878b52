"""Values as text, and text as numbers."""

from __future__ import annotations

import types
from typing import Any

from rekindle.core.checkpoint.table import Table

from .calls import call, first
from .errors import bad_argument, located
from .kinds import type_of
from .metatables import metamethod
from .numbers import as_number, format_number, parse_in_base, parse_number


def tostring(value: Any) -> str:
    """Return a value as text, as `print` shows it.

    A metamethod `__tostring` decides for tables; other Python objects show their `repr`.

    Examples
    --------
    >>> tostring(3.0), tostring(0.1), tostring(None), tostring(True)
    ('3', '0.1', 'nil', 'true')
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int or kind is float:
        return format_number(value)
    if value is None:
        return "nil"
    if kind is bool:
        return "true" if value else "false"
    handler = metamethod(value, "__tostring")
    if handler is not None:
        return _text_of(handler, value)
    number = as_number(value)
    if number is not None:
        return format_number(number)
    name = type_of(value)
    if name == "function" or isinstance(value, (Table, list, dict, type, types.ModuleType)):
        return f"{name}: 0x{id(value):08x}"
    return repr(value)


def _text_of(handler: Any, value: Any) -> str:
    text = first(call(handler, value))
    if type(text) is str:
        return text
    number = as_number(text)
    if number is None:
        raise located("'tostring' must return a string to 'print'")
    return format_number(number)


def tonumber(value: Any, base: Any = None) -> int | float | None:
    """Return the number that a value is or spells, or None.

    Parameters
    ----------
    value : Any
        A number or text; without `base` anything else gives None.
    base : int, optional
        From 2 to 36: the text is a whole number in this base.

    Raises
    ------
    LuaError
        If the base is out of range, or `value` is no text where a base is given.

    Examples
    --------
    >>> tonumber("0x10"), tonumber("ff", 16), tonumber("x"), tonumber(True)
    (16, 255, None, None)
    """
    if base is None or base == 10:
        return parse_number(value) if type(value) is str else as_number(value)
    number = as_number(base)
    if number is None or not 2 <= number < 37:
        raise bad_argument(2, "tonumber", "base out of range")
    if type(value) is not str and as_number(value) is None:
        raise bad_argument(1, "tonumber", f"string expected, got {type_of(value)}")
    return parse_in_base(tostring(value), int(number))
