"""Views of part of a tensor: narrow, select, sub, transpose, unfold, squeeze.

Source: torch7 generic/Tensor.c, lib/TH/generic/THTensor.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rekindle.core.tensor import Tensor

from .checks import as_int
from .errors import BadArgument, TorchError
from .functions import described, plain
from .memory import (
    dims,
    set_to,
    shape,
    sizes_of,
    values,
    view,
    view_of,
)
from .sizes import strides


def same_view(tensor: Tensor) -> Tensor:
    """Return another tensor on the same memory."""
    return view(tensor.storage(), tensor.storage_offset(), shape(tensor), strides(tensor))


def narrowed(tensor: Tensor, dim: int, first: int, count: int) -> Tensor:
    """Return the part of a dimension from `first` on; all numbers count from 0."""
    if not 0 <= dim < dims(tensor):
        raise BadArgument(2, "out of range")
    array = values(tensor)
    if not 0 <= first < array.shape[dim]:
        raise BadArgument(3, "out of range")
    if count <= 0 or first + count > array.shape[dim]:
        raise BadArgument(4, "out of range")
    part = (*(slice(None),) * dim, slice(first, first + count))
    return view_of(tensor, array[part])


def selected(tensor: Tensor, dim: int, index: int) -> Tensor:
    """Return a slice with one dimension less; all numbers count from 0."""
    if dims(tensor) < 2:
        raise BadArgument(1, "cannot select on a vector")
    if not 0 <= dim < dims(tensor):
        raise BadArgument(2, "out of range")
    array = values(tensor)
    if not 0 <= index < array.shape[dim]:
        raise BadArgument(3, "out of range")
    place: Any = (*(slice(None),) * dim, index)
    return view_of(tensor, array[place])


@plain("narrow")
def narrow(self: Tensor, dim: Any = None, first: Any = None, count: Any = None) -> Tensor:
    """Return a view of `count` elements of a dimension, from `first` on."""
    return narrowed(self, as_int(dim, 2) - 1, as_int(first, 3) - 1, as_int(count, 4))


@plain("select")
def select(self: Tensor, dim: Any = None, index: Any = None) -> Any:
    """Return a view with a dimension less; a number of a vector."""
    dim, index = as_int(dim, 2) - 1, as_int(index, 3) - 1
    if dims(self) > 1:
        return selected(self, dim, index)
    if not dims(self):
        raise BadArgument(1, "empty Tensor")
    if not 0 <= index < self.size:
        raise BadArgument(2, "out of range")
    return values(self)[index].item()


@plain("sub")
def sub(self: Tensor, *bounds: Any) -> Tensor:
    """Return a view of ranges of the first dimensions; negative bounds count from the end."""
    result = self
    for i in range(0, max(len(bounds), 2), 2):
        position = i + 2
        dim = i // 2
        first = as_int(bounds[i] if i < len(bounds) else None, position) - 1
        last = as_int(bounds[i + 1] if i + 1 < len(bounds) else None, position + 1) - 1
        if dim >= dims(self):
            raise BadArgument(position, "invalid dimension")
        length = shape(self)[dim]
        first += length + 1 if first < 0 else 0
        last += length + 1 if last < 0 else 0
        if not 0 <= first < length:
            raise BadArgument(position, "out of range")
        if not 0 <= last < length:
            raise BadArgument(position + 1, "out of range")
        if last < first:
            raise BadArgument(position + 1, "end smaller than beginning")
        result = narrowed(result, dim, first, last - first + 1)
    return result


def transposed(tensor: Tensor, a: int, b: int) -> Tensor:
    """Return a view with two dimensions, from 0, exchanged."""
    for dim in (a, b):
        if not 0 <= dim < dims(tensor):
            raise BadArgument(1, "out of range")
    return view_of(tensor, values(tensor).swapaxes(a, b))


@plain("transpose")
def transpose(self: Tensor, a: Any = None, b: Any = None) -> Tensor:
    """Return a view with two dimensions exchanged."""
    return transposed(self, as_int(a, 2) - 1, as_int(b, 3) - 1)


@plain("t")
def t(self: Tensor) -> Tensor:
    """Return the transpose of a matrix, a view."""
    if dims(self) != 2:
        raise BadArgument(1, "Tensor must have 2 dimensions")
    return transposed(self, 0, 1)


@plain("permute", forms="function method")
def permute(self: Tensor, *order: Any) -> Tensor:
    """Return a view whose dimension i is dimension `order[i]` of this tensor."""
    order = sizes_of(order)
    if sorted(order) != list(range(1, dims(self) + 1)):
        raise TorchError("Invalid permutation")
    sizes, steps = shape(self), strides(self)
    return view(
        self.storage(),
        self.storage_offset(),
        [sizes[i - 1] for i in order],
        [steps[i - 1] for i in order],
    )


@plain("unfold")
def unfold(self: Tensor, dim: Any = None, length: Any = None, step: Any = None) -> Tensor:
    """Return a view of all windows along a dimension, as a last dimension more."""
    dim, length, step = as_int(dim, 2) - 1, as_int(length, 3), as_int(step, 4)
    if not dims(self):
        raise BadArgument(1, "cannot unfold an empty tensor")
    if not 0 <= dim < dims(self):
        raise BadArgument(2, "out of range")
    sizes, steps = list(shape(self)), list(strides(self))
    if length > sizes[dim]:
        raise BadArgument(3, "out of range")
    if step <= 0:
        raise BadArgument(4, "invalid step")
    sizes.append(length)
    steps.append(steps[dim])
    sizes[dim] = (sizes[dim] - length) // step + 1
    steps[dim] *= step
    return view(self.storage(), self.storage_offset(), sizes, steps)


@described("squeeze", "*res=new src")
def squeeze(res: Tensor, src: Tensor) -> Any:
    """Drop the dimensions of size 1; one element comes as a number."""
    kept = [(n, s) for n, s in zip(shape(src), strides(src), strict=True) if n != 1]
    if src.size and not kept:
        kept = [(1, 1)]
    _set_view(res, src, kept)
    if src.size == 1:
        return values(res)[0].item()
    return res


@described("squeeze", "*res=new src dim:index")
def squeeze_dim(res: Tensor, src: Tensor, dim: int) -> Any:
    """Drop one dimension if its size is 1."""
    if not 0 <= dim < dims(src):
        raise BadArgument(3, "dimension out of range")
    kept = list(zip(shape(src), strides(src), strict=True))
    if kept[dim][0] == 1 and len(kept) > 1:
        del kept[dim]
    _set_view(res, src, kept)
    if dims(src) == 1 and src.size == 1:
        return values(res)[0].item()
    return res


def _set_view(res: Tensor, src: Tensor, kept: Sequence[tuple[int, int]]) -> None:
    if kept:
        sizes, steps = zip(*kept, strict=True)
        res.set_(src.storage(), src.storage_offset(), sizes, steps)
    else:
        set_to(res, src)
