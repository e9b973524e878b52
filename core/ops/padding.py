"""Borders around the last dimensions: constant, reflected, replicated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..kernels import padding as kernels
from .registry import Array, Sample, operation

Borders = Sequence[tuple[int, int]]


def _borders(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4, 5))
    yield Sample(x, padding=[(1, 2), (0, 3)])
    yield Sample(x, padding=[(-1, 1), (2, -2)])
    yield Sample(x.astype(np.float32).T, padding=[(1, 0)])
    yield Sample(x, padding=[(1, 1), (2, 0), (-1, -1)])


@operation(samples=_borders)
def pad(xp: Any, x: Array, *, padding: Borders, value: float = 0.0) -> Array:
    """Return x with a border of one value around its last dimensions.

    Parameters
    ----------
    x : Tensor, shape (..., *spatial)
    padding : sequence of (before, after)
        One pair per padded dimension, the last for the last; negative numbers crop.
    value : float

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If more is cropped than there is, or there are more pairs than dimensions.

    Notes
    -----
    Source: torch/nn SpatialZeroPadding.lua
    """
    return kernels.pad(xp, x, padding=padding, value=value)


@operation(samples=_borders)
def pad_reflect(xp: Any, x: Array, *, padding: Borders) -> Array:
    """Return x with borders that mirror its last dimensions; the edge itself is not repeated.

    Parameters
    ----------
    x : Tensor, shape (..., *spatial)
    padding : sequence of (before, after)
        As for `pad`; each smaller than the dimension.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a padding is too large or too much is cropped.

    Notes
    -----
    Source: torch/nn SpatialReflectionPadding.lua
    """
    return kernels.pad_reflect(xp, x, padding=padding)


@operation(samples=_borders)
def pad_replicate(xp: Any, x: Array, *, padding: Borders) -> Array:
    """Return x with borders that repeat the edge of its last dimensions.

    Parameters
    ----------
    x : Tensor, shape (..., *spatial)
    padding : sequence of (before, after)
        As for `pad`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a padded dimension is empty or too much is cropped.

    Notes
    -----
    Source: torch/nn SpatialReplicationPadding.lua
    """
    return kernels.pad_replicate(xp, x, padding=padding)
