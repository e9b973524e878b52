"""Max and average pooling in one and two dimensions, and their gradients.

Images are pooled channels-last, so that channels are the innermost loop, unless they have only a
few: then plane by plane. The results lie as the images then do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import pooling as reference
from ..dispatch import SMALL, Declined
from .arrays import DOUBLE, SINGLE, Array, images_in_order, new_images, other_dtype
from .compiling import kernel, prange

Sizes = Sequence[int]

# prange counts without a sign, and numba makes floats of quotients of the two kinds: so np.int64.

FEW = 8
"""Channels from which on it pays to bring images into channels-last order."""

_CHANNELS = 32
"""How many channels one thread has in gradients of channels-last images."""


@kernel
def _max_last(x: Any, window: Any, values: Any, indices: Any) -> None:
    height, width, channels = x.shape[1:]
    rows, columns = values.shape[1:3]
    for job in prange(x.shape[0] * rows):
        n, i = divmod(np.int64(job), rows)
        for j in range(columns):
            best, where = values[n, i, j], indices[n, i, j]
            for c in range(channels):
                best[c] = -np.inf
                where[c] = -1
            for u in range(window[0, 0]):
                y = i * window[1, 0] - window[2, 0] + u * window[3, 0]
                if y < 0 or y >= height:
                    continue
                for v in range(window[0, 1]):
                    z = j * window[1, 1] - window[2, 1] + v * window[3, 1]
                    if z < 0 or z >= width:
                        continue
                    seen = x[n, y, z]
                    place = y * width + z
                    for c in range(channels):
                        larger = seen[c] > best[c]  # nan never is
                        best[c] = seen[c] if larger else best[c]
                        where[c] = place if larger else where[c]


@kernel
def _max_first(x: Any, window: Any, values: Any, indices: Any) -> None:
    height, width = x.shape[1:]
    for p in prange(x.shape[0]):
        for i in range(values.shape[1]):
            for j in range(values.shape[2]):
                best, where = x.dtype.type(-np.inf), np.int64(-1)
                for u in range(window[0, 0]):
                    y = i * window[1, 0] - window[2, 0] + u * window[3, 0]
                    if y < 0 or y >= height:
                        continue
                    for v in range(window[0, 1]):
                        z = j * window[1, 1] - window[2, 1] + v * window[3, 1]
                        if 0 <= z < width and x[p, y, z] > best:
                            best, where = x[p, y, z], np.int64(y * width + z)
                values[p, i, j] = best
                indices[p, i, j] = where


@kernel
def _spread_last(g: Any, indices: Any, out: Any) -> None:
    count, channels = g.shape[1:]
    blocks = (channels + _CHANNELS - 1) // _CHANNELS
    for job in prange(g.shape[0] * blocks):
        n, block = divmod(np.int64(job), blocks)
        start = block * _CHANNELS
        stop = min(start + _CHANNELS, channels)
        for p in range(out.shape[1]):
            for c in range(start, stop):
                out[n, p, c] = 0
        for k in range(count):
            for c in range(start, stop):
                place = indices[n, k, c]
                if place >= 0:
                    out[n, place, c] += g[n, k, c]


@kernel
def _spread_first(g: Any, indices: Any, out: Any) -> None:
    for p in prange(g.shape[0]):
        for k in range(out.shape[1]):
            out[p, k] = 0
        for k in range(g.shape[1]):
            place = indices[p, k]
            if place >= 0:
                out[p, place] += g[p, k]


@kernel
def _mean_last(x: Any, window: Any, counts: Any, out: Any) -> None:
    height, width, channels = x.shape[1:]
    rows, columns = out.shape[1:3]
    for job in prange(x.shape[0] * rows):
        n, i = divmod(np.int64(job), rows)
        for j in range(columns):
            total = out[n, i, j]
            for c in range(channels):
                total[c] = 0
            top, left = i * window[1, 0] - window[2, 0], j * window[1, 1] - window[2, 1]
            for y in range(max(top, 0), min(top + window[0, 0], height)):
                for z in range(max(left, 0), min(left + window[0, 1], width)):
                    seen = x[n, y, z]
                    for c in range(channels):
                        total[c] += seen[c]
            for c in range(channels):
                total[c] /= counts[i, j]


@kernel
def _mean_first(x: Any, window: Any, counts: Any, out: Any) -> None:
    height, width = x.shape[1:]
    for p in prange(x.shape[0]):
        for i in range(out.shape[1]):
            top = i * window[1, 0] - window[2, 0]
            for j in range(out.shape[2]):
                left = j * window[1, 1] - window[2, 1]
                total = x.dtype.type(0)
                for y in range(max(top, 0), min(top + window[0, 0], height)):
                    for z in range(max(left, 0), min(left + window[0, 1], width)):
                        total += x[p, y, z]
                out[p, i, j] = total / counts[i, j]


@kernel
def _share_last(g: Any, window: Any, counts: Any, out: Any) -> None:
    height, width, channels = out.shape[1:]
    blocks = (channels + _CHANNELS - 1) // _CHANNELS
    for job in prange(g.shape[0] * blocks):
        n, block = divmod(np.int64(job), blocks)
        start = block * _CHANNELS
        stop = min(start + _CHANNELS, channels)
        for y in range(height):
            for z in range(width):
                for c in range(start, stop):
                    out[n, y, z, c] = 0
        for i in range(g.shape[1]):
            top = i * window[1, 0] - window[2, 0]
            for j in range(g.shape[2]):
                left = j * window[1, 1] - window[2, 1]
                for y in range(max(top, 0), min(top + window[0, 0], height)):
                    for z in range(max(left, 0), min(left + window[0, 1], width)):
                        for c in range(start, stop):
                            out[n, y, z, c] += g[n, i, j, c] / counts[i, j]


@kernel
def _share_first(g: Any, window: Any, counts: Any, out: Any) -> None:
    height, width = out.shape[1:]
    for p in prange(g.shape[0]):
        for y in range(height):
            for z in range(width):
                out[p, y, z] = 0
        for i in range(g.shape[1]):
            top = i * window[1, 0] - window[2, 0]
            for j in range(g.shape[2]):
                left = j * window[1, 1] - window[2, 1]
                share = g[p, i, j] / counts[i, j]
                for y in range(max(top, 0), min(top + window[0, 0], height)):
                    for z in range(max(left, 0), min(left + window[0, 1], width)):
                        out[p, y, z] += share


def max_pool(
    x: Array,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool = False,
) -> tuple[Array, Array] | Declined:
    """Return the maximum of each window and where it is."""
    if (why := _unsupported(x)) is not None:
        return why
    window = reference.window_of(np, "max_pool", x, kernel, stride, padding, dilation, ceil_mode)
    shape = (*x.shape[:2], *window.out)
    x, last = _laid_out(x)
    values, indices = new_images(shape, x.dtype, last), new_images(shape, np.int64, last)
    compute = _max_last if last else _max_first
    compute(_view(x, last), _table(window), _view(values, last), _view(indices, last))
    return values, indices


def max_pool_gradient(g: Array, indices: Array, *, size: Sizes) -> Array | Declined:
    """Return g added at the maxima."""
    if (why := _unsupported(g)) is not None:
        return why
    count = int(np.prod(size))
    if indices.shape != g.shape or indices.dtype != np.int64:
        return SMALL  # the reference says what does not fit
    indices, last = _laid_out(indices)
    if int(indices.max()) >= count or int(indices.min()) < -1:
        return SMALL
    g = images_in_order(g, last)
    out = new_images((*g.shape[:2], *size), g.dtype, last)
    if last:
        _spread_last(*(_view(a, True).reshape(len(a), -1, a.shape[1]) for a in (g, indices, out)))
    else:
        _spread_first(*(a.reshape(a.shape[0] * a.shape[1], -1) for a in (g, indices, out)))
    return out


def avg_pool(
    x: Array,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array | Declined:
    """Return the average of each window."""
    if (why := _unsupported(x)) is not None:
        return why
    flat = (1,) * (x.ndim - 2)
    window = reference.window_of(np, "avg_pool", x, kernel, stride, padding, flat, ceil_mode)
    counts = reference.counts_of(np, window, x.shape[2:], x.dtype, count_include_pad)
    x, last = _laid_out(x)
    out = new_images((*x.shape[:2], *window.out), x.dtype, last)
    compute = _mean_last if last else _mean_first
    compute(_view(x, last), _table(window), counts.reshape(-1, window.out[-1]), _view(out, last))
    return out


def avg_pool_gradient(
    g: Array,
    *,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array | Declined:
    """Return the gradient of `avg_pool` by its input."""
    if (why := _unsupported(g)) is not None:
        return why
    if len(size) != g.ndim - 2 or min(size) < 1:
        return SMALL  # the reference says what does not fit
    image = np.broadcast_to(np.zeros((), g.dtype), (*g.shape[:2], *size))
    flat = (1,) * len(size)
    name = "avg_pool_gradient"
    window = reference.window_of(np, name, image, kernel, stride, padding, flat, ceil_mode)
    if g.shape[2:] != window.out:
        return SMALL
    counts = reference.counts_of(np, window, size, g.dtype, count_include_pad)
    g, last = _laid_out(g)
    out = new_images(image.shape, g.dtype, last)
    compute = _share_last if last else _share_first
    compute(_view(g, last), _table(window), counts.reshape(-1, window.out[-1]), _view(out, last))
    return out


def _unsupported(x: Array) -> Declined | None:
    if x.dtype not in (SINGLE, DOUBLE):
        return other_dtype(x)
    if not 3 <= x.ndim <= 4 or not x.size:
        return Declined(f"shape {x.shape}")
    return None


def _laid_out(x: Array) -> tuple[Array, bool]:
    """Return x without gaps, and whether it is channels-last."""
    if np.moveaxis(x, 1, -1).flags.c_contiguous:
        return x, True
    if x.shape[1] >= FEW:
        return images_in_order(x, True), True
    return np.ascontiguousarray(x), False


def _view(x: Array, last: bool) -> Array:
    """Return images as kernels take them: (N, H, W, C), or planes (N * C, H, W)."""
    if last:
        x = np.moveaxis(x, 1, -1)
        return x if x.ndim == 4 else x[:, None]
    return x.reshape(x.shape[0] * x.shape[1], *(x.shape[2:] if x.ndim == 4 else (1, x.shape[2])))


def _table(window: reference.Window) -> Array:
    """Return kernel, stride, padding and dilation, for two dimensions."""
    table = np.array(window[:4], np.int64)
    if table.shape[1] == 1:
        table = np.concatenate([[[1], [1], [0], [1]], table], axis=1)
    return table
