"""The largest and smallest elements over axes, and where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .batch_rules import flattening, reduction
from .reduction import Axis, spread
from .registry import Array, Sample, operation
from .samples import reductions


def _positions(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2))
    yield Sample(x)
    yield Sample(x, axis=1)
    yield Sample(x, axis=0, keepdims=True)


def _extremes(xp: Any, x: Any, out: Any, axis: Axis, keepdims: bool) -> Any:
    """Return for each element its share in being the extreme: 0, or 1 over their number."""
    extreme = spread(xp, out, x.shape, axis, keepdims)
    hit = xp.astype((x == extreme) | ((x != x) & (extreme != extreme)), x.dtype)
    return hit / xp.sum(hit, axis=axis, keepdims=True)


def _to_extremes(xp: Any, g: Any, x: Any, out: Any, axis: Axis, keepdims: bool) -> Any:
    return spread(xp, g, x.shape, axis, keepdims) * _extremes(xp, x, out, axis, keepdims)


def _from_extremes(xp: Any, g: Any, x: Any, out: Any, axis: Axis, keepdims: bool) -> Any:
    shares = _extremes(xp, x, out, axis, keepdims)
    return xp.sum(g * shares, axis=axis, keepdims=keepdims)


@operation(samples=reductions, methods=("max",))
def max(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the largest element; nan where there is one."""
    return xp.max(x, axis=axis, keepdims=keepdims)


# Equal extremes share the gradient, as in HIPS/autograd and PyTorch's amax.
max.def_vjp(x=_to_extremes)
max.def_jvp(x=_from_extremes)


@operation(samples=reductions, methods=("min",))
def min(xp: Any, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the smallest element; nan where there is one."""
    return xp.min(x, axis=axis, keepdims=keepdims)


min.def_vjp(x=_to_extremes)
min.def_jvp(x=_from_extremes)


@operation(samples=_positions, methods=("argmax",))
def argmax(xp: Any, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return where the largest element is, from 0; the first of equal ones."""
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@operation(samples=_positions, methods=("argmin",))
def argmin(xp: Any, x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return where the smallest element is, from 0; the first of equal ones."""
    return xp.argmin(x, axis=axis, keepdims=keepdims)


for _op in (max, min):
    _op.def_batch(reduction)

for _position in (argmax, argmin):
    _position.def_batch(flattening)
