"""Where a tensor's elements are, as numbers in memory that Lua reads without calling Python.

A mirror is doubles, the only numbers that Lua reads without making an object: number of
dimensions, number of elements, address of the first element, whether the tensor is contiguous,
how often this was written down, then 8 sizes and 8 strides. A tensor without elements has no
dimension, as in Torch7; -1 dimensions mean that Python has to be asked.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import numpy as np

from rekindle.core.autograd.versions import expose
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

MAX_DIMS = 8
_HEAD = struct.Struct("=5d")
_DIMS = {n: struct.Struct(f"={n}d") for n in range(MAX_DIMS + 1)}
_SIZES = _HEAD.size
_STRIDES = _SIZES + 8 * MAX_DIMS
_TOTAL = _STRIDES + 8 * MAX_DIMS
_Buffer = ctypes.c_char * _TOTAL


class Mirror:
    """The numbers of one tensor.

    Attributes
    ----------
    address : int
        Where they are.
    """

    __slots__ = ("_buffer", "_count", "address")

    def __init__(self, tensor: Tensor) -> None:
        self._buffer = _Buffer()
        self.address = ctypes.addressof(self._buffer)
        self._count = 0
        self.refresh(tensor)

    def refresh(self, tensor: Tensor) -> None:
        """Write down what the tensor is now."""
        array, buffer = tensor.array, self._buffer
        self._count += 1
        sizes = array.shape or (1,)
        if not isinstance(array, np.ndarray) or len(sizes) > MAX_DIMS:
            _HEAD.pack_into(buffer, 0, -1, 0, 0, 0, self._count)
            return
        if 0 in sizes:
            _HEAD.pack_into(buffer, 0, 0, 0, 0, True, self._count)
            return
        size, dims = array.itemsize, _DIMS[len(sizes)]
        start = array.__array_interface__["data"][0]
        head = len(sizes), array.size, start, array.flags.c_contiguous, self._count
        _HEAD.pack_into(buffer, 0, *head)
        dims.pack_into(buffer, _SIZES, *sizes)
        dims.pack_into(buffer, _STRIDES, *([s // size for s in array.strides] or (1,)))


def mirror_address(tensor: Tensor) -> int:
    """Return where the mirror of a tensor is, which follows the tensor from now on."""
    found = getattr(tensor, "_mirror", None)
    if not isinstance(found, Mirror):
        found = tensor._mirror = Mirror(tensor)
        expose(tensor._version)
    return found.address


Memory = tuple[Storage, Any]
"""A storage, and the array that it had when Lua made rows of a tensor on it."""


def memory_of(tensor: Tensor) -> Memory:
    """Return what must stay alive while Lua reads rows of a tensor as it is now."""
    storage = tensor.storage()
    return storage, storage.array


def row(memory: Memory, address: int, *geometry: int) -> Tensor:
    """Return the tensor that a row made by Lua stands for.

    Parameters
    ----------
    memory : Memory
    address : int
        Of the row's first element.
    *geometry : int
        Its sizes, then its strides.
    """
    storage, array = memory
    if storage.array is not array:  # it has been resized, and lies elsewhere now
        storage = Storage(array)
    offset = (address - array.__array_interface__["data"][0]) // array.itemsize
    dims = len(geometry) // 2
    return Tensor.view_of(storage, offset, geometry[:dims], geometry[dims:])
