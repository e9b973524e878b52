"""Functions that cut off what is not large enough, and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import Declined
from .activation import elementwise
from .arrays import SINGLE, Array, lines, other_dtype
from .compiling import kernel, prange

f32 = np.float32


@kernel
def _relu(x: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = f32(0) if x[i] <= f32(0) else x[i]  # nan stays nan


@kernel
def _relu_gradient(g: Any, y: Any, out: Any) -> None:
    for i in prange(y.size):
        out[i] = g[i] if y[i] > f32(0) else f32(0)


@kernel
def _threshold(x: Any, least: Any, value: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = x[i] if x[i] > least else value


@kernel
def _threshold_gradient(g: Any, x: Any, least: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = g[i] if x[i] > least else f32(0)


def relu(x: Array) -> Array | Declined:
    """Return x where it is positive, else 0."""
    return elementwise(_relu, x)


def relu_gradient(g: Array, out: Array) -> Array | Declined:
    """Return g where the output of relu is positive, else 0."""
    return elementwise(_relu_gradient, g, out)


def threshold(x: Array, *, threshold: float = 0.0, value: float = 0.0) -> Array | Declined:
    """Return x where it exceeds `threshold`, else `value`."""
    if x.dtype != SINGLE:
        return other_dtype(x)
    (view,), out, line = lines(x)
    _threshold(view, f32(threshold), f32(value), line)
    return out


def threshold_gradient(g: Array, x: Array, threshold: float) -> Array | Declined:
    """Return g where x exceeds `threshold`, else 0."""
    for array in (g, x):
        if array.dtype != SINGLE:
            return other_dtype(array)
    views, out, line = lines(g, x)
    _threshold_gradient(*views, f32(threshold), line)
    return out
