"""What memory an array covers: the step from arrays to storages and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .batched import Batched, BatchingError, innermost
from .device import Array, namespace


def address(array: Array) -> int:
    """Return the address of the first element, in bytes."""
    if isinstance(array, np.ndarray):
        return int(array.ctypes.data)
    return int(array.data.ptr)


def strided_view(flat: Array, offset: int, shape: Sequence[int], strides: Sequence[int]) -> Array:
    """Return a view of the contiguous 1-D array `flat`; offset and strides count elements.

    The caller has checked that the view stays inside.
    """
    step = flat.itemsize
    steps = tuple([s * step for s in strides])
    if isinstance(flat, np.ndarray):
        return np.ndarray(shape, flat.dtype, flat, offset * step, steps)
    xp = namespace(flat)
    return xp.lib.stride_tricks.as_strided(flat[offset:], shape, steps)


def flat_memory(array: Array) -> tuple[Array, int]:
    """Return the memory that `array` spans as a 1-D array, and where its first element is.

    Returns
    -------
    flat : array, shape (extent,)
        Every element between the lowest and the highest address of `array`, same memory.
    offset : int
        Index of `array`'s first element in `flat`; not 0 where strides are negative.

    Raises
    ------
    ValueError
        If a stride is not a whole number of elements (a field of a record array).
    BatchingError
        Inside vmap.
    """
    if type(array) is Batched:
        raise BatchingError("inside vmap a batched tensor has no storage of its own")
    xp = namespace(array)
    if array.flags.c_contiguous:
        return array.reshape(-1), 0
    step = array.itemsize
    if any(s % step for s in array.strides):
        raise ValueError("a stride is not a multiple of the item size")
    if array.size == 0:
        return array.reshape(-1), 0
    offset = -sum(
        (n - 1) * s // step for n, s in zip(array.shape, array.strides, strict=True) if s < 0
    )
    extent = 1 + sum(
        (n - 1) * abs(s) // step for n, s in zip(array.shape, array.strides, strict=True)
    )
    lowest = array[tuple(slice(None, None, -1 if s < 0 else 1) for s in array.strides)]
    return xp.lib.stride_tricks.as_strided(lowest, (extent,), (step,)), offset


def shares_memory(a: Array, b: Array) -> bool:
    """Whether `a`, computed from `b`, is a view of it and not a copy."""
    if isinstance(a, np.ndarray) and a.base is not None and (a.base is b or a.base is b.base):
        return True  # the common case, sooner
    if type(a) is Batched or type(b) is Batched:
        return shares_memory(innermost(a), innermost(b))
    return bool(namespace(a).may_share_memory(a, b))


def windows(array: Array, axis: int, size: int, step: int) -> Array:
    """Return a view of the runs of `size` neighbours that start every `step` along `axis`.

    The neighbours are the last dimension. The view is read-only where the library can say so,
    because windows overlap.
    """
    shape, strides = [*array.shape, size], [*array.strides, array.strides[axis]]
    shape[axis] = (shape[axis] - size) // step + 1
    strides[axis] *= step
    view = namespace(array).lib.stride_tricks.as_strided(array, shape, strides)
    if isinstance(view, np.ndarray):
        view.flags.writeable = False
    return view


def diagonal(array: Array, offset: int) -> Array:
    """Return a view of the diagonal of the last two dimensions, as the last dimension.

    Writing into it writes into `array`, which `numpy.diagonal` does not allow.
    """
    *outer, rows, columns = array.shape
    *steps, down, right = array.strides
    count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    first = array[..., max(-offset, 0) :, max(offset, 0) :]
    as_strided = namespace(array).lib.stride_tricks.as_strided
    return as_strided(first, (*outer, count), (*steps, down + right))
