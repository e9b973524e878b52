"""The loops of max and average pooling, over images that lie channels-last, or over planes.

The window is a table with a column for each dimension: kernel, stride, padding and dilation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import kernel, prange

# prange counts without a sign, and numba makes floats of quotients of the two kinds: so np.int64.

_CHANNELS = 32
"""How many channels one thread has in gradients of channels-last images."""


@kernel
def max_last(x: Any, window: Any, values: Any, indices: Any) -> None:
    """Write the maxima of channels-last images (N, H, W, C), and where they are."""
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
def max_first(x: Any, window: Any, values: Any, indices: Any) -> None:
    """Write the maxima of planes (P, H, W), and where they are."""
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
def spread_last(g: Any, indices: Any, out: Any) -> None:
    """Write gradients (N, K, C) to the places (N, H * W, C) that they belong to."""
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
def spread_first(g: Any, indices: Any, out: Any) -> None:
    """Write gradients (P, K) to the places (P, H * W) that they belong to."""
    for p in prange(g.shape[0]):
        for k in range(out.shape[1]):
            out[p, k] = 0
        for k in range(g.shape[1]):
            place = indices[p, k]
            if place >= 0:
                out[p, place] += g[p, k]


@kernel
def mean_last(x: Any, window: Any, counts: Any, out: Any) -> None:
    """Write the means of channels-last images."""
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
def mean_first(x: Any, window: Any, counts: Any, out: Any) -> None:
    """Write the means of planes."""
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
def share_last(g: Any, window: Any, counts: Any, out: Any) -> None:
    """Write gradients of means, shared among the pixels of channels-last images."""
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
def share_first(g: Any, window: Any, counts: Any, out: Any) -> None:
    """Write gradients of means, shared among the pixels of planes."""
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
