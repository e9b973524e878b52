"""Transposed convolutions that make a few large planes of many small ones, as last layers do.

oneDNN computes 16 output channels at a time, however few there are. The pixels of the result
whose places leave the same remainders by the stride come from one ordinary convolution of the
input, with the filters' elements of those remainders. So one convolution has all of them for its
channels, and most of the 16 are used.

Source: Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient
Sub-Pixel Convolutional Neural Network"
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .memory import Array, empty_images

WIDTH = 16
"""Output channels that oneDNN computes at a time."""

LEAST = 1 << 22
"""Multiplications from which on it pays."""

Sizes = tuple[int, ...]
Tap = tuple[int, int]
"""An element of the filters, and by how many pixels of the input it looks ahead."""


def few_planes(
    g: Array,
    w: Array,
    size: Sizes,
    window: tuple[Sizes, Sizes, Sizes],
    convolution: Callable[..., Any],
) -> Array | None:
    """Return the gradient of a convolution by its images; None where this is not the way.

    Parameters
    ----------
    g : array, shape (N, O, *spatial)
    w : array, shape (O, C, *kernel)
    size : tuple of int
        Of the images.
    window : stride, padding and dilation
    convolution : callable
        `convolution(x, filters, padding)` by single pixels, channels-last.

    Returns
    -------
    array, shape (N, C, *size), or None
    """
    stride, padding, dilation = window
    planes = w.shape[1] * prod(stride)
    if planes > WIDTH or min(stride) < 2 or max(dilation) > 1 or len(g.shape) != len(w.shape):
        return None
    if g.shape[1] != w.shape[0] or tuple(size) != tuple(
        n * s for n, s in zip(g.shape[2:], stride, strict=True)
    ):
        return None
    kernel = w.shape[2:]
    if any(not 0 < k - 2 * p <= s for k, s, p in zip(kernel, stride, padding, strict=True)):
        return None  # as many pixels do not fit, which oneDNN's way reports
    if g.size * w.shape[1] * prod(kernel) < LEAST:
        return None
    taps = [_taps(*each) for each in zip(kernel, stride, padding, strict=True)]
    reach = [max(abs(ahead) for phase in phases for _, ahead in phase) for phases in taps]
    if 4 * prod(2 * r + 1 for r in reach) > 3 * prod(kernel):
        return None
    found = convolution(g, _filters(w, stride, taps, reach), tuple(reach))
    if type(found) is not np.ndarray:
        return None
    # A pixel that is not finite makes nan of its products with the elements that filters lack.
    with np.errstate(all="ignore"):
        if not np.isfinite(found.sum()):
            return None
    return _interleaved(found, w.shape[1], size, stride)


def _taps(kernel: int, stride: int, padding: int) -> list[list[Tap]]:
    """Return, for each remainder of a place by the stride, what it is the sum of."""
    return [
        [(k, (a + padding - k) // stride) for k in range((a + padding) % stride, kernel, stride)]
        for a in range(stride)
    ]


def _filters(w: Array, stride: Sizes, taps: list[list[list[Tap]]], reach: list[int]) -> Array:
    """Return filters of which those of one remainder stand together."""
    size = [2 * r + 1 for r in reach]
    filters = np.zeros((*stride, w.shape[1], w.shape[0], *size), np.float32)
    for phase in product(*(range(s) for s in stride)):
        for chosen in product(*(of[a] for of, a in zip(taps, phase, strict=True))):
            element = tuple(k for k, _ in chosen)
            place = tuple(ahead + r for (_, ahead), r in zip(chosen, reach, strict=True))
            whole: Any = (*phase, ..., *place)
            filters[whole] = w[(..., *element)].T
    return filters.reshape(-1, w.shape[0], *size)


def _interleaved(found: Array, channels: int, size: Sizes, stride: Sizes) -> Array:
    """Return images, from those whose channels are pixels that lie side by side."""
    count, dims = len(found), len(stride)
    images = empty_images((count, channels, *size))
    rows = np.moveaxis(found, 1, -1)
    rows = rows.reshape(*rows.shape[:-1], *stride, channels)
    pairs = [axis for i in range(dims) for axis in (1 + i, 1 + dims + i)]
    rows = rows.transpose(0, *pairs, 1 + 2 * dims)
    np.copyto(np.moveaxis(images, 1, -1).reshape(rows.shape), rows)
    return images
