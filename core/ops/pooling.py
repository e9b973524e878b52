"""Max and average pooling, to a given window or a given size, and max unpooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import adaptive_pooling, pooling
from .registry import Array, Sample, operation
from .spatial import PerDimension, per_dimension


def _images(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 7, 6))
    yield Sample(x, kernel=2)
    yield Sample(x, kernel=(3, 2), stride=(2, 1), padding=(1, 0))
    yield Sample(x, kernel=3, stride=2, padding=1, ceil_mode=True)
    yield Sample(x[..., 0], kernel=3, ceil_mode=True)
    yield Sample(x[:, :, None].astype(np.float32), kernel=(1, 2, 2))
    yield Sample(x[::-1, :, ::2], kernel=2)


def _to_size(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 7, 6))
    yield Sample(x, out=1)
    yield Sample(x, out=(3, 4))
    yield Sample(x[..., 0].astype(np.float32), out=2)
    yield Sample(x[:, :, None], out=(2, 7, 3))


def _pooled(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 2, 4))
    yield Sample(x, rng.integers(0, 32, x.shape), size=(4, 8))


@operation(samples=_images, outputs=("values", "indices"))
def max_pool(
    xp: Any,
    x: Array,
    *,
    kernel: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    dilation: PerDimension = 1,
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    """Return the maximum of each window, and where it is.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    kernel : int or tuple of int
        Size of the window.
    stride : int or tuple of int, optional
        By default that of the window.
    padding, dilation : int or tuple of int
        Padding is never the maximum.
    ceil_mode : bool
        Whether the output's size is rounded up.

    Returns
    -------
    values : Tensor, shape (N, C, *out)
    indices : Tensor of int64, shape (N, C, *out)
        Flat index in the plane, from 0, of the first maximum in row-major order.

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    As in Torch7, nan is passed over; a window of nothing but nan, minus infinity and padding
    gives minus infinity and the index -1.
    Source: torch/nn SpatialMaxPooling.lua, SpatialDilatedMaxPooling.lua
    """
    return pooling.max_pool(
        xp,
        x,
        kernel=per_dimension(kernel, x),
        stride=per_dimension(kernel if stride is None else stride, x),
        padding=per_dimension(padding, x),
        dilation=per_dimension(dilation, x),
        ceil_mode=ceil_mode,
    )


@operation(samples=_images)
def avg_pool(
    xp: Any,
    x: Array,
    *,
    kernel: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the average of each window.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    kernel : int or tuple of int
        Size of the window.
    stride : int or tuple of int, optional
        By default that of the window.
    padding : int or tuple of int
    ceil_mode : bool
        Whether the output's size is rounded up.
    count_include_pad : bool
        Whether the zeros of the padding count; what ceil mode adds beyond it never does.

    Returns
    -------
    Tensor, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialAveragePooling.lua
    """
    return pooling.avg_pool(
        xp,
        x,
        kernel=per_dimension(kernel, x),
        stride=per_dimension(kernel if stride is None else stride, x),
        padding=per_dimension(padding, x),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


@operation(samples=_pooled)
def max_unpool(xp: Any, x: Array, indices: Array, *, size: PerDimension) -> Array:
    """Return zeros with x put back at the places that `max_pool` took it from.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial)
    indices : Tensor of int, shape of x
        From `max_pool`; where one repeats in a plane, the last wins.
    size : int or tuple of int
        Spatial size of the output.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.

    Notes
    -----
    Source: torch/nn SpatialMaxUnpooling.lua
    """
    return pooling.max_unpool(xp, x, indices, size=per_dimension(size, x))


@operation(samples=_to_size)
def adaptive_avg_pool(xp: Any, x: Array, *, out: PerDimension) -> Array:
    """Return averages over windows that share out the image.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    out : int or tuple of int
        Spatial size of the output.

    Returns
    -------
    Tensor, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialAdaptiveAveragePooling.lua
    """
    return adaptive_pooling.adaptive_avg_pool(xp, x, out=per_dimension(out, x))


@operation(samples=_to_size, outputs=("values", "indices"))
def adaptive_max_pool(xp: Any, x: Array, *, out: PerDimension) -> tuple[Array, Array]:
    """Return the maximum of windows that share out the image, and where it is.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    out : int or tuple of int
        Spatial size of the output.

    Returns
    -------
    values : Tensor, shape (N, C, *out)
    indices : Tensor of int64, shape (N, C, *out)
        Flat index in the plane, from 0, of the first maximum in row-major order.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialAdaptiveMaxPooling.lua
    """
    return adaptive_pooling.adaptive_max_pool(xp, x, out=per_dimension(out, x))
