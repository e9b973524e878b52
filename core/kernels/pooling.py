"""Max pooling and unpooling, and their gradients.

Sizes follow Torch7 (`windows.pooling_size`). Indices are flat positions in the unpadded plane,
from 0; -1 says that a window held nothing above minus infinity, which has no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from .checks import Array, index_range, same_shape, sizes, spatial_ndim, wide
from .dispatch import dispatched
from .indexing import spread
from .padding import pad
from .windows import Window, taps, window_of

_BLOCK_BYTES = 1 << 21
"""How much of the images max_pool looks at at a time, near a core's L2 cache."""


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
