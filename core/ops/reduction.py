"""Reductions over one, several or all axes."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError
from ..kernels import totals
from .batch_rules import reduction
from .cumulative import delayed
from .precision import accumulator, narrow, wide
from .registry import Array, Sample, operation
from .samples import reductions
from .waiting import summed

Axis = int | tuple[int, ...] | None


def kept_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """Return `shape` with the reduced dimensions kept as 1."""
    if axis is None:
        return (1,) * len(shape)
    ndim = len(shape) or 1  # NumPy reduces what has no dimension along axis 0 and -1
    axes = {a % ndim for a in ((axis,) if isinstance(axis, int) else axis)}
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    """Return how many elements each result was made of."""
    kept = math.prod(kept_shape(shape, axis))
    return math.prod(shape) // kept if kept else 0


def spread(xp: Any, g: Any, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """Return `g`, of the shape of a result, repeated over what was reduced."""
    return xp.expand(g if keepdims else xp.reshape(g, kept_shape(x_shape, axis)), x_shape)


@operation(samples=reductions, methods=("sum",))
def sum(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the sum; bool and small integers are summed as int64."""
    return totals.total(xp, x, axis=axis, keepdims=keepdims, dtype=accumulator(xp, x))


sum.def_vjp(x=spread)
sum.def_jvp(x=lambda xp, g, axis, keepdims: xp.sum(g, axis=axis, keepdims=keepdims))


@operation(samples=reductions, methods=("prod",))
def prod(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the product; bool and small integers are multiplied as int64."""
    return xp.prod(x, axis=axis, keepdims=keepdims, dtype=accumulator(xp, x))


def _others(xp: Any, x: Any, axis: Axis) -> Any:
    """Return for each element the product of all others that it is multiplied with."""
    axes = [*range(x.ndim)] if axis is None else [axis] if isinstance(axis, int) else [*axis]
    axes = [a % x.ndim for a in axes if x.ndim]
    if 0 in x.shape or not axes:
        return xp.zeros_of(x, x.shape) + 1.0
    order = [a for a in range(x.ndim) if a not in axes] + axes
    moved = xp.permute(x, order)
    rows = xp.reshape(moved, (*moved.shape[: -len(axes)], -1))
    before = delayed(xp, xp.cumprod(rows, axis=-1), -1, 1, 1.0)
    after = xp.flip(delayed(xp, xp.cumprod(xp.flip(rows, -1), axis=-1), -1, 1, 1.0), -1)
    places = sorted(range(x.ndim), key=order.__getitem__)
    return xp.permute(xp.reshape(before * after, moved.shape), places)


prod.def_vjp(
    x=lambda xp, g, x, axis, keepdims: spread(xp, g, x.shape, axis, keepdims) * _others(xp, x, axis)
)
prod.def_jvp(
    x=lambda xp, g, x, axis, keepdims: xp.sum(
        g * _others(xp, x, axis), axis=axis, keepdims=keepdims
    )
)


@operation(samples=reductions, methods=("mean",))
def mean(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the arithmetic mean."""
    return totals.mean(xp, x, axis=axis, keepdims=keepdims)


mean.def_vjp(
    x=lambda xp, g, x_shape, axis, keepdims: spread(
        xp, g / _count(x_shape, axis), x_shape, axis, keepdims
    )
)
mean.def_jvp(x=lambda xp, g, axis, keepdims: xp.mean(g, axis=axis, keepdims=keepdims))


@operation(samples=reductions, methods=("var",))
def var(
    xp: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Return the variance: the sum of squared deviations over n - `correction`."""
    return narrow(xp, _variance(xp, x, axis, correction, keepdims), x)


def _var_slope(xp: Any, x: Any, axis: Axis, correction: float) -> Any:
    """Return the derivative of the variance with respect to each element."""
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    return centred * (2 / (_count(x.shape, axis) - correction))


var.def_vjp(
    x=lambda xp, g, x, axis, correction, keepdims: (
        spread(xp, g, x.shape, axis, keepdims) * _var_slope(xp, x, axis, correction)
    )
)
var.def_jvp(
    x=lambda xp, g, x, axis, correction, keepdims: xp.sum(
        g * _var_slope(xp, x, axis, correction), axis=axis, keepdims=keepdims
    )
)


def _variance(xp: Any, x: Array, axis: Axis, correction: float, keepdims: bool) -> Array:
    source = wide(xp, x)
    mean = totals.mean(xp, source, axis=axis, keepdims=True)
    squares = totals.total(xp, xp.square(source - mean), axis=axis, keepdims=keepdims)
    count = x.size // mean.size if mean.size else 0
    freedom = count - correction
    return squares / (freedom if freedom > 0 else 0)


@operation(samples=reductions, methods=("std",))
def std(
    xp: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Array:
    """Return the square root of the variance."""
    return narrow(xp, xp.sqrt(_variance(xp, x, axis, correction, keepdims)), x)


def _root_slope(xp: Any, g: Any, out: Any) -> Any:
    """Return `g` times the derivative of the square root that gave `out`; 0 where that is 0."""
    return g * (out != 0) * 0.5 / xp.where(out == 0, 1.0, out)


# Where all elements are equal the slope is 0, as in PyTorch.
std.def_vjp(
    x=lambda xp, g, x, out, axis, correction, keepdims: (
        spread(xp, _root_slope(xp, g, out), x.shape, axis, keepdims)
        * _var_slope(xp, x, axis, correction)
    )
)
std.def_jvp(
    x=lambda xp, g, x, out, axis, correction, keepdims: _root_slope(
        xp, xp.sum(g * _var_slope(xp, x, axis, correction), axis=axis, keepdims=keepdims), out
    )
)


@operation(samples=reductions, methods=("any",))
def any(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return whether an element is not 0, as bool."""
    return xp.any(x, axis=axis, keepdims=keepdims)


@operation(samples=reductions, methods=("all",))
def all(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return whether no element is 0, as bool."""
    return xp.all(x, axis=axis, keepdims=keepdims)


@operation(samples=reductions, methods=("count_nonzero",))
def count_nonzero(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return how many elements are not 0, as int64."""
    return xp.sum(xp.astype(x != 0, xp.int64), axis=axis, keepdims=keepdims)


@operation(
    samples=lambda rng: [*reductions(rng), Sample(rng.normal(size=(3, 4)), p=1, axis=1)],
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
    magnitude = xp.abs(wide(xp, x))
    if p == float("inf"):
        result = xp.max(magnitude, axis=axis, keepdims=keepdims)
    elif p == 2:
        result = xp.sqrt(totals.total(xp, xp.square(magnitude), axis=axis, keepdims=keepdims))
    elif p == 1:
        result = totals.total(xp, magnitude, axis=axis, keepdims=keepdims)
    else:
        powers = totals.total(xp, xp.pow(magnitude, p), axis=axis, keepdims=keepdims)
        result = xp.pow(powers, 1 / p)
    return narrow(xp, result, x)


def _norm_slope(xp: Any, x: Any, out: Any, p: float, axis: Axis, keepdims: bool) -> Any:
    """Return the derivative of the norm with respect to each element; 0 at the origin."""
    length = spread(xp, out, x.shape, axis, keepdims)
    if p == float("inf"):
        hit = xp.abs(x) == length
        return xp.sign(x) * hit / xp.sum(hit, axis=axis, keepdims=True)
    if p == 1:
        return xp.sign(x)
    length = xp.where(length == 0, 1.0, length)
    if p == 2:
        return x / length
    return xp.sign(x) * xp.power(xp.abs(x) / length, p - 1)


norm.def_vjp(
    x=lambda xp, g, x, out, p, axis, keepdims: (
        spread(xp, g, x.shape, axis, keepdims) * _norm_slope(xp, x, out, p, axis, keepdims)
    )
)
norm.def_jvp(
    x=lambda xp, g, x, out, p, axis, keepdims: xp.sum(
        g * _norm_slope(xp, x, out, p, axis, keepdims), axis=axis, keepdims=keepdims
    )
)

summed(sum, lambda total, count: total)
summed(mean, lambda total, count: total / count)

for _op in (sum, prod, mean, var, std, any, all, count_nonzero, norm):
    _op.def_batch(reduction)
