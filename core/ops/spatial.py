"""Parameters of operations on images: one number per spatial dimension, or one for all."""

from __future__ import annotations

from collections.abc import Sequence

from .registry import Array

PerDimension = int | Sequence[int]
"""An integer for every spatial dimension, or one integer for all of them."""


def per_dimension(value: PerDimension, x: Array) -> tuple[int, ...]:
    """Return `value` as a tuple with one integer per spatial dimension of x (N, C, *spatial)."""
    if isinstance(value, Sequence):
        return tuple(value)
    return (value,) * int(x.ndim - 2)
