"""Which arrays the kernels take, and how they see them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...backend import empty
from ..copying import copy_into
from ..dispatch import Declined

Array = Any

SINGLE = np.dtype(np.float32)
DOUBLE = np.dtype(np.float64)


def other_dtype(array: Array) -> Declined:
    """Return why an array of this dtype is the reference's."""
    return Declined(f"dtype {array.dtype}")


OTHER_AXES = Declined("axes that are not the last")


def lines(*arrays: Array) -> tuple[list[Array], Array, Array]:
    """Return arrays of one shape as 1-D views with the same elements at the same places.

    Where they are laid out in different ways, some are copied.

    Returns
    -------
    views : list of array
    out : array
        A new array of their shape and the dtype of the first, laid out as they are.
    line : array
        `out` as a 1-D view.
    """
    first = arrays[0]
    order = None
    if not any(a.flags.c_contiguous for a in arrays):
        order = _order(first)
        if any(a.strides != first.strides for a in arrays[1:]):
            order = None
    if order is None:
        out = empty(first.shape, first.dtype)
        return [np.ascontiguousarray(a).reshape(-1) for a in arrays], out, out.reshape(-1)
    out = empty(first.shape, first.dtype, first.strides)
    return (
        [a.transpose(order).reshape(-1) for a in arrays],
        out,
        out.transpose(order).reshape(-1),
    )


def _order(array: Array) -> list[int] | None:
    """Return the order of axes in which an array is contiguous, None where it has gaps."""
    order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    return order if array.transpose(order).flags.c_contiguous else None


def rows(array: Array, axes: tuple[int, ...]) -> Array | None:
    """Return a contiguous 2-D view or copy whose rows are what lies along the last axes.

    None where `axes` are others, or nothing is there.
    """
    ndim = array.ndim
    if array.size == 0 or sorted(axis % ndim for axis in axes) != [*range(ndim - len(axes), ndim)]:
        return None
    return np.ascontiguousarray(array).reshape(-1, prod(array.shape[ndim - len(axes) :]))


def images_in_order(x: Array, last: bool) -> Array:
    """Return images without gaps, channels-last or row-major: x itself where it lies so."""
    if (np.moveaxis(x, 1, -1) if last else x).flags.c_contiguous:
        return x
    return copy_into(np, new_images(x.shape, x.dtype, last), x)


def new_images(shape: tuple[int, ...], dtype: Any, last: bool) -> Array:
    """Return new images with arbitrary contents, channels-last or row-major."""
    if not last:
        return empty(shape, dtype)
    strides, step = [0] * len(shape), np.dtype(dtype).itemsize
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        strides[axis] = step
        step *= shape[axis]
    return empty(shape, dtype, strides)
