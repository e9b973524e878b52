"""Sorting along one axis; equal elements keep their order, and nan counts as the largest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend
from ..errors import ShapeError
from .batch_rules import along_axis
from .places import along, position
from .registry import Array, Sample, operation


def _unsorted(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.permutation(24).reshape(2, 4, 3) / 7
    yield Sample(x)
    yield Sample(x, axis=1, descending=True)
    yield Sample(x.astype(np.float32).T, axis=0)
    yield Sample(x[:0], axis=0)


def _order(xp: Any, x: Array, axis: int, descending: bool) -> Array:
    if not descending:
        return backend.stable_argsort(x, axis)
    backwards = backend.stable_argsort(xp.flip(x, axis=axis), axis)
    return x.shape[axis] - 1 - xp.flip(backwards, axis=axis)


@operation(samples=_unsorted, methods=("argsort",))
def argsort(xp: Any, x: Array, *, axis: int = -1, descending: bool = False) -> Array:
    """Return the positions, from 0, of the elements in the order that sorts them."""
    return _order(xp, x, axis, descending)


@operation(samples=_unsorted, outputs=("values", "indices"), methods=("sort",))
def sort(xp: Any, x: Array, *, axis: int = -1, descending: bool = False) -> tuple[Array, Array]:
    """Return the elements in order, and where they were.

    Parameters
    ----------
    x : Tensor
    axis : int
    descending : bool
        Whether the largest come first.

    Returns
    -------
    values, indices : Tensor, shape of x
        `values` is `gather(x, indices, axis=axis)`; indices count from 0.
    """
    indices = _order(xp, x, axis, descending)
    return xp.take_along_axis(x, indices, axis=axis), indices


@operation(
    samples=lambda rng: [
        *[Sample(s.arrays[0], k=2, axis=1) for s in _unsorted(rng)],
        Sample(rng.permutation(9) / 4, k=3, largest=False),
        Sample(rng.permutation(4) / 4, k=0),
    ],
    outputs=("values", "indices"),
    methods=("topk",),
)
def topk(xp: Any, x: Array, k: int, *, axis: int = -1, largest: bool = True) -> tuple[Array, Array]:
    """Return the `k` largest elements along `axis`, the largest first, and where they were.

    Parameters
    ----------
    x : Tensor, shape (..., n, ...)
    k : int
    axis : int
    largest : bool
        If False, the smallest elements, the smallest first.

    Returns
    -------
    values, indices : Tensor, shape (..., k, ...)
        Indices count from 0; of equal elements the first come first.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If `k` is not in 0..n.
    """
    axis = position("topk", "dimension", axis, x.ndim)
    if not 0 <= k <= x.shape[axis]:
        raise ShapeError(f"topk: k is from 0 to {x.shape[axis]}; given {k} for shape {x.shape}")
    indices = _order(xp, x, axis, largest)[along(axis, slice(k), x.ndim)]
    return xp.take_along_axis(x, indices, axis=axis), indices


for _op in (sort, topk):
    _op.def_vjp(
        x=lambda xp, g, x_shape, indices, axis: xp.gather_gradient(
            g[0], indices, size=x_shape[axis], axis=axis
        )
    )
    _op.def_jvp(x=lambda xp, g, indices, axis: [xp.gather(g, indices, axis=axis), None])

for _along in (argsort, sort, topk):
    _along.def_batch(along_axis("axis"))
