"""Bringing images into channels-last order, and back."""

from __future__ import annotations

import numpy as np

from ..dispatch import SMALL, Declined
from .memory import FIRST, LAST, Array, address, described, empty_images, is_dense, steps
from .primitives import Primitive, prepared, reorder

LEAST = 1 << 16
"""Elements from which on oneDNN copies in any order: making that ready takes a millisecond."""

DIMENSIONS = 12
"""How many oneDNN knows at most."""


def as_images(x: Array) -> Array:
    """Return float32 images in channels-last order: `x` itself where it is."""
    if is_dense(x, LAST):
        return x
    out = empty_images(x.shape)
    if is_dense(x, FIRST):
        shape = x.shape
        copy = prepared((LAST, shape), _copy, shape, FIRST, LAST)
        copy(address(x), address(out))
    else:
        np.copyto(out, x)
    return out


def _copy(shape: tuple[int, ...], source: str, target: str) -> Primitive:
    order = [described(shape, steps(shape, layout)).handle for layout in (source, target)]
    return reorder(*order)


def copy_into(out: Array, x: Array) -> Array | Declined:
    """See `core.kernels.copying.copy_into`; where another dimension is the last in memory.

    NumPy is as quick where it is the same one.
    """
    if x.dtype != np.float32 or out.dtype != np.float32 or not 2 <= x.ndim <= DIMENSIONS:
        return SMALL
    if x.shape != out.shape or x.strides == out.strides or np.may_share_memory(x, out):
        return SMALL
    for source, target in ((LAST, FIRST), (FIRST, LAST)):
        if x.ndim > 2 and is_dense(x, source) and is_dense(out, target):
            shape = x.shape
            copy = prepared((target, shape), _copy, shape, source, target)
            copy(address(x), address(out))
            return out
    if x.size < LEAST:
        return SMALL
    long = [i for i, n in enumerate(x.shape) if n > 1]
    here, there = (tuple(z.strides[i] for i in long) for z in (x, out))
    if here.index(min(here)) == there.index(min(there)):
        return SMALL
    if any(s <= 0 or s % 4 for s in (*here, *there)):
        return Declined("strides that are no positive numbers of elements")
    key = (tuple(x.shape[i] for i in long), here, there)
    prepared(("turned", *key), _turned, *key)(address(x), address(out))
    return out


def _turned(shape: tuple[int, ...], source: tuple[int, ...], target: tuple[int, ...]) -> Primitive:
    order = [described(shape, tuple(s // 4 for s in strides)) for strides in (source, target)]
    return reorder(order[0].handle, order[1].handle)
