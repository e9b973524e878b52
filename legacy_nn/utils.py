"""nn.utils: what Torch7's modules do with tensors and tables of them.

Source: torch/nn utils.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor, contiguous_strides

from . import clearing
from .conversion import recursive_type as recursiveType
from .errors import ArgumentError
from .values import as_torch

__all__ = [
    "addSingletonDimension",
    "clear",
    "contiguousView",
    "recursiveAdd",
    "recursiveCopy",
    "recursiveFill",
    "recursiveResizeAs",
    "recursiveType",
]


def recursiveResizeAs(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Give the tensors of `t1` the sizes of those of `t2`; return both.

    Tensors that are missing in `t1` are made, and entries that `t2` lacks removed.
    """
    if isinstance(t2, Table):
        table = t1 if isinstance(t1, Table) else Table([t1] if t1 is not None else None)
        for key in list(t2.keys()):
            table[key], t2[key] = recursiveResizeAs(table.get(key), t2[key])
        for key in [k for k in table.keys() if k not in t2]:  # noqa: SIM118  # a Table is no dict
            table[key] = None
        return table, t2
    _tensor_or_table(t2, t2)
    own = t1 if isinstance(t1, Tensor) else empty(0, t2.dtype, t2.device)
    return _resized(own, t2.shape), t2


def recursiveFill(t2: Any, val: float) -> Any:
    """Set all elements to `val`; return what was given."""
    if isinstance(t2, Table):
        for value in t2.values():
            recursiveFill(value, val)
        return t2
    _tensor_or_table(t2, t2)
    return _written(t2, lambda t: t.fill_(val))


def recursiveAdd(t1: Any, val: Any, t2: Any = None) -> tuple[Any, Any]:
    """Add `val` times `t2`, or `val` itself where that is all, to `t1`; return both."""
    if t2 is None:
        val, t2 = 1, val
    if isinstance(t2, Table):
        table = t1 if isinstance(t1, Table) else Table([t1])
        for key in list(t2.keys()):
            table[key], t2[key] = recursiveAdd(table.get(key), val, t2[key])
        return table, t2
    _tensor_or_table(t1, t2)
    return _written(t1, lambda t: t.add_(t2 * val)), t2


def recursiveCopy(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Give the tensors of `t1` the sizes and elements of those of `t2`; return both."""
    if isinstance(t2, Table):
        table = t1 if isinstance(t1, Table) else Table([t1] if t1 is not None else None)
        for key in list(t2.keys()):
            table[key], t2[key] = recursiveCopy(table.get(key), t2[key])
        return table, t2
    _tensor_or_table(t2, t2)
    own = t1 if isinstance(t1, Tensor) else empty(0, t2.dtype, t2.device)
    return _written(_resized(own, t2.shape), lambda t: t.copy_(t2)), t2


def addSingletonDimension(*args: Any) -> Tensor:
    """Return a view of a tensor with one dimension of size 1 more.

    Parameters
    ----------
    view : Tensor, optional
        What becomes the view; without it a new tensor does.
    t : Tensor
    dim : int, default 1
        The new dimension, from 1. It must be given where `view` is.

    Raises
    ------
    ArgumentError
        If there is no such place.
    """
    view = args[0] if len(args) == 3 else None
    t, dim = (*args[len(args) == 3 :], 1)[:2]
    _tensor_or_table(t)
    if not 1 <= dim <= t.ndim + 1:
        raise ArgumentError(f"invalid dimension: {dim}. Tensor is of {t.ndim} dimensions.")
    shape, strides = list(t.shape), list(t.stride())
    shape.insert(dim - 1, 1)
    strides.insert(dim - 1, 1)
    if view is None:
        return Tensor.view_of(t.storage(), t.storage_offset(), shape, strides)
    _tensor_or_table(view)
    viewed: Tensor = view.set_(t.storage(), t.storage_offset(), shape, strides)
    return viewed


def contiguousView(output: Tensor | None, input: Tensor, *size: Any) -> Tensor:
    """Return `input` in the shape `size`: a view where it is contiguous, else a copy.

    `output`, where it is a tensor, becomes what is returned, and holds the copy.
    """
    shape = tuple(size[0].tolist()) if len(size) == 1 and isinstance(size[0], Storage) else size
    viewed = input.detach()
    if not input.is_contiguous():
        own = empty(0, input.dtype, input.device) if output is None else output
        viewed = _written(_resized(own, input.shape), lambda t: t.copy_(input)).detach()
    viewed = viewed.reshape(*shape)
    return viewed if output is None else output.set_(viewed)


def clear(owner: Any, *names: Any) -> Any:
    """Empty fields of a module: tensors themselves, tables by new ones; remove others.

    The names may be those of a table. Returns the module.
    """
    if names and isinstance(names[0], (Table, list, tuple)):
        names = tuple(names[0].array() if isinstance(names[0], Table) else names[0])
    return clearing.clear(owner, *names)


def _resized(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Give a tensor a shape as Torch7's `resize` does: in its own storage where that is enough."""
    if tensor.shape == shape and tensor.is_contiguous():
        return tensor
    fresh = empty(shape, tensor.dtype, tensor.device)
    if tensor.storage().size >= fresh.size:
        return tensor.set_(tensor.storage(), 0, shape, contiguous_strides(shape))
    return tensor.set_(fresh)


def _written(tensor: Tensor, write: Callable[[Tensor], Any]) -> Tensor:
    with as_torch():
        write(tensor.detach())
    return tensor


def _tensor_or_table(*values: Any) -> None:
    if not all(isinstance(value, Tensor) for value in values):
        kinds = " and ".join(type(value).__name__ for value in values)
        raise ArgumentError(f"expecting nested tensors or tables. Got {kinds} instead")
