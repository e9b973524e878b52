"""Upsampling: nearest neighbour and linear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import interpolation as kernels
from .registry import Array, Sample, operation
from .spatial import PerDimension, per_dimension


def _images(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4, 3))
    yield Sample(x, size=(8, 9))
    yield Sample(x.astype(np.float32), size=(3, 7))
    yield Sample(x[..., 0], size=5)
    yield Sample(x[:, :, None], size=(2, 4, 6))


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


@operation(samples=_images)
def upsample_linear(xp: Any, x: Array, *, size: PerDimension) -> Array:
    """Return images of another size, interpolated (bi-, tri-) linearly; corners stay corners.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    size : int or tuple of int
        Spatial size of the result.

    Returns
    -------
    Tensor, shape (N, C, *size)
        Pixel i of m lies at i*(n-1)/(m-1) of n.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialUpSamplingBilinear.lua, UpSampling.lua
    """
    return kernels.upsample_linear(xp, x, size=per_dimension(size, x))
