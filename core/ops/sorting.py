"""Sorting along one axis; equal elements keep their order, and nan counts as the largest."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from .. import backend
from ..errors import ShapeError
from .batch_rules import along_axis, shifted
from .batching import Call
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


def _medians(rng: np.random.Generator) -> Iterator[Sample]:
    for s in _unsorted(rng):
        yield Sample(s.arrays[0], axis=1)
    x = rng.permutation(24).reshape(2, 4, 3) / 7
    yield Sample(x)
    yield Sample(x, axis=-2, keepdims=True)
    yield Sample(x, keepdims=True)


@operation(samples=_medians, outputs=("values", "indices"), methods=("median",))
def median(
    xp: Any, x: Array, *, axis: int | None = None, keepdims: bool = False
) -> tuple[Array, Array]:
    """Return the element in the middle of the order, the lower of two, and where it is.

    Parameters
    ----------
    x : Tensor, shape (..., n, ...)
    axis : int, optional
        By default the median of all elements.
    keepdims : bool
        Whether dimensions that are reduced stay, of size 1.

    Returns
    -------
    values, indices : Tensor, shape of x without the axis
        nan where there is one. Indices count from 0, without an axis in row-major order; of equal
        elements it is the one that a stable sort puts in the middle, and the gradient is its.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If there are no elements.
    """
    rows = xp.reshape(x, (-1,)) if axis is None else x
    place = position("median", "dimension", axis or 0, rows.ndim)
    n = rows.shape[place]
    if n == 0:
        raise ShapeError(f"median: no elements along the axis; given shape {x.shape}")
    middle = (n - 1) // 2
    order = backend.stable_argsort(rows, place)
    indices = order[along(place, slice(middle, middle + 1), rows.ndim)]
    lost = rows != rows
    first = xp.argmax(xp.astype(lost, xp.int8), axis=place, keepdims=True)
    indices = xp.where(xp.any(lost, axis=place, keepdims=True), first, indices)
    values = xp.take_along_axis(rows, indices, axis=place)
    shape = list(x.shape)
    if axis is None:
        shape = [1] * x.ndim if keepdims else []
    else:
        shape[place : place + 1] = [1] if keepdims else []
    return xp.reshape(values, tuple(shape)), xp.reshape(indices, tuple(shape))


def _median_shape(x_shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    """Return the shape of what was picked, the axis kept; (1,) of all."""
    if axis is None:
        return (1,)
    place = axis % len(x_shape)
    return (*x_shape[:place], 1, *x_shape[place + 1 :])


def _to_median(xp: Any, g: Any, x_shape: Any, indices: Any, axis: int | None) -> Any:
    kept = _median_shape(x_shape, axis)
    picked = xp.gather_gradient(
        xp.reshape(g[0], kept),
        xp.reshape(indices, kept),
        size=prod(x_shape) if axis is None else x_shape[axis],
        axis=axis or 0,
    )
    return xp.reshape(picked, x_shape)


def _from_median(
    xp: Any, g: Any, x_shape: Any, indices: Any, axis: int | None, keepdims: bool
) -> list[Any]:
    kept = _median_shape(x_shape, axis)
    tangents = xp.reshape(g, (-1,)) if axis is None else g
    picked = xp.gather(tangents, xp.reshape(indices, kept), axis=axis or 0)
    return [xp.reshape(picked, indices.shape), None]


median.def_vjp(x=_to_median)
median.def_jvp(x=_from_median)


def _median_each(c: Call) -> Any:
    if c.params["axis"] is not None:
        return c.again(c.values[0], axis=shifted(c, c.params["axis"]))
    found = c.again(c.xp.reshape(c.values[0], (c.size, prod(c.shape()))), axis=1, keepdims=False)
    kept = (1,) * c.ndim() if c.params["keepdims"] else ()
    return tuple(c.xp.reshape(x, (c.size, *kept)) for x in found)


median.def_batch(_median_each)

for _along in (argsort, sort, topk):
    _along.def_batch(along_axis("axis"))
