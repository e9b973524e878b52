"""Moments of channels over many pixels, and sums that gradients need, added up precisely.

Sums in single precision of some hundred thousand numbers are wrong in the fourth digit. Here only
those of a block are in single precision, which are few; blocks are added up in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import empty
from .arrays import Array
from .compiling import kernel, prange
from .reductions import dot_around, squares_around, total

BLOCK = 256
"""Pixels that are summed in single precision."""


@kernel
def _moments_of_pixels(x: Any, mean: Any, squares: Any) -> None:
    pixels, channels = x.shape
    for block in prange(len(mean)):
        start = block * BLOCK
        stop = min(start + BLOCK, pixels)
        count = np.float32(stop - start)
        centre = np.zeros(channels, np.float32)
        for i in range(start, stop):
            for c in range(channels):
                centre[c] += x[i, c]
        for c in range(channels):
            centre[c] /= count
        left, spread = np.zeros(channels, np.float32), np.zeros(channels, np.float32)
        for i in range(start, stop):
            for c in range(channels):
                distance = x[i, c] - centre[c]
                left[c] += distance
                spread[c] += distance * distance
        for c in range(channels):
            rest = np.float64(left[c]) / count
            mean[block, c] = centre[c] + rest
            squares[block, c] = spread[c] - rest * rest * count


@kernel
def _moments_of_rows(x: Any, mean: Any, squares: Any) -> None:
    count = x.shape[1]
    for i in prange(len(x)):
        middle = total(x[i]) / count
        centre = np.float32(middle)
        mean[i] = middle
        squares[i] = squares_around(x[i], centre) - count * (middle - centre) ** 2


@kernel
def _sums_of_pixels(g: Any, x: Any, mean: Any, of_g: Any, along: Any) -> None:
    pixels, channels = x.shape
    for block in prange(len(of_g)):
        plain, product = np.zeros(channels, np.float32), np.zeros(channels, np.float32)
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, pixels)):
            for c in range(channels):
                plain[c] += g[i, c]
                product[c] += g[i, c] * (x[i, c] - mean[c])
        for c in range(channels):
            of_g[block, c] = plain[c]
            along[block, c] = product[c]


@kernel
def _sums_of_rows(g: Any, x: Any, mean: Any, of_g: Any, along: Any) -> None:
    for i in prange(len(x)):
        of_g[i] = total(g[i])
        along[i] = dot_around(g[i], x[i], mean[i % len(mean)])


@kernel
def _combined_pixels(g: Any, x: Any, mean: Any, less: Any, a: Any, b: Any, out: Any) -> None:
    pixels, channels = x.shape
    for block in prange((pixels + BLOCK - 1) // BLOCK):
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, pixels)):
            for c in range(channels):
                out[i, c] = (g[i, c] - less[c]) * a[c] + (x[i, c] - mean[c]) * b[c]


@kernel
def _combined_rows(g: Any, x: Any, mean: Any, less: Any, a: Any, b: Any, out: Any) -> None:
    for i in prange(len(x)):
        c = i % len(mean)
        centre, shift, slope, factor = mean[c], less[c], a[c], b[c]
        for j in range(x.shape[1]):
            out[i, j] = (g[i, j] - shift) * slope + (x[i, j] - centre) * factor


def channel_moments(x: Array, *, last: bool) -> tuple[Array, Array]:
    """Return mean and biased variance of each channel.

    Parameters
    ----------
    x : array, shape (N, C, ...), float32
    last : bool
        Whether it lies channels-last; otherwise in row-major order.

    Returns
    -------
    mean, variance : array, shape (C,), float32
    """
    table, channels = _table(x, last), x.shape[1]
    parts = _parts(table, last)
    mean, squares = np.empty(parts), np.empty(parts)
    (_moments_of_pixels if last else _moments_of_rows)(table, mean, squares)
    mean, squares = mean.reshape(-1, channels), squares.reshape(-1, channels)
    counts = _counts(table, len(mean), last)
    count = x.size // channels
    with np.errstate(all="ignore"):  # as the kernels
        whole = (counts * mean).sum(axis=0) / count
        variance = (squares + counts * (mean - whole) ** 2).sum(axis=0) / count
        return whole.astype(np.float32), variance.astype(np.float32)


def channel_gradient(
    g: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    variance: Array,
    *,
    eps: float,
    last: bool,
) -> tuple[Array, Array, Array]:
    """See `core.kernels.normalization.batch_norm_gradient`, of g and x that lie as `last` says."""
    arriving, table, channels = _table(g, last), _table(x, last), x.shape[1]
    count = x.size // channels
    parts = _parts(table, last)
    of_g, along = np.empty(parts), np.empty(parts)
    mean = np.ascontiguousarray(mean)
    (_sums_of_pixels if last else _sums_of_rows)(arriving, table, mean, of_g, along)
    with np.errstate(all="ignore"):
        of_bias, along = (part.reshape(-1, channels).sum(axis=0) for part in (of_g, along))
        inverse = 1 / np.sqrt(variance.astype(np.float64) + eps)
        slope = inverse if weight is None else inverse * weight
        of_weight = along * inverse
        factors = (of_bias / count, slope, -slope * inverse * of_weight / count)
        less, a, b, of_weight, of_bias = (
            part.astype(np.float32) for part in (*factors, of_weight, of_bias)
        )
    out = empty(x.shape, np.float32, x.strides)
    combined = _combined_pixels if last else _combined_rows
    combined(arriving, table, mean, less, a, b, _table(out, last))
    return out, of_weight, of_bias


def _table(x: Array, last: bool) -> Array:
    """Return images as pixels by channels, or as rows of pixels of one channel."""
    if last:
        return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
    return x.reshape(x.shape[0] * x.shape[1], -1)


def _parts(table: Array, last: bool) -> tuple[int, ...]:
    """Return the shape of what is summed alone: blocks by channels, or rows."""
    return (-(-len(table) // BLOCK), table.shape[1]) if last else (len(table),)


def _counts(table: Array, parts: int, last: bool) -> Array:
    """Return the number of pixels of each part, as a column."""
    counts = np.full((parts, 1), BLOCK if last else table.shape[1], np.float64)
    if last:
        counts[-1] = len(table) - (parts - 1) * BLOCK
    return counts
