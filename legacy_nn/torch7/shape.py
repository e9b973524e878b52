"""Other sizes for the same elements: expand, repeatTensor, view, reshape, split, chunk.

Source: torch7 Tensor.lua, lib/TH/generic/THTensor.c.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor, contiguous_strides

from .checks import as_int, as_tensor
from .errors import BadArgument, TorchError
from .functions import described, plain
from .memory import (
    dims,
    new_tensor,
    resize,
    set_to,
    shape,
    sizes_of,
    values,
    wrote,
)
from .sizes import size, strides
from .views import narrowed


def _result_first(args: Sequence[Any]) -> tuple[Tensor, Tensor, list[Any]]:
    """Split the arguments of (result, tensor, ...) or (tensor, ...), as Tensor.lua does."""
    first = as_tensor(args[0], 1)
    if len(args) > 1 and isinstance(args[1], Tensor):
        return first, args[1], list(args[2:])
    return new_tensor(first.dtype), first, list(args[1:])


@plain("expand", forms="function method")
def expand(*args: Any) -> Tensor:
    """Return a view in which dimensions of size 1 are repeated."""
    result, tensor, rest = _result_first(args)
    return _expand(result, tensor, sizes_of(rest))


def _expand(result: Tensor, tensor: Tensor, wanted: Sequence[int]) -> Tensor:
    if len(wanted) != dims(tensor):
        raise TorchError("the number of dimensions provided must equal tensor:dim()")
    sizes, steps = list(shape(tensor)), list(strides(tensor))
    for i, n in enumerate(wanted):
        if sizes[i] == 1:
            sizes[i], steps[i] = n, 0
        elif sizes[i] != n:
            raise TorchError("incorrect size: only supporting singleton expansion (size=1)")
    return result.set_(tensor.storage(), tensor.storage_offset(), sizes, steps)


@plain("expandAs", forms="function method")
def expand_as(*args: Any) -> Tensor:
    """Expand to the sizes of another tensor."""
    result, tensor = (args[0], args[1]) if len(args) > 2 else (new_tensor(args[0].dtype), args[0])
    return _expand(result, tensor, shape(as_tensor(args[-1], len(args))))


@plain("repeatTensor", forms="function method")
def repeat_tensor(*args: Any) -> Tensor:
    """Return copies of a tensor laid side by side."""
    result, tensor, rest = _result_first(args)
    counts = sizes_of(rest)
    if len(counts) < dims(tensor):
        raise TorchError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions "
            "of tensor"
        )
    tiled = np.tile(values(tensor), counts)
    resize(result, tiled.shape)
    values(result)[...] = tiled
    return result


_VIEW_FORMS = (
    "torch.view, expected (torch.Tensor, torch.Tensor, number [, number ]*) or\n"
    " (torch.Tensor, torch.Tensor, torch.LongStorage) or\n (torch.Tensor, torch.LongStorage)\n"
    " or (torch.Tensor, number [, number ]*)"
)


@plain("view", forms="function method")
def view_(*args: Any) -> Tensor:
    """Return a contiguous tensor in other sizes, of which one may be -1."""
    result, tensor, rest = _result_first(args)
    numbers = all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in rest)
    if not rest or not (numbers or (len(rest) == 1 and isinstance(rest[0], Storage))):
        raise TorchError(_VIEW_FORMS)
    return _view(result, tensor, list(sizes_of(rest)))


def _view(result: Tensor, tensor: Tensor, sizes: list[int]) -> Tensor:
    if sizes.count(-1) > 1:
        raise TorchError("Only one of torch.view dimensions can be -1.")
    if -1 in sizes:
        covered = -math.prod(sizes)
        if not covered or tensor.size % covered:
            raise TorchError("The number of covered elements is not a multiple of all elements.")
        sizes[sizes.index(-1)] = tensor.size // covered
    if not tensor.is_contiguous():
        raise TorchError("expecting a contiguous tensor")
    if math.prod(sizes) != tensor.size:
        given = "x".join(map(str, shape(tensor)))
        wanted = "x".join(map(str, sizes))
        raise TorchError(f"Wrong size for view. Input size: {given}. Output size: {wanted}")
    if not tensor.size:
        return set_to(result, tensor)
    return result.set_(tensor.storage(), tensor.storage_offset(), sizes, contiguous_strides(sizes))


@plain("viewAs", forms="function method")
def view_as(*args: Any) -> Tensor:
    """View in the sizes of another tensor."""
    result, tensor = (args[0], args[1]) if len(args) > 2 else (new_tensor(args[0].dtype), args[0])
    return _view(result, tensor, list(shape(as_tensor(args[-1], len(args)))))


@described("reshape", "*res=new src sizes:sizes")
def reshape(res: Tensor, src: Tensor, sizes: Sequence[int]) -> None:
    """Copy into other sizes."""
    if math.prod(sizes) != src.size:
        raise TorchError(
            f"inconsistent tensor size, expected {'x'.join(map(str, sizes))} to have the same "
            f"number of elements as {'x'.join(map(str, shape(src)))}"
        )
    resize(res, sizes)
    values(res)[...] = values(src).reshape(tuple(sizes))
    wrote(res, "reshape")


@plain("split", forms="function method")
def split(*args: Any) -> Table:
    """Return a Table of views of `length` along a dimension; the last may be smaller."""
    table, (tensor, length, *rest) = _table_first(args)
    along = as_int(rest[0] if rest and rest[0] is not None else 1, len(args)) - 1
    tensor, length = as_tensor(tensor, 1), as_int(length, 2)
    if not 0 <= along < dims(tensor):
        raise BadArgument(2, f"dimension {along + 1} out of range of {dims(tensor)}D tensor")
    if length < 1:
        raise TorchError("the size of a split must be positive")
    total = shape(tensor)[along]
    for key in list(table.keys()):
        table[key] = None
    for i, start in enumerate(range(0, total, length), 1):
        table[i] = narrowed(tensor, along, start, min(length, total - start))
    return table


@plain("chunk", forms="function method")
def chunk(*args: Any) -> Table:
    """Return a Table of `count` views of about the same size along a dimension."""
    table, (tensor, count, *rest) = _table_first(args)
    along = int(rest[0]) if rest and rest[0] is not None else 1
    total = size(as_tensor(tensor, 1), along)
    return split(table, tensor, math.ceil(total / as_int(count, 2)), along)


def _table_first(args: Sequence[Any]) -> tuple[Table, Sequence[Any]]:
    if args and isinstance(args[0], Table):
        return args[0], args[1:]
    return Table(), args
