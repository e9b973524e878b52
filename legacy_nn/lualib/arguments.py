"""The arguments of library functions: numbers, text and tables, or Lua's error about them."""

from __future__ import annotations

import math
from typing import Any

from rekindle.core.checkpoint.table import Table, new_table

from .errors import bad_argument
from .kinds import type_of
from .numbers import as_number, format_number, parse_number


def number(value: Any, position: int, function: str, default: float | None = None) -> float:
    """Return a number: one given as it is, or spelled in text; `default` for nil."""
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    if value is None and default is not None:
        return default
    found = parse_number(value) if kind is str else as_number(value)
    if found is None:
        raise bad_argument(position, function, f"number expected, got {type_of(value)}")
    return found


def integer(value: Any, position: int, function: str, default: int | None = None) -> int:
    """Return a number without its fraction; nan and what is out of range as the CPU gives them."""
    if type(value) is int:
        return value
    found = number(value, position, function, default)
    return int(found) if math.isfinite(found) else -(2**31)


def string(value: Any, position: int, function: str, default: str | None = None) -> str:
    """Return text: as given, or a number as Lua writes it; `default` for nil."""
    if type(value) is str:
        return value
    if value is None and default is not None:
        return default
    found = as_number(value)
    if found is None:
        raise bad_argument(position, function, f"string expected, got {type_of(value)}")
    return format_number(found)


def table(value: Any, position: int, function: str) -> Table:
    """Return a Table; of an object of one of Torch's classes its fields, as they are kept."""
    if isinstance(value, Table):
        return value
    fields = getattr(value, "__dict__", None)
    if type(fields) is dict and type_of(value) == "table":
        return new_table(fields)
    raise bad_argument(position, function, f"table expected, got {type_of(value)}")
