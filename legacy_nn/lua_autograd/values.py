"""What recorded functions are given: tensors, numbers that may be recorded, tables of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..torch7 import api
from ..torch7.errors import TorchError
from ..torch7.memory import size_text

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What `torch.name(...)` and `x:name(...)` are on recorded values."""


def recorded(*names: str) -> Callable[[F], F]:
    """Register a function on recorded values under names of Torch7."""

    def register(function: F) -> F:
        FUNCTIONS.update(dict.fromkeys(names, function))
        return function

    return register


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor to Lua; a recorded number is not."""
    return isinstance(value, Tensor) and value.ndim > 0


def is_number(value: Any) -> bool:
    """Whether a value is a number to Lua, recorded or not."""
    if isinstance(value, Tensor):
        return value.ndim == 0
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """Return a value without its history, as the tensor library takes it."""
    if isinstance(value, Tensor):
        return value.detach() if value.ndim else value.item()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, Table):
        return Table({k: plain(v) for k, v in value.items()})
    return value


def torch7(name: str, *args: Any) -> Any:
    """Return what the tensor library's function gives, nothing recorded."""
    found = api.FUNCTIONS.get(name) or api.METHODS[name]
    return found(*map(plain, args))


def method(name: str, *args: Any) -> Any:
    """Return what a method of the tensor library gives, nothing recorded."""
    return api.METHODS[name](*map(plain, args))


def number_for(value: Any, tensor: Tensor) -> Any:
    """Return a number as an operand beside a tensor: of its dtype, so that this one decides."""
    return ops.astype(value, tensor.dtype) if isinstance(value, Tensor) else value


def operands(a: Any, b: Any) -> tuple[Any, Any]:
    """Return two values as operands of an elementwise operation, the second shaped as the first.

    Raises
    ------
    TorchError
        If they are tensors of different types or with different numbers of elements.
    """
    if is_tensor(a) and is_tensor(b):
        if a.dtype != b.dtype:
            raise TorchError(f"autograd: tensors of one type expected; given {a.dtype}, {b.dtype}")
        if a.size != b.size:
            raise TorchError(
                f"inconsistent tensor size: {size_text(a)} and {size_text(b)} have different "
                "numbers of elements; torch.expand repeats along dimensions of size 1"
            )
        return a, b if a.shape == b.shape else ops.reshape(b, a.shape)
    if is_tensor(a):
        return a, number_for(b, a)
    if is_tensor(b):
        return number_for(a, b), b
    return a, b


def shaped_as(name: str, x: Tensor, *args: Any) -> Any:
    """Return x in the shape that a method of the tensor library gives it; maybe a number."""
    found = method(name, x, *args)
    if not isinstance(found, Tensor):
        return as_number(ops.reshape(x, ()))
    return ops.reshape(x, found.shape)


def as_number(value: Tensor) -> Tensor:
    """Return a tensor without dimensions as the number it is to Lua, of double precision."""
    return ops.astype(value, "float64")
