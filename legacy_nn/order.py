"""The order of memory of what modules return: Torch7's results lie in row-major order.

Inside a network images are channels-last, which is faster; see docs/kernels.md. What a module
leaves in its fields owes its values to Torch's order: see core/ops/owing.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from rekindle.core import ops
from rekindle.core.backend import holds_alone
from rekindle.core.checkpoint import Table
from rekindle.core.ops.owing import owed, owed_values
from rekindle.core.tensor import Tensor

from .values import map_tensors

Method = TypeVar("Method", bound=Callable[..., Any])


def row_major(value: Any) -> Any:
    """Return what a module has computed, with new tensors of another order put into this one.

    Views of other tensors stay what they are: in Torch7 they have strides, too.
    """
    if isinstance(value, Tensor):
        return _copied(value)
    if isinstance(value, Table):
        return map_tensors(_copied, value)
    return value


def any_order(method: Method) -> Method:
    """Mark a method that only reads the values of its arguments, whatever their order in memory.

    It is given them as `in_any_order` returns them, and its results are no views of them.
    """

    @wraps(method)
    def reading(self: Any, *args: Any) -> Any:
        return method(self, *map(in_any_order, args))

    reading.any_order = True  # type: ignore[attr-defined]
    return reading  # type: ignore[return-value]


def marked(method: Any) -> bool:
    """Whether a method is one that `any_order` has marked."""
    return getattr(method, "any_order", False)


def in_any_order(value: Any) -> Any:
    """Return a module's input or field for operations that only read its values.

    Tensors that are owed theirs come as new ones, on the array that holds them.
    """
    if isinstance(value, Tensor):
        return _as_computed(value)
    if isinstance(value, Table) and any(map(_lies_elsewhere, value._map.values())):
        return map_tensors(_as_computed, value)
    return value


def _lies_elsewhere(value: Any) -> bool:
    return _as_computed(value) is not value


def _as_computed(value: Any) -> Any:
    if type(value) is not Tensor or value._array is not None or value._node is not None:
        return value
    if not hasattr(value, "_geometry"):
        return value
    array = owed_values(value)
    # A view that is made for reading goes when it was read, and no array stays in the tensor.
    return value.detach() if array is None else Tensor._wrap(array)


def added_later(total: Tensor, term: Tensor) -> bool:
    """Add a gradient to another one where both are owed their values; return whether so."""
    if type(total) is not Tensor or total is term:
        return False
    own, other = owed_values(total), owed_values(term)
    if own is None or other is None or own.shape != other.shape or own.dtype != other.dtype:
        return False
    return owed(total, ops.add(Tensor._wrap(own), Tensor._wrap(other)))


def _copied(tensor: Tensor) -> Tensor:
    array = tensor.array
    if array.ndim < 3 or array.flags.c_contiguous or not holds_alone(array):
        return tensor
    return ops.contiguous(tensor)
