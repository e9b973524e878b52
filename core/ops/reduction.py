"""Reductions over one, several or all axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
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


def _accumulator(xp: Any, x: Array) -> Any:
    """Return the dtype to sum in; by default uint8 would give uint64, which tensors lack."""
    return xp.int64 if x.dtype == xp.uint8 else None


def _wide(xp: Any, x: Array) -> Array:
    """Return x in a dtype that holds its powers: float16 as float32, integers as float64."""
    if getattr(x.dtype, "kind", "f") != "f":
        return xp.astype(x, xp.float64)
    return xp.astype(x, xp.float32) if _is_half(x) else x


def _is_half(x: Array) -> bool:
    return getattr(x.dtype, "char", "") == "e"


def _narrow(xp: Any, result: Array, x: Array) -> Array:
    """Return what was computed from `_wide(x)` in the dtype that x's result has."""
    return xp.astype(xp.asarray(result), x.dtype) if _is_half(x) else result


@operation(samples=_axes, methods=("sum",))
def sum(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the sum; bool and small integers are summed as int64."""
    return xp.sum(x, axis=axis, keepdims=keepdims, dtype=_accumulator(xp, x))


@operation(samples=_axes, methods=("prod",))
def prod(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the product; bool and small integers are multiplied as int64."""
    return xp.prod(x, axis=axis, keepdims=keepdims, dtype=_accumulator(xp, x))


@operation(samples=_axes, methods=("mean",))
def mean(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the arithmetic mean."""
    return xp.mean(x, axis=axis, keepdims=keepdims)


@operation(samples=_axes, methods=("var",))
def var(
    xp: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Return the variance: the sum of squared deviations over n - `correction`."""
    return _narrow(xp, _variance(xp, x, axis, correction, keepdims), x)


def _variance(xp: Any, x: Array, axis: Axis, correction: float, keepdims: bool) -> Array:
    wide = _wide(xp, x)
    mean = xp.mean(wide, axis=axis, keepdims=True)
    squares = xp.sum(xp.square(wide - mean), axis=axis, keepdims=keepdims)
    count = x.size // mean.size if mean.size else 0
    freedom = count - correction
    return squares / (freedom if freedom > 0 else 0)


@operation(samples=_axes, methods=("std",))
def std(
    xp: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Return the square root of the variance."""
    return _narrow(xp, xp.sqrt(_variance(xp, x, axis, correction, keepdims)), x)


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
        The order, above 0; 1 sums magnitudes, 2 is the Euclidean length.

    Raises
    ------
    ShapeError
        If p is 0 or less.
    """
    if p <= 0:
        raise ShapeError(f"norm: the order p is above 0; given {p}")
    magnitude = xp.abs(_wide(xp, x))
    if p == float("inf"):
        result = xp.max(magnitude, axis=axis, keepdims=keepdims)
    elif p == 2:
        result = xp.sqrt(xp.sum(xp.square(magnitude), axis=axis, keepdims=keepdims))
    elif p == 1:
        result = xp.sum(magnitude, axis=axis, keepdims=keepdims)
    else:
        powers = xp.sum(xp.pow(magnitude, p), axis=axis, keepdims=keepdims)
        result = xp.pow(powers, 1 / p)
    return _narrow(xp, result, x)
