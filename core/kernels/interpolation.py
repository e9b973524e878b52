"""Upsampling: nearest neighbour and linear, in one to three spatial dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from .checks import Array, floating, sizes, spatial_ndim, wide
from .windows import Range, sum_ranges, sum_windows


def upsample_nearest(xp: Any, x: Array, *, size: Sequence[int]) -> Array:
    """Return images of another size in which each pixel repeats its nearest neighbour.

    Parameters
    ----------
    x : array, shape (N, C, *spatial)
    size : tuple of int
        Spatial size of the result.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError
        If shapes do not fit.

    Notes
    -----
    Output i of o reads input floor(i*n/o) of n.
    Source: lib/THNN/generic/SpatialUpSamplingNearest.c
    """
    wanted = _wanted("upsample_nearest", x, size)
    out = x
    for axis in range(x.ndim - 1, 1, -1):
        n, m = x.shape[axis], wanted[axis - 2]
        if n != m:
            out = xp.take(out, xp.arange(m) * n // m, axis=axis)
    return out if out is not x else x.copy()


def upsample_nearest_gradient(xp: Any, g: Array, *, size: Sequence[int]) -> Array:
    """Return the gradient of `upsample_nearest` by its input: sums over what each pixel became.

    Parameters
    ----------
    g : array, shape (N, C, *out), floating
    size : tuple of int
        Spatial size of the input.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.
    """
    floating(xp, "upsample_nearest_gradient", g)
    spatial = _wanted("upsample_nearest_gradient", g, size)
    total = wide(xp, g)
    for axis in range(g.ndim - 1, 1, -1):
        n, m = spatial[axis - 2], g.shape[axis]
        if m % n == 0:
            total = sum_windows(xp, total, axis, m // n, m // n, n)
        else:
            starts = [-(-i * m // n) for i in range(n + 1)]
            total = sum_ranges(xp, total, axis, list(itertools.pairwise(starts)))
    return total.astype(g.dtype, copy=False)


def upsample_linear(xp: Any, x: Array, *, size: Sequence[int], align_corners: bool = True) -> Array:
    """Return images of another size, interpolated (bi-, tri-) linearly.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    size : tuple of int
        Spatial size of the result.
    align_corners : bool
        Whether the centres of the corner pixels stay where they are, or their outer edges.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Output i of o reads input position i*(n-1)/(o-1) of n with aligned corners, where, as in
    Torch7, positions are float32 for every dtype; otherwise (i+0.5)*n/o - 0.5, but not before
    the first pixel, as in PyTorch.
    Source: lib/THNN/generic/SpatialUpSamplingBilinear.c, VolumetricUpSamplingTrilinear.c
    """
    floating(xp, "upsample_linear", x)
    wanted = _wanted("upsample_linear", x, size)
    out = wide(xp, x)
    for axis in range(x.ndim - 1, 1, -1):
        n, m = x.shape[axis], wanted[axis - 2]
        if n == m:
            continue
        low, fraction = _positions(n, m, align_corners)
        high = np.minimum(low + 1, n - 1)
        weight = xp.asarray(fraction.astype(out.dtype)).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        near = xp.take(out, xp.asarray(low), axis=axis)
        near *= 1 - weight
        far = xp.take(out, xp.asarray(high), axis=axis)
        far *= weight
        near += far
        out = near
    return out.astype(x.dtype, copy=out is x)


def upsample_linear_gradient(
    xp: Any, g: Array, *, size: Sequence[int], align_corners: bool = True
) -> Array:
    """Return the gradient of `upsample_linear` by its input.

    Parameters
    ----------
    g : array, shape (N, C, *out), floating
    size : tuple of int
        Spatial size of the input.
    align_corners : bool
        That of the interpolation.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.
    """
    floating(xp, "upsample_linear_gradient", g)
    spatial = _wanted("upsample_linear_gradient", g, size)
    out = wide(xp, g)
    for axis in range(2, g.ndim):
        n, m = spatial[axis - 2], g.shape[axis]
        if n == m:
            continue
        low, fraction = _positions(n, m, align_corners)
        ranges = _groups(low, n)
        weight = xp.asarray(fraction.astype(out.dtype)).reshape(-1, *(1,) * (g.ndim - 1 - axis))
        far = sum_ranges(xp, out * weight, axis, ranges)
        out = sum_ranges(xp, out * (1 - weight), axis, ranges)
        inner = (slice(None),) * axis
        out[(*inner, slice(1, None))] += far[(*inner, slice(None, -1))]
        out[(*inner, -1)] += far[(*inner, -1)]
    return out.astype(g.dtype, copy=out is g)


def _wanted(kernel: str, x: Array, size: Sequence[int]) -> tuple[int, ...]:
    wanted = sizes(kernel, "size", size, spatial_ndim(kernel, x), 1)
    if 0 in x.shape[2:]:
        raise ShapeError(f"{kernel}: an image of shape {x.shape} has no pixels")
    return wanted


def _positions(
    n: int, m: int, align_corners: bool
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return, for m outputs of n inputs, the input to the left and how far right of it."""
    if not align_corners:
        centre = np.maximum((np.arange(m) + 0.5) * n / m - 0.5, 0)
        low = np.minimum(centre.astype(np.int64), n - 1)
        return low, centre - low
    ratio = np.float32(n - 1) / np.float32(m - 1) if m > 1 else np.float32(0)
    position = ratio * np.arange(m, dtype=np.float32)
    low = np.minimum(position.astype(np.int64), n - 1)
    return low, position - low.astype(np.float32)


def _groups(low: np.ndarray[Any, Any], n: int) -> list[Range]:
    """Return, for each of n inputs, the range of outputs to whose left it lies."""
    edges = np.searchsorted(low, np.arange(n + 1)).tolist()
    return list(itertools.pairwise(edges))
