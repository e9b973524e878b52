"""Max and average pooling in one to three dimensions, and gradients in one and two.

Images are pooled channels-last, so that channels are the innermost loop, unless they have only a
few: then plane by plane. The results lie as the images then do. Volumes that lie channels-last, as
convolutions leave them, are pooled first in each of their slices, then across slices, for which a
slice is one row of channels; their gradients are the reference's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..average_pooling import counts_of
from ..dispatch import SMALL, Declined
from ..windows import Window, window_of
from .arrays import DOUBLE, SINGLE, Array, images_in_order, new_images, other_dtype
from .pooling_loops import (
    max_first,
    max_last,
    mean_first,
    mean_last,
    share_first,
    share_last,
    spread_first,
    spread_last,
)

Sizes = Sequence[int]

FEW = 8
"""Channels from which on it pays to bring images into channels-last order."""


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
    window = window_of(np, "max_pool", x, kernel, stride, padding, dilation, ceil_mode)
    if x.ndim == 5:
        return _max_of_volumes(x, window)
    shape = (*x.shape[:2], *window.out)
    x, last = _laid_out(x)
    values, indices = new_images(shape, x.dtype, last), new_images(shape, np.int64, last)
    compute = max_last if last else max_first
    compute(_view(x, last), _table(window), _view(values, last), _view(indices, last))
    return values, indices


def max_pool_gradient(g: Array, indices: Array, *, size: Sizes) -> Array | Declined:
    """Return g added at the maxima."""
    if (why := _unsupported(g, forward=False)) is not None:
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
        spread_last(*(_view(a, True).reshape(len(a), -1, a.shape[1]) for a in (g, indices, out)))
    else:
        spread_first(*(a.reshape(a.shape[0] * a.shape[1], -1) for a in (g, indices, out)))
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
    window = window_of(np, "avg_pool", x, kernel, stride, padding, flat, ceil_mode)
    if x.ndim == 5:
        return _mean_of_volumes(x, window, count_include_pad)
    counts = counts_of(np, window, x.shape[2:], x.dtype, count_include_pad)
    x, last = _laid_out(x)
    out = new_images((*x.shape[:2], *window.out), x.dtype, last)
    compute = mean_last if last else mean_first
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
    if (why := _unsupported(g, forward=False)) is not None:
        return why
    if len(size) != g.ndim - 2 or min(size) < 1:
        return SMALL  # the reference says what does not fit
    image = np.broadcast_to(np.zeros((), g.dtype), (*g.shape[:2], *size))
    flat = (1,) * len(size)
    name = "avg_pool_gradient"
    window = window_of(np, name, image, kernel, stride, padding, flat, ceil_mode)
    if g.shape[2:] != window.out:
        return SMALL
    counts = counts_of(np, window, size, g.dtype, count_include_pad)
    g, last = _laid_out(g)
    out = new_images(image.shape, g.dtype, last)
    compute = share_last if last else share_first
    compute(_view(g, last), _table(window), counts.reshape(-1, window.out[-1]), _view(out, last))
    return out


def _unsupported(x: Array, forward: bool = True) -> Declined | None:
    if x.dtype not in (SINGLE, DOUBLE):
        return other_dtype(x)
    if not 3 <= x.ndim <= 5 or not x.size:
        return Declined(f"shape {x.shape}")
    if x.ndim == 5 and not (forward and _line(x).flags.c_contiguous):
        return Declined("volumes, where the reference is as quick")
    return None


def _laid_out(x: Array) -> tuple[Array, bool]:
    """Return x without gaps, and whether it is channels-last."""
    if np.moveaxis(x, 1, -1).flags.c_contiguous:
        return x, True
    if x.shape[1] >= FEW:
        return images_in_order(x, True), True
    return np.ascontiguousarray(x), False


def _max_of_volumes(x: Array, window: Window) -> tuple[Array, Array]:
    depth, height, width = x.shape[2:]
    shape = (*x.shape[:2], depth, *window.out[1:])
    slices, places = new_images(shape, x.dtype, True), new_images(shape, np.int64, True)
    max_last(_slices(x), _table(_part(window, 1)), _slices(slices), _slices(places))
    shape = (*x.shape[:2], *window.out)
    values, found = new_images(shape, x.dtype, True), new_images(shape, np.int64, True)
    max_last(_across(slices), _table(_part(window, 0)), _across(values), _across(found))
    # `found` says in which slice; the place inside of it is in `places`.
    inside = np.take_along_axis(_line(places), np.maximum(_line(found), 0), axis=1)
    line = _line(found)
    line[...] = np.where(line < 0, -1, line * (height * width) + inside)
    return values, found


def _mean_of_volumes(x: Array, window: Window, padded: bool) -> Array:
    slices = new_images((*x.shape[:3], *window.out[1:]), x.dtype, True)
    counts = _counts(window, x.shape[2:], x.dtype, padded)
    mean_last(_slices(x), _table(_part(window, 1)), counts[1], _slices(slices))
    out = new_images((*x.shape[:2], *window.out), x.dtype, True)
    mean_last(_across(slices), _table(_part(window, 0)), counts[0], _across(out))
    return out


def _part(window: Window, which: int) -> Window:
    """Return the window across slices, as an image of one column (0), or inside of them (1)."""
    if which:
        return Window(*(values[1:] for values in window))
    ones = (1, 1, 0, 1, 1)
    return Window(*((v[0], one) for v, one in zip(window, ones, strict=True)))


def _counts(window: Window, size: tuple[int, ...], dtype: Any, padded: bool) -> list[Array]:
    """Return what is divided by across slices and inside of them."""
    sizes = (size[0], 1), size[1:]
    parts = [_part(window, which) for which in (0, 1)]
    return [counts_of(np, part, n, dtype, padded) for part, n in zip(parts, sizes, strict=True)]


def _line(x: Array) -> Array:
    """Return channels-last images or volumes with the channels behind."""
    return np.moveaxis(x, 1, -1)


def _slices(x: Array) -> Array:
    """Return the slices of channels-last volumes as images (N * D, H, W, C)."""
    x = _line(x)
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _across(x: Array) -> Array:
    """Return channels-last volumes as images of one column (N, D, 1, H * W * C)."""
    x = _line(x)
    return x.reshape(x.shape[0], x.shape[1], 1, -1)


def _view(x: Array, last: bool) -> Array:
    """Return images as kernels take them: (N, H, W, C), or planes (N * C, H, W)."""
    if last:
        x = np.moveaxis(x, 1, -1)
        return x if x.ndim == 4 else x[:, None]
    return x.reshape(x.shape[0] * x.shape[1], *(x.shape[2:] if x.ndim == 4 else (1, x.shape[2])))


def _table(window: Window) -> Array:
    """Return kernel, stride, padding and dilation, for two dimensions."""
    table = np.array(window[:4], np.int64)
    if table.shape[1] == 1:
        table = np.concatenate([[[1], [1], [0], [1]], table], axis=1)
    return table
