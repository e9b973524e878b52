"""The memory of tensors as Torch7 sees it: sizes, resizing in place, storages that grow.

A tensor without elements has no dimension in Torch7; sizes of 0 do not exist.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.autograd.versions import count_write
from rekindle.core.dtypes import Dtype
from rekindle.core.resizing import resize_storage
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor, contiguous_strides

from .errors import TorchError

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def new_tensor(dtype: Dtype) -> Tensor:
    """Return an empty tensor."""
    return Tensor._wrap(np.empty(0, dtype))


def wrap(array: Array) -> Tensor:
    """Return a tensor on an array that nothing else views; numbers become one element."""
    return Tensor._wrap(array if array.ndim else array.reshape(1))


def shape(tensor: Tensor) -> Shape:
    """Return the sizes of the dimensions; none for a tensor without elements."""
    sizes = tensor.shape
    if 0 in sizes:
        return ()
    return sizes or (1,)


def dims(tensor: Tensor) -> int:
    """Return the number of dimensions; 0 for a tensor without elements."""
    return len(shape(tensor))


def size_text(tensor: Tensor) -> str:
    """Return the sizes as messages give them: "[2 x 3]"."""
    return f"[{' x '.join(map(str, shape(tensor)))}]"


def convert_number(value: float, dtype: Dtype) -> Any:
    """Return a number as C converts it to an element: integers drop the fraction and wrap."""
    if dtype.kind == "f":
        return float(value)
    # -2^63 is what x86 makes of a number that no integer can hold
    whole = int(value) if math.isfinite(value) else -(2**63)
    bits = 8 * dtype.itemsize
    whole &= (1 << bits) - 1
    return whole - (1 << bits) if dtype.kind == "i" and whole >> (bits - 1) else whole


def sizes_of(args: Sequence[Any]) -> Shape:
    """Return the sizes that a LongStorage, or numbers, stand for."""
    if len(args) == 1 and isinstance(args[0], Storage):
        return tuple(args[0].tolist())
    return tuple(int(n) for n in args)


def long_storage(values: Sequence[int]) -> Storage:
    """Return a LongStorage of these numbers."""
    return Storage(np.array(values, np.int64))


def resize(tensor: Tensor, sizes: Sequence[int], strides: Sequence[int] | None = None) -> Tensor:
    """Give the tensor these sizes in its own storage, which grows where it must.

    Where the sizes are right already nothing changes, not even a tensor's gaps. Negative
    strides stand for those of row-major order.

    Source: torch7 lib/TH/generic/THTensor.c, rawResize.
    """
    sizes = tuple(sizes)
    if any(n <= 0 for n in sizes):
        sizes = sizes[: next(i for i, n in enumerate(sizes) if n <= 0)]
    if not sizes:
        if tensor.size:
            tensor.set_(tensor.storage(), tensor.storage_offset(), (0,), (1,))
        return tensor
    if strides is None and shape(tensor) == sizes:
        return tensor
    if strides is None and _is_new(tensor):
        tensor._array = np.empty(sizes, tensor._array.dtype)
        return tensor
    steps = list(contiguous_strides(sizes))
    if strides is not None:
        for i in reversed(range(len(sizes))):
            following = steps[i + 1] * sizes[i + 1] if i + 1 < len(sizes) else 1
            steps[i] = strides[i] if strides[i] >= 0 else following
    storage, offset = tensor.storage(), tensor.storage_offset()
    needed = offset + 1 + sum((n - 1) * s for n, s in zip(sizes, steps, strict=True))
    if needed > storage.size:
        resize_storage(storage, needed)
    return tensor.set_(storage, offset, sizes, steps)


def _is_new(tensor: Tensor) -> bool:
    """Whether a tensor is as `new_tensor` made it: nothing else can know its memory."""
    return (
        tensor._node is None
        and tensor._array is not None
        and not tensor._array.size
        and not hasattr(tensor, "_storage")
        and not hasattr(tensor, "_mirror")
    )


def resize_as(tensor: Tensor, other: Tensor) -> Tensor:
    """Give the tensor the sizes of another."""
    return resize(tensor, shape(other))


def view(
    storage: Storage, offset: int, sizes: Sequence[int], strides: Sequence[int] | None = None
) -> Tensor:
    """Return a tensor on a part of a storage; the offset counts from 0."""
    if not sizes:
        return Tensor.view_of(storage, 0, (0,), (1,))
    return Tensor.view_of(
        storage, offset, sizes, contiguous_strides(sizes) if strides is None else strides
    )


def view_of(tensor: Tensor, array: Array) -> Tensor:
    """Return a tensor on `array`, which is a part of the memory of `tensor`."""
    found = Tensor._wrap(array)
    found._storage, found._version = tensor.storage(), tensor._version
    return found


def set_to(tensor: Tensor, other: Tensor) -> Tensor:
    """Make a tensor view what another views."""
    if tensor is not other:
        tensor.set_(other)
    return tensor


def values(tensor: Tensor) -> Array:
    """Return the elements as an array of one dimension or more."""
    array: Array = tensor.array
    return array if array.ndim else array.reshape(1)


def wrote(tensor: Tensor, name: str) -> None:
    """Count a write into a tensor's elements."""
    count_write(tensor._version, name)


def store(tensor: Tensor, array: Any, name: str) -> None:
    """Make `array` the contents of a tensor, in its own memory and type."""
    array = np.asarray(array)
    resize(tensor, array.shape or (1,))
    if array.size:
        values(tensor)[...] = array
    wrote(tensor, name)


def contiguous(tensor: Tensor) -> Tensor:
    """Return the tensor, or a copy in row-major order."""
    if tensor.is_contiguous():
        return tensor
    return wrap(np.ascontiguousarray(values(tensor)))


def same_count(name_sizes: Sequence[tuple[str, Tensor]]) -> None:
    """Check that tensors have the same number of elements, whatever their sizes.

    Raises
    ------
    TorchError

    Source: torch7 lib/TH/THGeneral.c, THError messages of the pointwise functions.
    """
    counts = [t.size for _, t in name_sizes]
    if len(set(counts)) > 1:
        texts = [f"{name} {size_text(t)}" for name, t in name_sizes]
        listed = ", ".join(texts[:-1]) + f" and {texts[-1]}"
        numbers = ", ".join(map(str, counts[:-1])) + f" and {counts[-1]}"
        raise TorchError(
            f"inconsistent tensor size, expected {listed} to have the same number of elements, "
            f"but got {numbers} elements respectively"
        )
