"""Max pooling, to a given window or a given size, and max unpooling.

Where the maxima are is a result of its own; derivatives move values to and from these places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import adaptive_pooling, pooling
from .batch_rules import folded
from .registry import Array, Sample, operation
from .spatial import PerDimension, images_to_pool, images_to_resize, per_dimension


def _pooled(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 2, 4))
    yield Sample(x, rng.integers(0, 32, x.shape), size=(4, 8))


def _places(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4, 8))
    yield Sample(x, rng.integers(-1, 32, (2, 3, 2, 4)))
    yield Sample(x[..., 0], rng.integers(0, 4, (2, 3, 1)))


def _unpooled(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample(rng.normal(size=(2, 3, 4, 8)), rng.integers(0, 9, (2, 3, 2, 4)))


@operation(samples=images_to_pool, outputs=("values", "indices"))
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


def _back(xp: Any, g: Any, indices: Any, x_shape: tuple[int, ...]) -> Any:
    return xp.max_pool_gradient(g[0], indices, size=x_shape[2:])


def _forward(xp: Any, g: Any, indices: Any) -> Any:
    return [xp.max_pool_at(g, indices), None]


# The first of equal maxima has all of the gradient.
max_pool.def_vjp(x=_back)
max_pool.def_jvp(x=_forward)


@operation(samples=images_to_resize, outputs=("values", "indices"))
def adaptive_max_pool(xp: Any, x: Array, *, size: PerDimension) -> tuple[Array, Array]:
    """Return the maximum of windows that share out the image, and where it is.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    size : int or tuple of int
        Spatial size of the output.

    Returns
    -------
    values : Tensor, shape (N, C, *size)
    indices : Tensor of int64, shape (N, C, *size)
        Flat index in the plane, from 0, of the first maximum in row-major order.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialAdaptiveMaxPooling.lua
    """
    return adaptive_pooling.adaptive_max_pool(xp, x, out=per_dimension(size, x))


adaptive_max_pool.def_vjp(x=_back)
adaptive_max_pool.def_jvp(x=_forward)


@operation(samples=_pooled)
def max_pool_gradient(xp: Any, y: Array, indices: Array, *, size: PerDimension) -> Array:
    """Return the gradient of max pooling: zeros with y added where the maxima were.

    Parameters
    ----------
    y : Tensor, shape (N, C, *out)
        The gradient of the maxima.
    indices : Tensor of int, shape of y
        From `max_pool` or `adaptive_max_pool`; what has the index -1 is left out.
    size : int or tuple of int
        Spatial size of the pooling's input.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.
    """
    return pooling.max_pool_gradient(xp, y, indices, size=per_dimension(size, y))


@operation(samples=_places)
def max_pool_at(xp: Any, x: Array, indices: Array) -> Array:
    """Return the elements of images that max pooling chose, in these or other images.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial)
    indices : Tensor of int, shape (N, C, *out)
        From `max_pool` or `adaptive_max_pool`; the index -1 gives 0.

    Returns
    -------
    Tensor
        Shape of `indices`.

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.
    """
    return pooling.max_pool_at(xp, x, indices)


max_pool_gradient.def_vjp(y=lambda xp, g, indices: xp.max_pool_at(g, indices))
max_pool_gradient.def_jvp(
    y=lambda xp, g, indices, size: xp.max_pool_gradient(g, indices, size=size)
)
max_pool_at.def_vjp(
    x=lambda xp, g, indices, x_shape: xp.max_pool_gradient(g, indices, size=x_shape[2:])
)
max_pool_at.def_jvp(x=lambda xp, g, indices: xp.max_pool_at(g, indices))


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


@operation(samples=_unpooled)
def max_unpool_gradient(xp: Any, y: Array, indices: Array) -> Array:
    """Return the gradient of `max_unpool`: y read at the places that were written to.

    Parameters
    ----------
    y : Tensor, shape (N, C, *size)
        The gradient of the output.
    indices : Tensor of int, shape (N, C, *spatial)

    Returns
    -------
    Tensor
        Shape of `indices`; 0 for what a later value of the same index overwrote.

    Raises
    ------
    ShapeError, BoundsError
        If shapes do not fit or an index is outside.
    """
    return pooling.max_unpool_gradient(xp, y, indices)


max_unpool.def_vjp(x=lambda xp, g, indices: xp.max_unpool_gradient(g, indices))
max_unpool.def_jvp(x=lambda xp, g, indices, size: xp.max_unpool(g, indices, size=size))
max_unpool_gradient.def_vjp(
    y=lambda xp, g, indices, y_shape: xp.max_unpool(g, indices, size=y_shape[2:])
)
max_unpool_gradient.def_jvp(y=lambda xp, g, indices: xp.max_unpool_gradient(g, indices))

for _op in (
    max_pool,
    adaptive_max_pool,
    max_pool_gradient,
    max_pool_at,
    max_unpool,
    max_unpool_gradient,
):
    _op.def_batch(folded)
