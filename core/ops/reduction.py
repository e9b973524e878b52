"""Reductions over one, several or all axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .registry import Array, Sample, operation

Axis = int | tuple[int, ...] | None


def _axes(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.uniform(0.5, 2, (3, 4, 2))
    yield Sample(x)
    yield Sample(x, axis=1)
    yield Sample(x, axis=(0, 2), keepdims=True)
    yield Sample(x.astype(np.float32).T, axis=-1)


def _positions(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2))
    yield Sample(x)
    yield Sample(x, axis=1)
    yield Sample(x, axis=0, keepdims=True)


@operation(samples=_axes, methods=("sum",))
def sum(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the sum; bool and small integers are summed as int64."""
    return xp.sum(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("prod",))
def prod(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the product; bool and small integers are multiplied as int64."""
    return xp.prod(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("mean",))
def mean(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the arithmetic mean."""
    return xp.mean(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("var",))
def var(
    xp: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Return the variance: squared deviations over n - `correction`."""
    return xp.var(x, axis=axis, correction=correction, keepdims=keepdims)


@operation(samples=_axes, methods=("std",))
def std(
    xp: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Return the square root of the variance."""
    return xp.std(x, axis=axis, correction=correction, keepdims=keepdims)


@operation(samples=_axes, methods=("max",))
def max(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the largest element; nan where there is one."""
    return xp.max(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("min",))
def min(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the smallest element; nan where there is one."""
    return xp.min(x, axis=axis, keepdims=keepdims)


@operation(samples=_positions, methods=("argmax",))
def argmax(xp: Any, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return where the largest element is, from 0; the first of equal ones."""
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@operation(samples=_positions, methods=("argmin",))
def argmin(xp: Any, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return where the smallest element is, from 0; the first of equal ones."""
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("any",))
def any(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return whether an element is not 0, as bool."""
    return xp.any(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("all",))
def all(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return whether no element is 0, as bool."""
    return xp.all(x, axis=axis, keepdims=keepdims)


@operation(
    samples=lambda rng: [*_axes(rng), Sample(rng.normal(size=(3, 4)), p=1, axis=1)],
    methods=("norm",),
)
def norm(xp: Any, x: Array, *, p: float = 2.0, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the p-norm of the elements: the largest magnitude for p = inf.

    Parameters
    ----------
    p : float
        The order; 1 sums magnitudes, 2 is the Euclidean length.
    """
    magnitude = xp.abs(x)
    if p == float("inf"):
        return xp.max(magnitude, axis=axis, keepdims=keepdims)
    if p == 2:
        return xp.sqrt(xp.sum(magnitude * magnitude, axis=axis, keepdims=keepdims))
    if p == 1:
        return xp.sum(magnitude, axis=axis, keepdims=keepdims)
    return xp.pow(xp.sum(xp.pow(magnitude, p), axis=axis, keepdims=keepdims), 1 / p)
