"""Copying between arrays that lie differently in memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend import empty
from .checks import Array
from .dispatch import dispatched

LARGE = 1 << 15
"""Elements of arrays from which on copies go into pooled memory, in a quick way."""


@dispatched("onednn.layout", least=4096)
def copy_into(xp: Any, out: Array, x: Array) -> Array:
    """Write x into `out` and return that: the one kernel that writes into an operand.

    Parameters
    ----------
    out, x : array, of one shape and dtype
    """
    out[...] = x
    return out


def is_large(x: Array) -> bool:
    """Whether a copy of x is for the functions of this file: a large array of NumPy's."""
    return type(x) is np.ndarray and x.size >= LARGE


def in_rows(x: Array) -> Array:
    """Return a copy of a large NumPy array in row-major order."""
    return copy_into(np, empty(x.shape, x.dtype), x)


def reshaped(x: Array, shape: Sequence[int]) -> Array:
    """Return a large NumPy array in another shape, copied where there is no such view of it."""
    try:
        return np.reshape(x, shape, copy=False)
    except ValueError:
        pass  # no view; or no such shape, which NumPy words below
    known = prod(n for n in shape if n >= 0)
    sizes = tuple(n if n >= 0 else x.size // max(known, 1) for n in shape)
    if prod(sizes) != x.size:
        return np.reshape(x, shape)
    out = empty(sizes, x.dtype)
    copy_into(np, out.reshape(x.shape), x)
    return out


def joined(arrays: Sequence[Array], axis: int) -> Array:
    """Return NumPy arrays, one of them large, one after the other along a dimension."""
    first = arrays[0]
    if not -first.ndim <= axis < first.ndim:
        return np.concatenate(arrays, axis=axis)
    others = {(a.dtype, *np.delete(a.shape, axis)) for a in arrays if a.ndim == first.ndim}
    if len(others) > 1 or any(a.ndim != first.ndim for a in arrays):
        return np.concatenate(arrays, axis=axis)
    shape = list(first.shape)
    shape[axis] = sum(a.shape[axis] for a in arrays)
    return np.concatenate(arrays, axis=axis, out=empty(shape, first.dtype))
