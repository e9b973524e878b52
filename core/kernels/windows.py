"""Sliding windows: output sizes, windows of pooling, what a tap sees of an image, sums.

A window of `kernel` elements, `dilation` apart, moves by `stride` over an image with `padding`
on both sides. A tap is one position inside the window; what it sees of the image while the
window moves is a strided slice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import ShapeError
from .checks import Array, floating, sizes, spatial_ndim

Slices = tuple[slice, ...]
Range = tuple[int, int]


def convolution_size(
    kernel_name: str,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """Return the spatial size of a convolution's output.

    Returns
    -------
    tuple of int
        floor((size + 2*padding - dilation*(kernel-1) - 1) / stride) + 1

    Raises
    ------
    ShapeError
        If the window is larger than the padded image.
    """
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    _check_output(kernel_name, size, out, kernel, padding)
    return out


def transposed_size(
    kernel_name: str,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    extra: Sequence[int],
) -> tuple[int, ...]:
    """Return the spatial size of a transposed convolution's output.

    Returns
    -------
    tuple of int
        (size-1)*stride - 2*padding + dilation*(kernel-1) + 1 + extra; `extra`, below the stride,
        is Torch7's adjustment (adjW, adjH).

    Raises
    ------
    ShapeError
        If a parameter has the wrong length or range.
    """
    ndim = len(size)
    steps = sizes(kernel_name, "stride", stride, ndim, 1)
    border = sizes(kernel_name, "padding", padding, ndim, 0)
    gaps = sizes(kernel_name, "dilation", dilation, ndim, 1)
    more = sizes(kernel_name, "extra", extra, ndim, 0)
    if any(e >= s for e, s in zip(more, steps, strict=True)):
        raise ShapeError(f"{kernel_name}: extra {more} has to be smaller than the stride {steps}")
    window = sizes(kernel_name, "kernel", kernel, ndim, 1)
    return tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + e
        for n, k, s, p, d, e in zip(size, window, steps, border, gaps, more, strict=True)
    )


def pooling_size(
    kernel_name: str,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[int, ...]:
    """Return the spatial size of a pooling's output, by Torch7's rules.

    The division rounds up in ceil mode. With padding anywhere, the last window must start
    inside the image or its left padding; without, it may start behind the image.
    Source: lib/THNN/generic/SpatialDilatedMaxPooling.c, SpatialAveragePooling.c

    Raises
    ------
    ShapeError
        If padding is more than half the kernel, or no window fits.
    """
    if any(2 * p > k for k, p in zip(kernel, padding, strict=True)):
        raise ShapeError(
            f"{kernel_name}: padding is at most half the kernel size; "
            f"given padding {tuple(padding)} and kernel {tuple(kernel)}"
        )
    out = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if any(padding) and (count - 1) * s >= n + p:
            count -= 1
        out.append(count)
    _check_output(kernel_name, size, out, kernel, padding)
    return tuple(out)


class Window(NamedTuple):
    """A checked pooling window."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    out: tuple[int, ...]

    def border(self, size: Sequence[int]) -> list[tuple[int, int]]:
        """Return the padding with which the last window lies inside an image of this size."""
        return [
            (p, max((o - 1) * s + d * (k - 1) + 1 - n - p, 0))
            for n, k, s, p, d, o in zip(size, *self, strict=True)
        ]


def window_of(
    xp: Any,
    name: str,
    x: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Window:
    """Return the window of a pooling of images, checked.

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.
    """
    floating(xp, name, x)
    ndim = spatial_ndim(name, x)
    width = sizes(name, "kernel", kernel, ndim, 1)
    steps = sizes(name, "stride", stride, ndim, 1)
    border = sizes(name, "padding", padding, ndim, 0)
    gaps = sizes(name, "dilation", dilation, ndim, 1)
    out = pooling_size(name, x.shape[2:], width, steps, border, gaps, ceil_mode)
    return Window(width, steps, border, gaps, out)


def taps(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Slices]]:
    """Yield each position in the window, in row-major order, with the slices that it sees.

    Yields
    ------
    tap : tuple of int
    slices : tuple of slice
        Of the padded image's spatial dimensions, each `out` elements long.
    """
    for tap in itertools.product(*(range(k) for k in kernel)):
        yield (
            tap,
            tuple(
                slice(t * d, t * d + (o - 1) * s + 1, s)
                for t, s, d, o in zip(tap, stride, dilation, out, strict=True)
            ),
        )


def sum_windows(xp: Any, x: Array, axis: int, kernel: int, stride: int, out: int) -> Array:
    """Return the sums of `out` windows that slide along one axis.

    Parameters
    ----------
    x : array
        At least (out-1)*stride + kernel long along `axis`.
    axis, kernel, stride, out : int

    Returns
    -------
    array
        Shape of x, with `out` along `axis`.
    """
    views = [x[_along(axis, t, stride, out)] for t in range(kernel)]
    total = xp.array(views[0], copy=True, order="C")
    for view in views[1:]:
        total += view
    return total


def spread_windows(xp: Any, g: Array, axis: int, kernel: int, stride: int, size: int) -> Array:
    """Return the transpose of `sum_windows`: each element added to all of its window.

    Parameters
    ----------
    g : array
        One element per window along `axis`.
    axis, kernel, stride : int
    size : int
        Length of the result along `axis`.
    """
    shape = list(g.shape)
    shape[axis] = size
    out = xp.zeros(shape, g.dtype)
    for t in range(kernel):
        out[_along(axis, t, stride, g.shape[axis])] += g
    return out


def sum_ranges(xp: Any, x: Array, axis: int, ranges: Sequence[Range]) -> Array:
    """Return the sums of x over ranges of indices along one axis.

    Parameters
    ----------
    x : array
    axis : int
        From 0.
    ranges : sequence of (start, stop)
        They may overlap, and be empty.

    Returns
    -------
    array
        Shape of x, with len(ranges) along `axis`.
    """
    before = (slice(None),) * axis
    shape = list(x.shape)
    shape[axis] = len(ranges)
    out = xp.empty(shape, x.dtype)
    for i, (start, stop) in enumerate(ranges):
        out[(*before, i)] = x[(*before, slice(start, stop))].sum(axis=axis, dtype=x.dtype)
    return out


def spread_ranges(xp: Any, g: Array, axis: int, ranges: Sequence[Range], size: int) -> Array:
    """Return the transpose of `sum_ranges`: each element added to all of its range.

    Parameters
    ----------
    g : array
        With len(ranges) along `axis`.
    size : int
        Length of the result along `axis`.
    """
    before = (slice(None),) * axis
    shape = list(g.shape)
    shape[axis] = size
    out = xp.zeros(shape, g.dtype)
    for i, (start, stop) in enumerate(ranges):
        out[(*before, slice(start, stop))] += g[(*before, slice(i, i + 1))]
    return out


def _along(axis: int, start: int, stride: int, count: int) -> Slices:
    """Return the index that takes `count` elements along an axis (from 0, not from the end)."""
    return (*(slice(None),) * axis, slice(start, start + (count - 1) * stride + 1, stride))


def _check_output(
    kernel_name: str,
    size: Sequence[int],
    out: Sequence[int],
    kernel: Sequence[int],
    padding: Sequence[int],
) -> None:
    if any(o < 1 for o in out):
        raise ShapeError(
            f"{kernel_name}: an image of size {tuple(size)} with padding {tuple(padding)} is too "
            f"small for a kernel of size {tuple(kernel)}; the output would have size {tuple(out)}"
        )
