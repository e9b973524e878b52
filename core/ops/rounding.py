"""Elementwise rounding; integers stay as they are. Steps have no slope, so no gradient passes."""

from __future__ import annotations

from typing import Any

from .batch_rules import elementwise
from .registry import Array, operation
from .samples import real


@operation(samples=real, methods=("floor",), inplace=("floor_",))
def floor(xp: Any, x: Array) -> Array:
    """Return the largest whole number that is not above x."""
    return xp.floor(x)


@operation(samples=real, methods=("ceil",), inplace=("ceil_",))
def ceil(xp: Any, x: Array) -> Array:
    """Return the smallest whole number that is not below x."""
    return xp.ceil(x)


@operation(samples=real, methods=("round",), inplace=("round_",))
def round(xp: Any, x: Array) -> Array:
    """Return the nearest whole number; halves go to the even one."""
    return xp.round(x)


@operation(samples=real, methods=("trunc",), inplace=("trunc_",))
def trunc(xp: Any, x: Array) -> Array:
    """Return x without its fraction."""
    return xp.trunc(x)


for _op in (floor, ceil, round, trunc):
    _op.def_batch(elementwise)
