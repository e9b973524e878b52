"""Max and average pooling, max unpooling, and their gradients.

Sizes follow Torch7 (`windows.pooling_size`). Indices are flat positions in the unpadded plane,
from 0; -1 says that a window held nothing above minus infinity, which has no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .checks import Array, floating, index_range, same_shape, sizes, spatial_ndim, wide
from .dispatch import dispatched
from .indexing import spread
from .padding import pad
from .windows import pooling_size, spread_windows, sum_windows, taps

_BLOCK_BYTES = 1 << 21
"""How much of the images max_pool looks at at a time, near a core's L2 cache."""


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


@dispatched("fused.pooling", least=1024)
def max_pool(
    xp: Any,
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    """Return the maximum of each window and where it is.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    kernel, stride, padding, dilation : tuple of int
        One per spatial dimension; padding is never the maximum.
    ceil_mode : bool
        Whether the output's size is rounded up.

    Returns
    -------
    values : array, shape (N, C, *out)
    indices : array of int64, shape (N, C, *out)
        Flat index in the plane, of the first maximum in row-major order.

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    As in Torch7, nan is never larger: it is passed over, and a window of nothing else has the
    value minus infinity and the index -1.
    Source: lib/THNN/generic/SpatialDilatedMaxPooling.c
    """
    window = window_of(xp, "max_pool", x, kernel, stride, padding, dilation, ceil_mode)
    values = xp.empty((*x.shape[:2], *window.out), x.dtype)
    indices = xp.empty(values.shape, xp.int64)
    step = max(_BLOCK_BYTES // max(x[:1].size * x.itemsize, 1), 1)
    for n in range(0, x.shape[0], step):
        block = slice(n, n + step)
        values[block], indices[block] = _max_pool_block(xp, x[block], window)
    return values, indices


@dispatched("onednn.pooling", least=1024)
def max_pool_values(
    xp: Any,
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool = False,
) -> Array:
    """Return the maximum of each window alone: the first result of `max_pool`."""
    steps: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    return max_pool(xp, x, kernel=kernel, ceil_mode=ceil_mode, **steps)[0]


@dispatched("fused.pooling", least=1024)
def max_pool_gradient(xp: Any, g: Array, indices: Array, *, size: Sequence[int]) -> Array:
    """Return the gradient of `max_pool` by its input: g added at the maxima.

    Parameters
    ----------
    g : array, shape (N, C, *out), floating
    indices : array of int, shape of g
        From `max_pool` or `adaptive_max_pool`; -1 is left out.
    size : tuple of int
        Spatial size of the input.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.
    """
    name = "max_pool_gradient"
    same_shape(name, "indices", indices, g.shape)
    batch, channels = g.shape[:2]
    spatial = sizes(name, "size", size, spatial_ndim(name, g), 1)
    index_range(xp, name, indices, prod(spatial), least=-1)
    nothing = indices < 0
    source, places = g, indices
    if nothing.any():
        source = xp.where(nothing, g.dtype.type(0), g)
        places = xp.where(nothing, 0, indices)
    planes = (xp.arange(batch * channels) * prod(spatial))[:, None]
    places = places.reshape(batch * channels, prod(indices.shape[2:])) + planes
    return spread(xp, (batch, channels, *spatial), places, source)


def max_pool_at(xp: Any, x: Array, indices: Array) -> Array:
    """Return the elements of images at the places that `max_pool` found: its linear part.

    Parameters
    ----------
    x : array, shape (N, C, *spatial)
    indices : array of int, shape (N, C, *out)
        From `max_pool` or `adaptive_max_pool`; -1 gives 0.

    Returns
    -------
    array, shape of `indices`

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.
    """
    name = "max_pool_at"
    same_shape(name, "indices", indices, (*x.shape[:2], *indices.shape[2:]))
    index_range(xp, name, indices, prod(x.shape[2:]), least=-1)
    # Where the index is -1 this reads the last element, which is then replaced.
    return xp.where(indices < 0, x.dtype.type(0), _read(xp, x, indices))


def max_unpool(xp: Any, x: Array, indices: Array, *, size: Sequence[int]) -> Array:
    """Return zeros with x put back at the places that `max_pool` took it from.

    Parameters
    ----------
    x : array, shape (N, C, *spatial)
    indices : array of int, shape of x
        Flat positions in the output's planes; where one repeats, the last wins.
    size : tuple of int
        Spatial size of the output.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.

    Notes
    -----
    Source: lib/THNN/generic/SpatialMaxUnpooling.c
    """
    name = "max_unpool"
    same_shape(name, "indices", indices, x.shape)
    spatial = sizes(name, "size", size, spatial_ndim(name, x), 1)
    index_range(xp, name, indices, prod(spatial))
    batch, channels = x.shape[:2]
    out = xp.zeros((batch, channels, prod(spatial)), x.dtype)
    # NumPy writes in the order of its operands' memory; the last wins in row-major order.
    index = xp.ascontiguousarray(indices).reshape(batch, channels, prod(indices.shape[2:]))
    source = xp.ascontiguousarray(x).reshape(index.shape)
    xp.put_along_axis(out, index, source, axis=2)
    return out.reshape(batch, channels, *spatial)


def max_unpool_gradient(xp: Any, g: Array, indices: Array) -> Array:
    """Return the gradient of `max_unpool` by its input: g read at the indices.

    Parameters
    ----------
    g : array, shape (N, C, *size)
    indices : array of int, shape (N, C, *spatial)

    Returns
    -------
    array, shape of `indices`
        0 for what a later value of the same index overwrote.

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.

    Notes
    -----
    Torch7 and PyTorch read g for the overwritten values too.
    Source: lib/THNN/generic/SpatialMaxUnpooling.c
    """
    name = "max_unpool_gradient"
    same_shape(name, "indices", indices, (*g.shape[:2], *indices.shape[2:]))
    order = xp.arange(prod(indices.shape[2:])).reshape(indices.shape[2:])
    order = xp.broadcast_to(order, indices.shape)
    last = _read(xp, max_unpool(xp, order, indices, size=g.shape[2:]), indices)
    return xp.where(last == order, _read(xp, g, indices), g.dtype.type(0))


def _read(xp: Any, x: Array, indices: Array) -> Array:
    """Return what planes hold at flat indices."""
    planes = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    index = indices.reshape(*x.shape[:2], prod(indices.shape[2:]))
    return xp.take_along_axis(planes, index, axis=2).reshape(indices.shape)


@dispatched("fused.pooling", least=1024)
def avg_pool(
    xp: Any,
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the average of each window.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    kernel, stride, padding : tuple of int
        One per spatial dimension.
    ceil_mode : bool
        Whether the output's size is rounded up.
    count_include_pad : bool
        Whether the zeros of the padding count; what ceil mode adds beyond it never does.

    Returns
    -------
    array, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    A window that lies behind the image (ceil mode without padding) gives 0, or nan where it
    holds no element at all, as in Torch7.
    Source: lib/THNN/generic/SpatialAveragePooling.c
    """
    window = window_of(xp, "avg_pool", x, kernel, stride, padding, (1,) * (x.ndim - 2), ceil_mode)
    total = wide(xp, x)
    if any(map(any, window.border(x.shape[2:]))):
        total = pad(xp, total, padding=window.border(x.shape[2:]))
    for axis in range(x.ndim - 1, 1, -1):
        k, s, o = window.kernel[axis - 2], window.stride[axis - 2], window.out[axis - 2]
        total = sum_windows(xp, total, axis, k, s, o)
    counts = counts_of(xp, window, x.shape[2:], total.dtype, count_include_pad)
    return (total / counts).astype(x.dtype, copy=False)


@dispatched("onednn.pooling", least=1024)
def avg_pool_values(
    xp: Any,
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return what `avg_pool` does, where no gradient will be asked for."""
    steps: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    return avg_pool(xp, x, kernel=kernel, count_include_pad=count_include_pad, **steps)


@dispatched("fused.pooling", least=1024)
def avg_pool_gradient(
    xp: Any,
    g: Array,
    *,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the gradient of `avg_pool` by its input.

    Parameters
    ----------
    g : array, shape (N, C, *out), floating
    size : tuple of int
        Spatial size of the input.
    kernel, stride, padding, ceil_mode, count_include_pad
        Those of the pooling.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.
    """
    name = "avg_pool_gradient"
    spatial = sizes(name, "size", size, spatial_ndim(name, g), 1)
    image = xp.broadcast_to(xp.zeros((), g.dtype), (*g.shape[:2], *spatial))
    window = window_of(xp, name, image, kernel, stride, padding, (1,) * len(spatial), ceil_mode)
    same_shape(name, "g", g, (*g.shape[:2], *window.out))
    spread = wide(xp, g) / counts_of(xp, window, spatial, wide(xp, g).dtype, count_include_pad)
    border = window.border(spatial)
    for axis in range(2, g.ndim):
        k, s = window.kernel[axis - 2], window.stride[axis - 2]
        length = spatial[axis - 2] + sum(border[axis - 2])
        spread = spread_windows(xp, spread, axis, k, s, length)
    spread = pad(xp, spread, padding=[(-before, -after) for before, after in border])
    return spread.astype(g.dtype, copy=False)


def _max_pool_block(xp: Any, x: Array, window: Window) -> tuple[Array, Array]:
    """Return values and indices of a few images, whose temporaries fit the cache."""
    size, width = x.shape[2:], window.kernel
    image = pad(xp, wide(xp, x), padding=window.border(size), value=-xp.inf)
    steps = taps(width, window.stride, window.dilation, window.out)
    views = [image[(..., *seen)] for _, seen in steps]
    values = xp.full((*x.shape[:2], *window.out), -xp.inf, image.dtype)
    for view in views:
        xp.fmax(values, view, out=values)
    # The tap of the first maximum is the number of taps before it: byte arithmetic, several
    # times faster than keeping indices while comparing.
    tap = xp.zeros(values.shape, xp.uint8 if prod(width) < 256 else xp.int32)
    missing = values > -xp.inf
    for view in views:
        missing &= view != values
        tap += missing.view(xp.uint8)
    positions = xp.zeros((), xp.int64)
    offsets = xp.zeros((), xp.int64)
    for axis, (n, k, s, p, d, o) in enumerate(zip(size, *window, strict=True)):
        after = (1,) * (len(size) - 1 - axis)
        positions = positions * n + (xp.arange(o) * s - p).reshape(-1, *after)
        offsets = offsets * n + (xp.arange(k) * d).reshape(-1, *after)
    indices = xp.take(offsets.reshape(-1), tap) + positions
    indices[values == -xp.inf] = -1
    return values, indices


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


def counts_of(
    xp: Any, window: Window, size: Sequence[int], dtype: Any, count_include_pad: bool
) -> Array:
    """Return what each window's sum is divided by, shape `out`; nan for 0 elements."""
    counts = np.ones((), np.int64)
    for n, k, s, p, _, o in zip(size, *window, strict=True):
        start = np.arange(o) * s - p
        stop = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts = counts[..., None] * (stop - start)
    return xp.asarray(np.where(counts == 0, np.nan, counts).astype(dtype))
