"""Sums and means whose rounding errors do not grow with the number of rows.

NumPy adds pairwise along the dimension that is innermost in memory, and row to row along the
others, where the sum of 400,000 rows of float32 is wrong in its fifth digit. Here rows are added
in groups of a fixed number, and then the sums of groups in the same way. Several rows make one
line for that, since short rows take longer to begin than to add.
"""

from __future__ import annotations

from math import inf, prod
from typing import Any

import numpy as np
from numpy import ndarray

from .checks import Array

LEAST = 1 << 14
"""Elements from which on it pays to ask how an array lies in memory."""

ROWS = 512
"""So many may be added one after the other: an error of a few units in the last place."""

_GROUP = 128
"""Lines that are added one after the other where there are more."""

_LINE = 2048
"""Elements that a line has about, of short rows."""

_LONG = 4096
"""Products that may be added to the numbers of one vector register."""

_LANES = 8
"""Numbers of float32 that it holds."""

Axis = int | tuple[int, ...] | None


def total(
    xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False, dtype: Any = None
) -> Array:
    """Return the sum over one, several or all axes.

    Parameters
    ----------
    x : array
    axis : int, tuple of int or None
    keepdims : bool
        Whether summed axes stay with size 1.
    dtype : dtype, optional
        To sum in what is not floating. Of NumPy's arrays float16 is summed in float32.
    """
    if type(x) is not ndarray or x.dtype.kind != "f":
        return xp.sum(x, axis=axis, keepdims=keepdims, dtype=dtype)
    if x.size >= LEAST:
        found = in_groups((x,), axis, keepdims)
        if found is not None:
            return found.astype(x.dtype, copy=False)
    if x.dtype.char == "e":
        return np.asarray(x.sum(axis, np.float32, keepdims=keepdims)).astype(x.dtype)
    return x.sum(axis, keepdims=keepdims)


def mean(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the arithmetic mean over one, several or all axes.

    Parameters
    ----------
    x : array
    axis : int, tuple of int or None
    keepdims : bool
        Whether the axes stay with size 1.
    """
    if type(x) is ndarray and x.size >= LEAST and x.dtype.kind == "f":
        found = in_groups((x,), axis, keepdims)
        if found is not None:
            found /= x.size // found.size
            return found.astype(x.dtype, copy=False)
    return xp.mean(x, axis=axis, keepdims=keepdims)


def in_groups(arrays: tuple[Any, ...], axis: Axis, keepdims: bool) -> Any:
    """Return the sums of an array, or of the products of two, whose rows are added in groups.

    Parameters
    ----------
    arrays : tuple of one or two ndarrays, floating, of one shape and dtype
    axis : int, tuple of int or None
    keepdims : bool

    Returns
    -------
    ndarray or None
        In float32 for float16; None where NumPy's own sums are as good.
    """
    x = arrays[0]
    ndim, sizes, in_order = x.ndim, x.shape, x.flags.c_contiguous
    if axis is None:
        if in_order:
            return None
        axes = [*range(ndim)]
    elif isinstance(axis, tuple):
        axes = [a + ndim if a < 0 else a for a in axis]
    else:
        axes = [axis + ndim if axis < 0 else axis]
    order = [*range(ndim)]
    if not in_order:  # from the outermost dimension in memory to the innermost
        order.sort(key=lambda a: -abs(x.strides[a]) if sizes[a] != 1 else -inf)
    rows, last = 1, order[-1]
    for a in axes:
        if not 0 <= a < ndim:
            return None  # NumPy says what is wrong
        if a != last:
            rows *= sizes[a]
        elif len(arrays) > 1 and sizes[a] > _LONG:  # products are not added pairwise
            rows *= sizes[a] // _LANES
    if rows <= ROWS or len({*axes}) < len(axes):
        return None
    moved = [a.transpose(order) for a in arrays]
    merges = all(a.flags.c_contiguous for a in moved)
    lengths, summed = [1], [False]
    for a in order:  # neighbours in memory of which all or none are summed are one dimension
        if merges and (a in axes) is summed[-1]:
            lengths[-1] *= sizes[a]
        else:
            lengths.append(sizes[a])
            summed.append(a in axes)
    moved = [a.reshape(lengths) for a in moved]
    for place in range(len(lengths) - 1, 0, -1):
        if summed[place]:
            moved = [_along(moved, place)]
    kept = [a for a in order if keepdims or a not in axes]
    found = moved[0].reshape([1 if a in axes else sizes[a] for a in kept])
    return found if in_order else found.transpose(np.argsort(kept))


def _along(arrays: list[Any], axis: int) -> Any:
    """Return the sums along one dimension, which stays with size 1."""
    shape = arrays[0].shape
    rows, before, after = shape[axis], shape[:axis], shape[axis + 1 :]
    width = prod(after)
    if width <= 1 and len(arrays) > 1 and rows > _LONG:
        pieces = [np.split(a, [rows - rows % _LINE], axis=axis) for a in arrays]
        whole = [a.reshape(*before, rows // _LINE, _LINE, *after) for a, _ in pieces]
        return _along([_added(whole, axis + 1)], axis) + _along([a for _, a in pieces], axis)
    if rows <= ROWS or width <= 1:
        return _added(arrays, axis).reshape(*before, 1, *after)
    per_line = min(max(_LINE // width, 1), rows // _GROUP)
    groups = rows // (_GROUP * per_line)
    grouped = groups * _GROUP * per_line
    leading = (slice(None),) * axis
    lines = arrays if grouped == rows else [a[(*leading, slice(grouped))] for a in arrays]
    lines = [a.reshape(*before, groups, _GROUP, per_line, *after) for a in lines]
    sums = _added(lines, axis + 1).reshape(*before, groups * per_line, *after)
    found = _along([sums], axis)
    if grouped < rows:
        found += _along([a[(*leading, slice(grouped, None))] for a in arrays], axis)
    return found


def _added(arrays: list[Any], axis: int) -> Any:
    """Return the sums along one dimension, added one after the other or as the library does."""
    if len(arrays) == 1:
        x = arrays[0]
        return np.add.reduce(x, axis, np.float32 if x.dtype.char == "e" else None)
    every = [*range(arrays[0].ndim)]
    return np.einsum(arrays[0], every, arrays[1], every, [a for a in every if a != axis])
