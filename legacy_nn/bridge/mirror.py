"""Where a tensor's elements are, as numbers in memory that Lua reads without calling Python.

A mirror is doubles, the only numbers that Lua reads without making an object: number of
dimensions, number of elements, offset (from 0), address of element 0 of the storage, whether the
tensor is contiguous, then 8 sizes and 8 strides. A tensor without elements has no dimension, as
in Torch7; -1 dimensions mean that Python has to be asked.
"""

from __future__ import annotations

import ctypes
import struct

from rekindle.core import backend
from rekindle.core.backend import CPU
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
    nbytes : int
        Memory that came with the tensor; 0 for a view.
    """

    __slots__ = ("_buffer", "address", "nbytes")

    def __init__(self, tensor: Tensor) -> None:
        self._buffer = _Buffer()
        self.address = ctypes.addressof(self._buffer)
        # A tensor that nobody asked for its storage is alone on its memory.
        self.nbytes = 0 if hasattr(tensor, "_storage") else tensor.nbytes
        self.refresh(tensor)

    def refresh(self, tensor: Tensor) -> None:
        """Write down what the tensor is now."""
        sizes = tensor.shape or (1,)
        strides = tensor.stride() or (1,)
        if 0 in sizes:
            sizes = strides = ()
        buffer = self._buffer
        if len(sizes) > MAX_DIMS or tensor.device != CPU:
            _HEAD.pack_into(buffer, 0, -1, 0, 0, 0, 0)
            return
        offset = tensor.storage_offset()
        start = backend.address(tensor.storage().array)
        contiguous = tensor.is_contiguous()
        count = tensor.size
        _HEAD.pack_into(buffer, 0, len(sizes), count, offset, start, contiguous)
        _DIMS[len(sizes)].pack_into(buffer, _SIZES, *sizes)
        _DIMS[len(sizes)].pack_into(buffer, _STRIDES, *strides)


def mirror_of(tensor: Tensor) -> Mirror:
    """Return the mirror of a tensor, which follows it from now on."""
    found = getattr(tensor, "_mirror", None)
    if isinstance(found, Mirror):
        return found
    mirror = tensor._mirror = Mirror(tensor)
    return mirror
