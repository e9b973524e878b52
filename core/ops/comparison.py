"""Elementwise comparison and logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from .batch_rules import elementwise
from .registry import Array, Sample, operation
from .samples import logical_pairs, pairs


@operation(samples=pairs, operator="eq")
def equal(xp: Any, x: Array, y: Array) -> Array:
    """Return whether x == y, as bool."""
    return xp.equal(x, y)


@operation(samples=pairs, operator="ne")
def not_equal(xp: Any, x: Array, y: Array) -> Array:
    """Return whether x != y, as bool."""
    return xp.not_equal(x, y)


@operation(samples=pairs, operator="lt")
def less(xp: Any, x: Array, y: Array) -> Array:
    """Return whether x < y, as bool."""
    return xp.less(x, y)


@operation(samples=pairs, operator="le")
def less_equal(xp: Any, x: Array, y: Array) -> Array:
    """Return whether x <= y, as bool."""
    return xp.less_equal(x, y)


@operation(samples=pairs, operator="gt")
def greater(xp: Any, x: Array, y: Array) -> Array:
    """Return whether x > y, as bool."""
    return xp.greater(x, y)


@operation(samples=pairs, operator="ge")
def greater_equal(xp: Any, x: Array, y: Array) -> Array:
    """Return whether x >= y, as bool."""
    return xp.greater_equal(x, y)


@operation(samples=logical_pairs, operator="and", inplace=("__iand__",))
def bitwise_and(xp: Any, x: Array, y: Array) -> Array:
    """Return x & y of bool or integer tensors."""
    return xp.bitwise_and(x, y)


@operation(samples=logical_pairs, operator="or", inplace=("__ior__",))
def bitwise_or(xp: Any, x: Array, y: Array) -> Array:
    """Return x | y of bool or integer tensors."""
    return xp.bitwise_or(x, y)


@operation(samples=logical_pairs, operator="xor", inplace=("__ixor__",))
def bitwise_xor(xp: Any, x: Array, y: Array) -> Array:
    """Return x ^ y of bool or integer tensors."""
    return xp.bitwise_xor(x, y)


@operation(
    samples=lambda rng: [Sample(rng.integers(0, 2, (3, 4)) == 1), Sample(rng.integers(0, 9, 5))],
    methods=("__invert__",),
)
def bitwise_invert(xp: Any, x: Array) -> Array:
    """Return ~x: not of bool, all bits flipped of integers."""
    return xp.bitwise_invert(x)


@operation(samples=lambda rng: [Sample(np.array([0.5, np.nan, np.inf]))], methods=("isnan",))
def isnan(xp: Any, x: Array) -> Array:
    """Return where x is nan, as bool."""
    return xp.isnan(x)


@operation(samples=lambda rng: [Sample(np.array([0.5, np.nan, -np.inf]))], methods=("isinf",))
def isinf(xp: Any, x: Array) -> Array:
    """Return where x is infinite, of either sign, as bool."""
    return xp.isinf(x)


@operation(samples=lambda rng: [Sample(np.array([0.5, np.nan, -np.inf]))], methods=("isfinite",))
def isfinite(xp: Any, x: Array) -> Array:
    """Return where x is neither nan nor infinite, as bool."""
    return xp.isfinite(x)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4)) > 0, rng.normal(size=(3, 4)), rng.normal(size=4)),
        Sample(rng.normal(size=3) > 0, rng.normal(size=3), 0.0),
    ]
)
def where(xp: Any, condition: Array, x: Array, y: Array) -> Array:
    """Return x where `condition` holds and y elsewhere.

    Parameters
    ----------
    condition : Tensor, bool
    x, y : Tensor or number
        Broadcast with the condition.
    """
    return xp.where(condition, x, y)


where.def_derivative(
    x=lambda xp, g, condition: xp.where(condition, g, 0.0),
    y=lambda xp, g, condition: xp.where(condition, 0.0, g),
)

for _op in (
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    bitwise_invert,
    isnan,
    isinf,
    isfinite,
    where,
):
    _op.def_batch(elementwise)
