"""Where a tensor's elements are, as numbers in memory that Lua reads without calling Python.

A mirror is doubles, the only numbers that Lua reads without making an object: number of
dimensions, number of elements, address of the first element, whether the tensor is contiguous,
then 8 sizes and 8 strides. A tensor without elements has no dimension, as in Torch7; -1
dimensions mean that Python has to be asked.
"""

from __future__ import annotations

import ctypes
import struct

import numpy as np

from rekindle.core.tensor import Tensor

MAX_DIMS = 8
_HEAD = struct.Struct("=4d")
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

    __slots__ = ("_buffer", "address")

    def __init__(self, tensor: Tensor) -> None:
        self._buffer = _Buffer()
        self.address = ctypes.addressof(self._buffer)
        self.refresh(tensor)

    def refresh(self, tensor: Tensor) -> None:
        """Write down what the tensor is now."""
        array, buffer = tensor.array, self._buffer
        sizes = array.shape or (1,)
        if not isinstance(array, np.ndarray) or len(sizes) > MAX_DIMS:
            _HEAD.pack_into(buffer, 0, -1, 0, 0, 0)
            return
        if 0 in sizes:
            _HEAD.pack_into(buffer, 0, 0, 0, 0, True)
            return
        size, dims = array.itemsize, _DIMS[len(sizes)]
        start = array.__array_interface__["data"][0]
        _HEAD.pack_into(buffer, 0, len(sizes), array.size, start, array.flags.c_contiguous)
        dims.pack_into(buffer, _SIZES, *sizes)
        dims.pack_into(buffer, _STRIDES, *([s // size for s in array.strides] or (1,)))


def mirror_address(tensor: Tensor) -> int:
    """Return where the mirror of a tensor is, which follows the tensor from now on."""
    found = getattr(tensor, "_mirror", None)
    if not isinstance(found, Mirror):
        found = tensor._mirror = Mirror(tensor)
    return found.address
