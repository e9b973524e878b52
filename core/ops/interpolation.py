"""Upsampling: nearest neighbour and linear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import interpolation as kernels
from .batch_rules import folded
from .registry import Array, Sample, operation
from .spatial import PerDimension, per_dimension


def _images(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4, 3))
    yield Sample(x, size=(8, 9))
    yield Sample(x.astype(np.float32), size=(3, 7))
    yield Sample(x[..., 0], size=5)
    yield Sample(x[:, :, None], size=(2, 4, 6))


def _linear(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in _images(rng):
        yield Sample(*sample.arrays, **sample.params, align_corners=False)
    yield Sample(rng.normal(size=(1, 2, 3, 2)), size=(5, 4), align_corners=True)


def _resized(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample(rng.normal(size=(2, 3, 5, 2)), size=(3, 4))
    yield Sample(rng.normal(size=(2, 3, 4)), size=3)


@operation(samples=_images)
def upsample_nearest(xp: Any, x: Array, *, size: PerDimension) -> Array:
    """Return images of another size in which each pixel repeats its nearest neighbour.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial)
    size : int or tuple of int
        Spatial size of the result.

    Returns
    -------
    Tensor, shape (N, C, *size)
        Pixel i of m is pixel floor(i*n/m) of n.

    Raises
    ------
    ShapeError
        If shapes do not fit.

    Notes
    -----
    Source: torch/nn SpatialUpSamplingNearest.lua
    """
    return kernels.upsample_nearest(xp, x, size=per_dimension(size, x))


@operation(samples=_resized)
def upsample_nearest_gradient(xp: Any, y: Array, *, size: PerDimension) -> Array:
    """Return the gradient of `upsample_nearest`: the sum of what each pixel became.

    Parameters
    ----------
    y : Tensor, shape (N, C, *out), floating
        The gradient of the resized images.
    size : int or tuple of int
        Spatial size of the original images.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.
    """
    return kernels.upsample_nearest_gradient(xp, y, size=per_dimension(size, y))


upsample_nearest.def_vjp(x=lambda xp, g, x_shape: xp.upsample_nearest_gradient(g, size=x_shape[2:]))
upsample_nearest.def_jvp(x=lambda xp, g, size: xp.upsample_nearest(g, size=size))
upsample_nearest_gradient.def_vjp(y=lambda xp, g, y_shape: xp.upsample_nearest(g, size=y_shape[2:]))
upsample_nearest_gradient.def_jvp(y=lambda xp, g, size: xp.upsample_nearest_gradient(g, size=size))


@operation(samples=_linear)
def upsample_linear(xp: Any, x: Array, *, size: PerDimension, align_corners: bool = True) -> Array:
    """Return images of another size, interpolated (bi-, tri-) linearly.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    size : int or tuple of int
        Spatial size of the result.
    align_corners : bool
        Whether the centres of the corner pixels stay where they are, as in Torch7, or their
        outer edges, as by default in PyTorch.

    Returns
    -------
    Tensor, shape (N, C, *size)
        Pixel i of m lies at i*(n-1)/(m-1) of n with aligned corners, otherwise at
        (i+0.5)*n/m - 0.5, but not before the first pixel.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialUpSamplingBilinear.lua, UpSampling.lua
    """
    return kernels.upsample_linear(xp, x, size=per_dimension(size, x), align_corners=align_corners)


@operation(samples=_resized)
def upsample_linear_gradient(
    xp: Any, y: Array, *, size: PerDimension, align_corners: bool = True
) -> Array:
    """Return the gradient of `upsample_linear` by its input.

    Parameters
    ----------
    y : Tensor, shape (N, C, *out), floating
        The gradient of the resized images.
    size : int or tuple of int
        Spatial size of the original images.
    align_corners : bool
        That of the interpolation.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.
    """
    return kernels.upsample_linear_gradient(
        xp, y, size=per_dimension(size, y), align_corners=align_corners
    )


upsample_linear.def_vjp(
    x=lambda xp, g, x_shape, align_corners: xp.upsample_linear_gradient(
        g, size=x_shape[2:], align_corners=align_corners
    )
)
upsample_linear.def_jvp(
    x=lambda xp, g, size, align_corners: xp.upsample_linear(
        g, size=size, align_corners=align_corners
    )
)
upsample_linear_gradient.def_vjp(
    y=lambda xp, g, y_shape, align_corners: xp.upsample_linear(
        g, size=y_shape[2:], align_corners=align_corners
    )
)
upsample_linear_gradient.def_jvp(
    y=lambda xp, g, size, align_corners: xp.upsample_linear_gradient(
        g, size=size, align_corners=align_corners
    )
)

for _op in (upsample_nearest, upsample_nearest_gradient, upsample_linear, upsample_linear_gradient):
    _op.def_batch(folded)
