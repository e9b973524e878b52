"""What a tensor is: its sizes, strides and storage.

Source: torch7 generic/Tensor.c, Tensor.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .checks import as_storage, as_tensor
from .errors import BadArgument
from .functions import plain
from .memory import (
    dims,
    long_storage,
    shape,
)


@plain("dim", "nDimension")
def dim(self: Tensor) -> int:
    """Return the number of dimensions."""
    return dims(self)


@plain("size", "__len")
def size(self: Tensor, dim: int | None = None, *_: Any) -> Any:
    """Sizes as a LongStorage, or that of one dimension."""
    return _sizes_or_one(self, shape(self), dim)


@plain("stride")
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Strides as a LongStorage, or that of one dimension."""
    return _sizes_or_one(self, strides(self), dim)


def strides(tensor: Tensor) -> tuple[int, ...]:
    """Return the strides, of as many dimensions as Torch7 counts."""
    return (tensor.stride() or (1,)) if dims(tensor) else ()


def _sizes_or_one(self: Tensor, numbers: Sequence[int], dim: Any) -> Any:
    if isinstance(dim, (int, float)):
        if not 1 <= dim <= len(numbers):
            raise BadArgument(2, f"dimension {int(dim)} out of range of {len(numbers)}D tensor")
        return numbers[int(dim) - 1]
    return long_storage(numbers)


@plain("nElement")
def n_element(self: Tensor) -> int:
    """Return the number of elements."""
    return self.size


@plain("elementSize")
def element_size(self: Tensor) -> int:
    """Bytes of an element."""
    return self.dtype.itemsize


@plain("storage")
def storage(self: Tensor) -> Storage | None:
    """Return the storage that the tensor views; none where there never was one."""
    found = self.storage()
    return found if found.size else None


@plain("storageOffset")
def storage_offset(self: Tensor) -> int:
    """Return which element of the storage is the first, from 1."""
    return self.storage_offset() + 1


@plain("isContiguous")
def is_contiguous(self: Tensor) -> bool:
    """Whether the elements lie in row-major order without gaps."""
    return self.is_contiguous()


@plain("isSameSizeAs")
def is_same_size_as(self: Tensor, other: Any) -> bool:
    """Whether the other tensor has the same sizes."""
    return shape(self) == shape(as_tensor(other, 2))


@plain("isSize")
def is_size(self: Tensor, sizes: Any) -> bool:
    """Whether the sizes are those of a LongStorage."""
    return shape(self) == tuple(as_storage(sizes, 2).tolist())


@plain("isSetTo")
def is_set_to(self: Tensor, other: Any) -> bool:
    """Whether both are the same view of the same storage."""
    other = as_tensor(other, 2)
    return (
        bool(self.size)
        and self.storage() is other.storage()
        and self.storage_offset() == other.storage_offset()
        and shape(self) == shape(other)
        and strides(self) == strides(other)
    )
