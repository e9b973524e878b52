"""Borders around the last dimensions: constant, reflected, replicated, circular."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..kernels import padding as kernels
from .batch_rules import leading
from .registry import Array, Sample, operation

Borders = Sequence[tuple[int, int]]


def _borders(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4, 5))
    yield Sample(x, padding=[(1, 2), (0, 3)])
    yield Sample(x, padding=[(-1, 1), (2, -2)])
    yield Sample(x.astype(np.float32).T, padding=[(1, 0)])
    yield Sample(x, padding=[(1, 1), (2, 0), (-1, -1)])


def _bordered(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample(rng.normal(size=(2, 7, 8)), padding=[(1, 2), (0, 3)])
    yield Sample(rng.normal(size=(2, 4, 5)), padding=[(-1, 1), (2, -2)])


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


def _opposite(padding: Borders) -> Borders:
    return [(-before, -after) for before, after in padding]


pad.def_vjp(x=lambda xp, g, padding: xp.pad(g, padding=_opposite(padding)))
pad.def_jvp(x=lambda xp, g, padding: xp.pad(g, padding=padding))


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


@operation(samples=_bordered)
def pad_reflect_gradient(xp: Any, y: Array, *, padding: Borders) -> Array:
    """Return the gradient of `pad_reflect` by its input: borders folded back and added.

    Parameters
    ----------
    y : Tensor
        The gradient of the padded output, of its shape.
    padding : sequence of (before, after)

    Returns
    -------
    Tensor
        Shape of the input.

    Raises
    ------
    ShapeError
        If no input has an output of this shape.
    """
    return kernels.pad_reflect_gradient(xp, y, padding=padding)


pad_reflect.def_vjp(x=lambda xp, g, padding: xp.pad_reflect_gradient(g, padding=padding))
pad_reflect.def_jvp(x=lambda xp, g, padding: xp.pad_reflect(g, padding=padding))
pad_reflect_gradient.def_vjp(y=lambda xp, g, padding: xp.pad_reflect(g, padding=padding))
pad_reflect_gradient.def_jvp(y=lambda xp, g, padding: xp.pad_reflect_gradient(g, padding=padding))


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


@operation(samples=_bordered)
def pad_replicate_gradient(xp: Any, y: Array, *, padding: Borders) -> Array:
    """Return the gradient of `pad_replicate` by its input: borders added to the edges.

    Parameters
    ----------
    y : Tensor
        The gradient of the padded output, of its shape.
    padding : sequence of (before, after)

    Returns
    -------
    Tensor
        Shape of the input.

    Raises
    ------
    ShapeError
        If no input has an output of this shape.
    """
    return kernels.pad_replicate_gradient(xp, y, padding=padding)


pad_replicate.def_vjp(x=lambda xp, g, padding: xp.pad_replicate_gradient(g, padding=padding))
pad_replicate.def_jvp(x=lambda xp, g, padding: xp.pad_replicate(g, padding=padding))
pad_replicate_gradient.def_vjp(y=lambda xp, g, padding: xp.pad_replicate(g, padding=padding))
pad_replicate_gradient.def_jvp(
    y=lambda xp, g, padding: xp.pad_replicate_gradient(g, padding=padding)
)


@operation(samples=_borders)
def pad_circular(xp: Any, x: Array, *, padding: Borders) -> Array:
    """Return x with borders that go on at the other end of its last dimensions.

    Parameters
    ----------
    x : Tensor, shape (..., *spatial)
    padding : sequence of (before, after)
        As for `pad`; each at most the dimension.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a padding is too large or too much is cropped.
    """
    return kernels.pad_circular(xp, x, padding=padding)


@operation(samples=_bordered)
def pad_circular_gradient(xp: Any, y: Array, *, padding: Borders) -> Array:
    """Return the gradient of `pad_circular` by its input: borders added at the other end.

    Parameters
    ----------
    y : Tensor
        The gradient of the padded output, of its shape.
    padding : sequence of (before, after)

    Returns
    -------
    Tensor
        Shape of the input.

    Raises
    ------
    ShapeError
        If no input has an output of this shape.
    """
    return kernels.pad_circular_gradient(xp, y, padding=padding)


pad_circular.def_vjp(x=lambda xp, g, padding: xp.pad_circular_gradient(g, padding=padding))
pad_circular.def_jvp(x=lambda xp, g, padding: xp.pad_circular(g, padding=padding))
pad_circular_gradient.def_vjp(y=lambda xp, g, padding: xp.pad_circular(g, padding=padding))
pad_circular_gradient.def_jvp(y=lambda xp, g, padding: xp.pad_circular_gradient(g, padding=padding))

for _op in (
    pad,
    pad_reflect,
    pad_reflect_gradient,
    pad_replicate,
    pad_replicate_gradient,
    pad_circular,
    pad_circular_gradient,
):
    _op.def_batch(leading(0))
