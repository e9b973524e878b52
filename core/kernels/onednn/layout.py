"""Bringing images into channels-last order, and back."""

from __future__ import annotations

import numpy as np

from .memory import FIRST, LAST, Array, address, described, empty_images, is_dense, steps
from .primitives import Primitive, prepared, reorder


def as_images(x: Array) -> Array:
    """Return float32 images in channels-last order: `x` itself where it is."""
    if is_dense(x, LAST):
        return x
    out = empty_images(x.shape)
    if is_dense(x, FIRST):
        shape = x.shape
        copy = prepared(("last", shape), _copy, shape, FIRST, LAST)
        copy(address(x), address(out))
    else:
        np.copyto(out, x)
    return out


def _copy(shape: tuple[int, ...], source: str, target: str) -> Primitive:
    order = [described(shape, steps(shape, layout)).handle for layout in (source, target)]
    return reorder(*order)
