"""The memory of a tensor: resize, set, clone, copy.

Source: torch7 generic/Tensor.c, lib/TH/generic/THTensor.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.resizing import resize_storage
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor, contiguous_strides

from .checks import as_int, as_storage, as_tensor
from .errors import BadArgument, TorchError
from .functions import plain
from .memory import (
    new_tensor,
    resize,
    set_to,
    shape,
    sizes_of,
    values,
    view,
    wrote,
)
from .views import same_view


@plain("resize")
def resize_(self: Tensor, *sizes: Any) -> Tensor:
    """Give the tensor these sizes; contents are undefined where it grows."""
    steps = None
    if len(sizes) == 2 and isinstance(sizes[0], Storage):
        if sizes[1] is not None:
            steps = as_storage(sizes[1], 3).tolist()
            if len(steps) != sizes[0].size:
                raise BadArgument(3, "provided stride and size are inconsistent")
        sizes = sizes[:1]
    elif not (len(sizes) == 1 and isinstance(sizes[0], Storage)):
        sizes = tuple(as_int(n, i) for i, n in enumerate(sizes, 2))
    return resize(self, sizes_of(sizes), steps)


@plain("resizeAs")
def resize_as_(self: Tensor, other: Any) -> Tensor:
    """Give the tensor the sizes of another."""
    return resize(self, shape(as_tensor(other, 2)))


@plain("set")
def set_(self: Tensor, *args: Any) -> Tensor:
    """Make the tensor view other memory: a tensor's, a storage's, or new."""
    made = make_tensor(self.dtype, args, 2)
    return set_to(self, made)


def make_tensor(dtype: Any, args: Sequence[Any], position: int = 1) -> Tensor:
    """Return a tensor on a tensor's or a storage's memory, or of given sizes.

    Source: torch7 generic/Tensor.c, c_readTensorStorageSizeStride.
    """
    if not args:
        return new_tensor(dtype)
    first = args[0]
    if isinstance(first, Tensor) and first.dtype == dtype:
        return same_view(first) if first.size else new_tensor(dtype)
    if isinstance(first, Storage) and first.dtype == dtype:
        return _on_storage(first, args[1:], position)
    if isinstance(first, Storage) and first.dtype.char == "l":
        steps = args[1].tolist() if len(args) > 1 and args[1] is not None else None
        return resize(new_tensor(dtype), first.tolist(), steps)
    if isinstance(first, (int, float)) and not isinstance(first, bool):
        return resize(new_tensor(dtype), [as_int(n, i) for i, n in enumerate(args, position)])
    name = tensor_class(dtype)
    raise BadArgument(
        position, f"expecting number or {name} or {name.replace('Tensor', 'Storage')}"
    )


def _on_storage(storage: Storage, rest: Sequence[Any], position: int) -> Tensor:
    offset = as_int(rest[0], position + 1) - 1 if rest and rest[0] is not None else 0
    if len(rest) < 2:
        return view(storage, offset, (storage.size - offset,) if storage.size > offset else ())
    if isinstance(rest[1], Storage):
        sizes = rest[1].tolist()
        steps = rest[2].tolist() if len(rest) > 2 and rest[2] is not None else None
    else:
        numbers = [as_int(n, i) for i, n in enumerate(rest[1:], position + 2)]
        sizes, given = numbers[0::2], numbers[1::2]
        steps = given + [-1] * (len(sizes) - len(given))
    made = view(storage, offset, ())
    if any(n <= 0 for n in sizes):
        sizes = sizes[: next(i for i, n in enumerate(sizes) if n <= 0)]
    if not sizes:
        return made
    full = list(contiguous_strides(sizes))
    if steps is not None:
        for i in reversed(range(len(sizes))):
            following = full[i + 1] * sizes[i + 1] if i + 1 < len(sizes) else 1
            full[i] = steps[i] if steps[i] >= 0 else following
    needed = offset + 1 + sum((n - 1) * s for n, s in zip(sizes, full, strict=True))
    if needed > storage.size:
        resize_storage(storage, needed)
    return view(storage, offset, sizes, full)


@plain("clone")
def clone(self: Tensor) -> Tensor:
    """Return a copy in memory of its own."""
    if not self.size:
        return new_tensor(self.dtype)
    return Tensor._wrap(np.array(values(self), order="C"))


@plain("contiguous")
def contiguous_(self: Tensor) -> Tensor:
    """Return the tensor if it is contiguous, else a copy."""
    return self if self.is_contiguous() else clone(self)


@plain("copy")
def copy(self: Tensor, other: Any) -> Tensor:
    """Copy the elements of a tensor with as many of them, of any type and sizes."""
    other = as_tensor(other, 2)
    if self.size != other.size:
        sizes = [f"[{' x '.join(map(str, shape(x)))}]" for x in (self, other)]
        raise TorchError(
            f"inconsistent tensor size, expected tensor {sizes[0]} and src {sizes[1]} to have "
            f"the same number of elements, but got {self.size} and {other.size} elements "
            "respectively"
        )
    if self.size:
        target = values(self)
        target[...] = cast(values(other), self.dtype).reshape(target.shape)
        wrote(self, "copy")
    return self


def cast(array: Any, dtype: Any) -> Any:
    """Return elements converted as C converts them: towards zero, wrapping."""
    if array.dtype == dtype or array.dtype.kind != "f" or dtype.kind == "f":
        return array.astype(dtype, copy=False)
    with np.errstate(invalid="ignore"):
        return array.astype(np.int64).astype(dtype)
