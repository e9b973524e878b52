"""Local response normalisation across channels, and its gradient.

Pixels are taken channels-last: all that one needs of its neighbours then lies in one row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import SMALL, Declined
from .arrays import SINGLE, Array, images_in_order, new_images, other_dtype
from .compiling import helper, kernel, prange

f32 = np.float32

_PIXELS = 64
"""How many pixels one thread takes at a time."""


@helper
def _windows(values: Any, before: Any, after: Any, sums: Any) -> None:
    """Write the sums of each value and its neighbours."""
    count = values.size
    for c in range(count):
        sums[c] = f32(0)
    for d in range(-before, after + 1):
        for c in range(max(0, -d), min(count, count - d)):
            sums[c] += values[c + d]


@helper
def _scales(
    row: Any, before: Any, after: Any, factor: Any, k: Any, squares: Any, scale: Any
) -> None:
    """Write the squares of the channels of a pixel, and the sums over windows, scaled."""
    for c in range(row.size):
        squares[c] = row[c] * row[c]
    _windows(squares, before, after, scale)
    for c in range(row.size):
        scale[c] = scale[c] * factor + k


@helper
def _powers(scale: Any, beta: Any, out: Any) -> None:
    """Write scale ** -beta."""
    if beta == 0.75:  # that of all networks
        for c in range(scale.size):
            root = np.sqrt(scale[c])
            out[c] = f32(1) / (root * np.sqrt(root))
    else:
        for c in range(scale.size):
            out[c] = f32(np.float64(scale[c]) ** -beta)


@kernel
def _forward(x: Any, before: Any, after: Any, factor: Any, beta: Any, k: Any, out: Any) -> None:
    pixels, channels = x.shape
    for job in prange((pixels + _PIXELS - 1) // _PIXELS):
        squares, scale = np.empty(channels, np.float32), np.empty(channels, np.float32)
        first = np.int64(job) * _PIXELS
        for p in range(first, min(first + _PIXELS, pixels)):
            row, target = x[p], out[p]
            _scales(row, before, after, factor, k, squares, scale)
            _powers(scale, beta, target)
            for c in range(channels):
                target[c] *= row[c]


@kernel
def _gradient(
    g: Any, x: Any, before: Any, after: Any, factor: Any, beta: Any, k: Any, slope: Any, out: Any
) -> None:
    pixels, channels = x.shape
    for job in prange((pixels + _PIXELS - 1) // _PIXELS):
        parts, scale = np.empty(channels, np.float32), np.empty(channels, np.float32)
        first = np.int64(job) * _PIXELS
        for p in range(first, min(first + _PIXELS, pixels)):
            arriving, row, target = g[p], x[p], out[p]
            _scales(row, before, after, factor, k, parts, scale)
            _powers(scale, beta, target)
            for c in range(channels):
                target[c] *= arriving[c]
                parts[c] = target[c] * row[c] / scale[c]
            _windows(parts, after, before, scale)
            for c in range(channels):
                target[c] -= row[c] * scale[c] * slope


def local_response_norm(
    x: Array, *, size: int, alpha: float, beta: float, k: float
) -> Array | Declined:
    """Return x divided by a power of the sum of squares; the result is channels-last."""
    if (why := _unsupported(x, size)) is not None:
        return why
    x = images_in_order(x, True)
    out = new_images(x.shape, SINGLE, True)
    before = (size - 1) // 2
    numbers = before, size - 1 - before, f32(alpha / size), float(beta), f32(k)
    _forward(_pixels(x), *numbers, _pixels(out))
    return out


def local_response_gradient(
    g: Array, x: Array, size: int, alpha: float, beta: float, k: float
) -> Array | Declined:
    """Return the gradient of `local_response_norm` by its input."""
    if (why := _unsupported(x, size)) is not None:
        return why
    if g.dtype != SINGLE:
        return other_dtype(g)
    x, g = images_in_order(x, True), images_in_order(g, True)
    out = new_images(x.shape, SINGLE, True)
    before = (size - 1) // 2
    numbers = before, size - 1 - before, f32(alpha / size), float(beta), f32(k)
    slope = f32(2 * alpha * beta / size)
    _gradient(_pixels(g), _pixels(x), *numbers, slope, _pixels(out))
    return out


def _unsupported(x: Array, size: int) -> Declined | None:
    if x.ndim < 2 or not x.size or size < 1:
        return SMALL  # the reference says what does not fit
    return other_dtype(x) if x.dtype != SINGLE else None


def _pixels(x: Array) -> Array:
    """Return channels-last images as a row for each pixel."""
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
