"""The loops of Winograd's convolution, over images that are channels-last."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import helper, kernel, prange
from .winograd_instructions import (
    LANES,
    PANEL,
    ROWS,
    product_of,
    transform_pixels,
    transform_products,
    transform_taps,
)

_VECTOR, _PANEL = 4 * LANES, 4 * PANEL  # bytes
_rows, _four, _two, _one = (product_of(n) for n in (ROWS, 4, 2, 1))


@helper
def _place(array: Any) -> Any:
    return np.int64(array.ctypes.data)


@helper
def _multiply(left: Any, right: Any, out: Any, step: Any, count: Any, k: Any, panels: Any) -> None:
    """Multiply `count` rows of `k` values by panels; the result's rows are `step` bytes apart."""
    line = 4 * k
    for j in range(panels):
        panel, to = right + j * k * _PANEL, out + j * _PANEL
        r = 0
        while r + ROWS <= count:
            _rows(left + r * line, line, panel, to + r * step, step, k)
            r += ROWS
        if r + 4 <= count:
            _four(left + r * line, line, panel, to + r * step, step, k)
            r += 4
        if r + 2 <= count:
            _two(left + r * line, line, panel, to + r * step, step, k)
            r += 2
        if r < count:
            _one(left + r * line, line, panel, to + r * step, step, k)


@helper
def _find_pixels(
    places: Any, x: Any, nothing: Any, shape: Any, n: Any, top: Any, left: Any
) -> None:
    """List where 4x4 pixels are; `nothing` is the place of those outside the image."""
    height, width, channels = shape
    for i in range(4):
        for j in range(4):
            h, w = top + i, left + j
            inside = 0 <= h < height and 0 <= w < width
            pixel = x + 4 * ((n * height + h) * width + w) * channels
            places[4 * i + j] = pixel if inside else nothing


@helper
def _find_results(
    places: Any, y: Any, added: Any, waste: Any, nothing: Any, shape: Any, n: Any, i: Any, j: Any
) -> None:
    """List where 2x2 results go, and where what is added to them is; `added` may be 0."""
    height, width, channels = shape
    for k in range(4):
        h, w = 2 * i + k // 2, 2 * j + k % 2
        inside = h < height and w < width
        pixel = 4 * ((n * height + h) * width + w) * channels
        places[k] = y + pixel if inside else waste
        places[4 + k] = added + pixel if inside and added else nothing


@kernel
def convolve(
    x: Any,
    u: Any,
    bias: Any,
    residual: Any,
    out: Any,
    zeros: Any,
    work: Any,
    finite: Any,
    border: Any,
    parts: Any,
    block: Any,
    least: Any,
) -> None:
    """Convolve images with transformed filters: some tiles at a time, which stay in the cache.

    Parameters
    ----------
    x, residual, out : arrays, shape (N, H, W, C), float32
        No residual is an array without elements.
    u : array, shape (16, O / PANEL, C, PANEL)
    bias, zeros : arrays
        As long as there are filters; as long as the larger number of channels.
    work : array, shape (parts, ...), float32
        Memory for each part.
    finite : array, shape (parts,), bool
        Whether all results of a part are, before anything is added.
    border : tuple of int
        Pixels of padding at the top and the left.
    parts : tuple of int
        Into how many ranges of tiles, and of filters, the work is cut.
    """
    ranges, shares = parts
    images, height, width, channels = x.shape
    rows, columns, filters = out.shape[1:]
    down, across = (rows + 1) // 2, (columns + 1) // 2
    tiles, panels = images * down * across, filters // PANEL
    source, target, nothing, weights = _place(x), _place(out), _place(zeros), _place(u)
    more, added = _place(bias), _place(residual) if residual.size else np.int64(0)
    for part in prange(ranges * shares):
        places = np.empty(16, np.int64)
        table, seen = _place(places), work[part, :LANES]
        seen[:] = 0
        share, piece = part % shares, part // shares
        first, last = panels * share // shares, panels * (share + 1) // shares
        size = (last - first) * _PANEL
        begin, end = tiles * piece // ranges, tiles * (piece + 1) // ranges
        v = (_place(work[part]) + _VECTOR + 63) // 64 * 64
        # A line more, so that what is read and written together is not in the same sets of caches.
        v_step, m_step = 4 * block * channels + 64, block * size + 64
        m = v + 16 * v_step
        waste = m + 16 * m_step
        for start in range(begin, end, block):
            count = min(block, end - start)
            for t in range(count):
                n, ij = divmod(start + t, down * across)
                i, j = divmod(ij, across)
                shape = (height, width, channels)
                top, left = 2 * i - border[0], 2 * j - border[1]
                _find_pixels(places, source, nothing, shape, n, top, left)
                for c in range(0, 4 * channels, _VECTOR):
                    transform_pixels(table, c, v + 4 * t * channels + c, v_step)
            for p in range(16):
                panel = weights + 4 * (p * panels + first) * channels * PANEL
                _multiply(
                    v + p * v_step, panel, m + p * m_step, size, count, channels, last - first
                )
            for t in range(count):
                n, ij = divmod(start + t, down * across)
                i, j = divmod(ij, across)
                shape = (rows, columns, filters)
                _find_results(places, target, added, waste, nothing, shape, n, i, j)
                for c in range(0, size, _VECTOR):
                    at = first * _PANEL + c
                    transform_products(
                        m + t * size + c, m_step, table, at, more, least, _place(seen)
                    )
        finite[part] = not np.isnan(seen).any()


@kernel
def transform(taps: Any, rotated: Any, u: Any) -> None:
    """Transform filters of shape (C, 9, O) into panels, shape (16, O / PANEL, C, PANEL)."""
    channels, _, filters = taps.shape
    panels = filters // PANEL
    source, target = _place(taps), _place(u)
    tap = -4 * filters if rotated else 4 * filters
    step = 4 * channels * filters
    for line in prange(panels * channels):
        j, c = line // channels, line % channels
        start = source + 4 * (9 * c + (8 if rotated else 0)) * filters + j * _PANEL
        for k in range(0, _PANEL, _VECTOR):
            transform_taps(start + k, tap, target + line * _PANEL + k, step)
