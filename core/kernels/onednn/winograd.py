"""When convolutions are computed after Winograd, by the fused kernels, instead of by oneDNN.

oneDNN's direct convolution is at the peak of what the processor multiplies. Filters of 3x3 that
move by single pixels can do with 2.25 times fewer multiplications; see fused/winograd.py.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from ...backend import empty
from ..dispatch import KERNELS, Declined, Kernel
from .layout import as_images
from .memory import Array, address, described
from .packing import kept, settled
from .primitives import Primitive, prepared, reorder

_IMAGES = KERNELS["winograd"] = Kernel("winograd", "fused.winograd")
_FILTERS = KERNELS["winograd_filters"] = Kernel("winograd_filters", "fused.winograd")

MULTIPLE = 32
"""Of what channels and filters are multiples; see `PANEL` in fused/winograd_instructions.py."""

LEAST = 1 << 24
"""Multiplications of the definition from which on the way there is worth it."""

TILES, FRESH = 32, 150
"""Tiles from which on it pays to read transformed filters, which take 16/9 of the memory, and from
which on it pays to transform filters that are used once."""

_FORWARD, _BACKWARD = -1, -2
"""What `packing` knows the orders of transformed filters by; oneDNN's are 0 and more."""

Window = tuple[Any, Any, Any]


def winograd(
    x: Array,
    w: Array,
    bias: Array | None,
    residual: Array | None,
    window: Window,
    groups: int,
    rectify: bool,
    cell: Any,
) -> Array | None:
    """Return a convolution, or None where oneDNN is to compute it.

    Parameters
    ----------
    x, w, bias, residual : arrays
        Of float32; those that do not fit are oneDNN's to report.
    window : stride, padding and dilation
    cell : dict or None
        What was announced with the filters.
    """
    plan = _plan(x.shape, w.shape, window, groups)
    if plan is None:
        return None
    size, tiles = plan
    filters = len(w)
    if bias is not None and (bias.shape != (filters,) or not bias.flags.c_contiguous):
        return None
    if residual is not None and residual.shape != (len(x), filters, *size):
        return None
    u = _transformed(w, cell, tiles, _FORWARD)
    if u is None:
        return None
    arrays = (as_images(x), u, bias, None if residual is None else as_images(residual))
    return _computed(arrays, {"padding": window[1], "size": size, "rectify": rectify})


def winograd_gradient(
    g: Array, w: Array, size: tuple[int, ...], window: Window, groups: int, cell: Any
) -> Array | None:
    """Return the gradient of a convolution by its images, or None; itself a convolution."""
    padding = tuple(2 - p for p in window[1])
    if min(padding) < 0:
        return None
    shape = (w.shape[1], w.shape[0], *w.shape[2:])
    plan = _plan(g.shape, shape, (window[0], padding, window[2]), groups)
    if plan is None or plan[0] != size:
        return None
    u = _transformed(w, cell, plan[1], _BACKWARD)
    if u is None:
        return None
    arrays = (as_images(g), u, None, None)
    return _computed(arrays, {"padding": padding, "size": size, "rectify": False})


def _computed(arrays: Any, params: dict[str, Any]) -> Array | None:
    found = _IMAGES.attempt(arrays, params)
    return None if type(found) is Declined else found


@functools.lru_cache(4096)
def _plan(
    x: tuple[int, ...], w: tuple[int, ...], window: Window, groups: int
) -> tuple[tuple[int, ...], int] | None:
    """Return the size of the result and the number of tiles, None where it is not for here."""
    stride, padding, dilation = window
    if len(x) != 4 or w[2:] != (3, 3) or x[1] != w[1] or groups != 1:
        return None
    if any(n != 1 for n in (*stride, *dilation)) or w[0] % MULTIPLE or w[1] % MULTIPLE:
        return None
    rows, columns = (n + 2 * p - 2 for n, p in zip(x[2:], padding, strict=True))
    if min(rows, columns) < 1:
        return None
    tiles = x[0] * ((rows + 1) // 2) * ((columns + 1) // 2)
    direct = 9 * x[0] * rows * columns
    if direct * w[0] * w[1] < LEAST or tiles < TILES:
        return None
    if 16 * tiles > 0.6 * direct:  # tiles that are not full take the gain away
        return None
    return (rows, columns), tiles


def _transformed(w: Array, cell: Any, tiles: int, order: int) -> Array | None:
    """Return transformed filters, None where that is not worth it.

    numba is not loaded for filters that are used only once: that takes longer than they do.
    """
    if not w.flags.c_contiguous:
        return None
    wait = tiles < FRESH or "numba" not in sys.modules
    if wait and not settled(w, cell, order):
        return None
    if _IMAGES.find() is None or _FILTERS.find() is None:
        return None
    found = kept(w, cell, order, lambda w: _transform(w, order))
    return None if type(found) is Declined else found


def _transform(w: Array, order: int) -> Any:
    filters, channels = w.shape[:2]
    shape = (channels, 9, filters) if order == _FORWARD else (filters, 9, channels)
    taps = empty(shape, w.dtype)
    prepared(("taps", w.shape, order), _taps, filters, channels, order)(address(w), address(taps))
    return _FILTERS.attempt((taps,), {"rotated": order == _BACKWARD})


def _taps(filters: int, channels: int, order: int) -> Primitive:
    """Return the copy of filters, one after the other, into the order of vectors."""
    if order == _FORWARD:
        rows = (filters, 9 * channels)
        source, target = described(rows, (9 * channels, 1)), described(rows, (1, filters))
    else:
        blocks = (filters, channels, 9)
        source = described(blocks, (9 * channels, 9, 1))
        target = described(blocks, (9 * channels, 1, channels))
    return reorder(source.handle, target.handle)
