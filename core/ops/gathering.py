"""Reading and adding by tensors of indices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import innermost
from ..kernels import indexing as kernels
from ..kernels.checks import index_range
from .batch_rules import merged, moved, offsets, shifted
from .batching import Call
from .registry import Array, Sample, operation


def _tables(rng: np.random.Generator) -> Iterator[Sample]:
    weight = rng.normal(size=(7, 3))
    yield Sample(weight, rng.integers(0, 7, 5))
    yield Sample(weight.astype(np.float32), rng.integers(0, 7, (2, 4)))


def _along(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2))
    yield Sample(x, rng.integers(0, 4, (3, 6, 2)), axis=1)
    yield Sample(x.T, rng.integers(0, 3, (2, 4, 1)), axis=-1)


def _added_along(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in _along(rng):
        x, index = sample.arrays
        yield Sample(x, index, rng.normal(size=index.shape), **sample.params)


def _added(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2))
    yield Sample(x, np.array([3, 0, 3, 3, 1]), rng.normal(size=(3, 5, 2)), axis=1)
    yield Sample(x.T, np.array([2, 2]), rng.normal(size=(2, 4, 2)), axis=-1)


@operation(samples=_tables)
def embedding(xp: Any, weight: Array, index: Array) -> Array:
    """Return the rows of `weight` that `index` names.

    Parameters
    ----------
    weight : Tensor, shape (V, ...)
    index : Tensor of int, shape (...)
        From 0 to V-1.

    Returns
    -------
    Tensor, shape index.shape + weight.shape[1:]

    Raises
    ------
    BoundsError
        If an index is outside.

    Notes
    -----
    Source: torch/nn LookupTable.lua
    """
    return kernels.embedding(xp, weight, index)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 4, 3)), rng.integers(0, 5, (2, 4)), rows=5),
        Sample(rng.normal(size=3), np.array([2, 0, 2]), rows=4),
    ]
)
def embedding_gradient(xp: Any, y: Array, index: Array, *, rows: int) -> Array:
    """Return the gradient of `embedding` by its table: y added to the rows that were read.

    Parameters
    ----------
    y : Tensor, floating, shape index.shape + (...)
        The gradient of the rows.
    index : Tensor of int
    rows : int
        V, the length of the table.

    Returns
    -------
    Tensor, shape (V, ...)

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    return kernels.embedding_gradient(xp, y, index, rows=rows)


embedding.def_vjp(
    weight=lambda xp, g, weight_shape, index: xp.embedding_gradient(g, index, rows=weight_shape[0])
)
embedding.def_jvp(weight=lambda xp, g, index: xp.embedding(g, index))
embedding_gradient.def_vjp(y=lambda xp, g, index: xp.embedding(g, index))
embedding_gradient.def_jvp(y=lambda xp, g, index, rows: xp.embedding_gradient(g, index, rows=rows))


@operation(samples=_along, methods=("gather",))
def gather(xp: Any, x: Array, index: Array, *, axis: int) -> Array:
    """Return the elements of x that `index` names along one axis.

    Parameters
    ----------
    x : Tensor
    index : Tensor of int
        As many dimensions as x, and its sizes but along `axis`.
    axis : int

    Returns
    -------
    Tensor
        Shape of `index`.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.

    Notes
    -----
    Source: torch7 gather
    """
    return kernels.gather(xp, x, index, axis=axis)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 6, 2)), rng.integers(0, 4, (3, 6, 2)), size=4, axis=1)
    ]
)
def gather_gradient(xp: Any, y: Array, index: Array, *, size: int, axis: int) -> Array:
    """Return the gradient of `gather`: zeros with y added where its elements were read.

    Parameters
    ----------
    y : Tensor, floating
        The gradient of the elements.
    index : Tensor of int, shape of y
    size : int
        The length that the result has along `axis`.
    axis : int

    Returns
    -------
    Tensor
        Shape of y but along `axis`.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    return kernels.gather_gradient(xp, y, index, size=size, axis=axis)


gather.def_vjp(
    x=lambda xp, g, x_shape, index, axis: xp.gather_gradient(
        g, index, size=x_shape[axis], axis=axis
    )
)
gather.def_jvp(x=lambda xp, g, index, axis: xp.gather(g, index, axis=axis))
gather_gradient.def_vjp(y=lambda xp, g, index, axis: xp.gather(g, index, axis=axis))
gather_gradient.def_jvp(
    y=lambda xp, g, index, size, axis: xp.gather_gradient(g, index, size=size, axis=axis)
)


take_along_axis = gather
"""The array API's name for `gather`."""


@operation(samples=_added_along, methods=("scatter_add",), inplace=("scatter_add_",))
def scatter_add(xp: Any, x: Array, index: Array, source: Array, *, axis: int) -> Array:
    """Return x with `source` added at the places that `index` names along one axis.

    Parameters
    ----------
    x : Tensor
    index : Tensor of int
        As many dimensions as x, and its sizes but along `axis`; may repeat.
    source : Tensor
        Shape of `index`, dtype of x.
    axis : int

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.

    Notes
    -----
    Source: torch7 scatterAdd
    """
    return kernels.scatter_add(xp, x, index, source, axis=axis)


scatter_add.def_vjp(x=lambda g: g, source=lambda xp, g, index, axis: xp.gather(g, index, axis=axis))
scatter_add.def_jvp(
    x=lambda g: g,
    source=lambda xp, g, x_shape, index, axis: xp.gather_gradient(
        g, index, size=x_shape[axis], axis=axis
    ),
)


@operation(samples=_added, methods=("index_add",), inplace=("index_add_",))
def index_add(xp: Any, x: Array, index: Array, source: Array, *, axis: int) -> Array:
    """Return x with the slices of `source` added to those that `index` names.

    Parameters
    ----------
    x : Tensor
    index : Tensor of int, shape (n,)
        May repeat.
    source : Tensor
        Shape of x, but n along `axis`; dtype of x.
    axis : int

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.

    Notes
    -----
    Source: torch7 indexAdd
    """
    return kernels.index_add(xp, x, index, source, axis=axis)


def _slices(xp: Any, g: Any, index: Any, axis: int) -> Any:
    return xp.transpose(xp.embedding(xp.transpose(g, 0, axis), index), 0, axis)


index_add.def_vjp(x=lambda g: g, source=_slices)
index_add.def_jvp(
    x=lambda g: g,
    source=lambda xp, g, x_shape, index, axis: xp.index_add(
        xp.zeros_of(g, x_shape), index, g, axis=axis
    ),
)


def _embedding_each(c: Call) -> Any:
    weight, index = c.values
    if not c.batched[0]:
        return c.again(weight, index)
    if not c.batched[1]:
        return c.xp.take(weight, index, axis=1)
    index_range(c.xp.library, "embedding", innermost(index), c.shape(0)[0])
    return c.again(merged(c, weight), offsets(c, index, weight.shape[1]))


def _embedding_gradient_each(c: Call) -> Any:
    y, index, rows = c.full(0), c.full(1), c.params["rows"]
    total = c.again(y, offsets(c, index, rows), rows=c.size * rows)
    return c.xp.reshape(total, (c.size, rows, *total.shape[1:]))


def _along_each(c: Call) -> Any:
    """All operands have the dimensions of a sample, and one more now."""
    values = [c.full(i) for i in range(len(c.values))]
    first = c.values[0].ndim - c.batched[0]
    return c.again(*values, axis=shifted(c, c.params["axis"], ndim=first))


def _index_add_each(c: Call) -> Any:
    x, index, source = c.full(0), c.values[1], c.full(2)
    axis = shifted(c, c.params["axis"])
    if not c.batched[1]:
        return c.again(x, index, source, axis=axis)
    rows, added = moved(c, x, axis, 1), moved(c, source, axis, 1)
    flat = c.xp.reshape(offsets(c, index, rows.shape[1]), (-1,))
    total = c.again(merged(c, rows), flat, merged(c, added), axis=0)
    return moved(c, c.xp.reshape(total, rows.shape), 1, axis)


embedding.def_batch(_embedding_each)
embedding_gradient.def_batch(_embedding_gradient_each)
index_add.def_batch(_index_add_each)
for _op in (gather, gather_gradient, scatter_add):
    _op.def_batch(_along_each)
