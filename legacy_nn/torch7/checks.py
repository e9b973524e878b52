"""Checks of single arguments, as the C functions of Torch7 make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import storage_class, tensor_class
from rekindle.core.dtypes import Dtype
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .errors import BadArgument


def type_text(value: Any) -> str:
    """Return what messages call the type of a value."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Tensor):
        return tensor_class(value.dtype)
    if isinstance(value, Storage):
        return storage_class(value.dtype)
    if isinstance(value, (Table, list, tuple)):
        return "table"
    return "function" if callable(value) else "userdata"


def as_number(value: Any, position: int) -> float:
    """Return a number; text that spells one counts, as everywhere in Lua."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    raise BadArgument(position, f"number expected, got {type_text(value)}")


def as_int(value: Any, position: int) -> int:
    """Return a number without its fraction."""
    return int(as_number(value, position))


def as_tensor(value: Any, position: int, dtype: Dtype | None = None) -> Tensor:
    """Return a tensor, of a type if one is asked for."""
    if isinstance(value, Tensor) and (dtype is None or value.dtype == dtype):
        return value
    wanted = "torch.*Tensor" if dtype is None else tensor_class(dtype)
    raise BadArgument(position, f"{wanted} expected, got {type_text(value)}")


def as_storage(value: Any, position: int) -> Storage:
    """Return a LongStorage."""
    if isinstance(value, Storage) and value.dtype.char == "l":
        return value
    raise BadArgument(position, f"torch.LongStorage expected, got {type_text(value)}")


def as_function(value: Any, position: int) -> Callable[..., Any]:
    """Return a function."""
    if callable(value):
        found: Callable[..., Any] = value
        return found
    raise BadArgument(position, f"function expected, got {type_text(value)}")
