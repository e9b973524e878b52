"""Bringing images into channels-last order, and back."""

from __future__ import annotations

import numpy as np

from ..dispatch import SMALL, Declined
from .memory import FIRST, LAST, Array, address, described, empty_images, is_dense, steps
from .primitives import Primitive, prepared, reorder


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
    """See `core.kernels.copying.copy_into`; from one order of images to the other."""
    if x.dtype != np.float32 or out.dtype != np.float32 or not 3 <= x.ndim <= 5:
        return SMALL
    if x.shape != out.shape or x.strides == out.strides or np.may_share_memory(x, out):
        return SMALL
    for source, target in ((LAST, FIRST), (FIRST, LAST)):
        if is_dense(x, source) and is_dense(out, target):
            shape = x.shape
            copy = prepared((target, shape), _copy, shape, source, target)
            copy(address(x), address(out))
            return out
    return SMALL
