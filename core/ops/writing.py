"""Pure forms of writing in place: a whole in which a part is replaced or added to.

The history of a write in place is one of these; see autograd/views.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..autograd.versions import next_order
from ..backend import Batched, Level
from ..kernels import indexing as kernels
from ..kernels.checks import wide
from .batch_rules import moved, shifted
from .batching import Call, apply
from .index_parts import before_samples, is_basic
from .registry import Array, Sample, operation


@operation(samples=lambda rng: [Sample(rng.normal(size=(3, 4)), rng.normal(size=4))])
def converted(xp: Any, x: Array, source: Array) -> Array:
    """Return `source` as x holds it after `x.copy_(source)`: of x's dtype and shape."""
    return xp.astype(xp.broadcast_to(xp.asarray(source), x.shape), x.dtype)


# What x held before is gone, so its gradient is zero: but it has one, as in PyTorch.
converted.def_vjp(x=lambda xp, g: xp.zeros_of(g, g.shape), source=lambda g: g)
converted.def_jvp(x=lambda xp, g: xp.zeros_of(g, g.shape), source=lambda g: g)


@operation(samples=lambda rng: [Sample(rng.normal(size=(3, 4)), rng.normal(size=4), chain=())])
def write_view(xp: Any, x: Array, value: Array, *, chain: Any) -> Array:
    """Return x with the part that a chain of view operations leads to replaced by `value`.

    Parameters
    ----------
    chain : sequence of (op, args, params)
        As `autograd.views.View.steps` gives it.
    """
    result = xp.asarray(x, copy=True)
    part = _part(xp, result, chain)
    if backend.shares_memory(part, result):
        part[...] = value
        return result
    # The strides of x are not those that the views were made for: go by position.
    positions = xp.reshape(xp.arange(x.size), x.shape)
    flat = xp.reshape(result, (-1,))
    flat[_part(xp, positions, chain)] = value
    return xp.reshape(flat, x.shape)


def _part(xp: Any, array: Array, chain: Any) -> Array:
    for op, args, params in chain:
        array = op.forward(xp, array, *args, **params)
    return array


def _along(xp: Any, g: Any, chain: Any) -> Any:
    for op, args, params in chain:
        g = getattr(xp, op.name)(g, *args, **params)
    return g


write_view.def_vjp(
    x=lambda xp, g, chain: xp.write_view(g, 0.0, chain=chain),
    value=lambda xp, g, chain: _along(xp, g, chain),
)
write_view.def_jvp(
    x=lambda xp, g, chain: xp.write_view(g, 0.0, chain=chain),
    value=lambda xp, g, x_shape, chain: xp.write_view(xp.zeros_of(g, x_shape), g, chain=chain),
)


@operation(samples=lambda rng: [Sample(rng.normal(size=3), shape=(2, 4))])
def zeros_of(xp: Any, x: Array, shape: Sequence[int]) -> Array:
    """Return zeros of `shape`, of x's dtype and in its array library."""
    return xp.zeros(tuple(shape), dtype=x.dtype)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4)), rng.normal(size=(2, 4)), index=np.array([2, 0])),
        Sample(rng.normal(size=(3, 4)), 1.5, index=(slice(1, 3), 2)),
    ]
)
def index_put(xp: Any, x: Array, value: Array, *, index: Any) -> Array:
    """Return x with the part that `index` names replaced by `value`; see getitem.

    Where the index names an element twice the last value stays.
    """
    result = xp.asarray(x, copy=True)
    result[index] = value
    return result


@operation(
    samples=lambda rng: [Sample(rng.normal(size=(2, 4)), shape=(3, 4), index=np.array([2, 2]))]
)
def index_spread(xp: Any, x: Array, *, shape: Sequence[int], index: Any) -> Array:
    """Return zeros of `shape` with x added where `index` says: what getitem's gradient is."""
    if backend.names_once(index):
        result = xp.zeros(tuple(shape), dtype=x.dtype)
        result[index] = x
        return result
    source = wide(xp, x)
    result = xp.zeros(tuple(shape), dtype=source.dtype)
    backend.add_at(result, index, source)
    return xp.astype(result, x.dtype, copy=False)


index_put.def_vjp(
    x=lambda xp, g, index: xp.index_put(g, 0.0, index=index),
    value=lambda xp, g, index: xp.getitem(g, index=index),
)
index_put.def_jvp(
    x=lambda xp, g, index: xp.index_put(g, 0.0, index=index),
    value=lambda xp, g, x_shape, index: xp.index_put(xp.zeros_of(g, x_shape), g, index=index),
)
index_spread.def_vjp(x=lambda xp, g, index: xp.getitem(g, index=index))
index_spread.def_jvp(x=lambda xp, g, shape, index: xp.index_spread(g, shape=shape, index=index))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4)), rng.permuted([[0, 1, 2, 3]] * 3, axis=1), 2.5, axis=1),
        Sample(rng.normal(size=(3, 4)), np.array([[2, 0, 1, 2]]), rng.normal(size=(1, 4)), axis=0),
        Sample(
            rng.normal(size=3).astype(np.float32), np.array([1]), np.array([7], np.float32), axis=-1
        ),
    ],
    methods=("scatter",),
    inplace=("scatter_",),
)
def scatter(xp: Any, x: Array, index: Array, source: Array, *, axis: int) -> Array:
    """Return x with the elements that `index` names along one axis replaced by `source`.

    Parameters
    ----------
    x : Tensor
    index : Tensor of int
        As many dimensions as x, and its sizes but along `axis`.
    source : Tensor or number
        Broadcasts to the shape of `index`; converted to x's dtype.
    axis : int

    Returns
    -------
    Tensor
        Shape and dtype of x.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.

    Notes
    -----
    Where an index repeats, one of its elements stays, and the gradient of `source` is right for
    that one only, as in PyTorch.
    """
    return kernels.scatter(xp, x, index, source, axis=axis)


scatter.def_vjp(
    x=lambda xp, g, index, axis: xp.scatter(g, index, 0.0, axis=axis),
    source=lambda xp, g, index, axis: xp.gather(g, index, axis=axis),
)
scatter.def_jvp(
    x=lambda xp, g, index, axis: xp.scatter(g, index, 0.0, axis=axis),
    source=lambda xp, g, x_shape, index, axis: xp.scatter(
        xp.zeros_of(g, x_shape), index, g, axis=axis
    ),
)


def _converted_each(c: Call) -> Any:
    x = c.full(0)
    source = c.values[1]
    if c.batched[1]:
        source = c.xp.reshape(source, (c.size, *(1,) * (x.ndim - source.ndim), *c.shape(1)))
    return c.again(x, source)


def _write_view_each(c: Call) -> Any:
    """Write into a copy of all samples: the steps that lead to the part are those in a sample."""
    x = c.xp.clone(c.full(0))
    level = Level(c.size, next_order(), "error")
    part: Any = Batched(x, level)
    for op, args, params in c.params["chain"]:
        part = apply(c.xp, op, (part,), args, params)
    value = c.values[1]
    part[...] = Batched(value, level) if c.batched[1] else value
    return x


def _index_put_each(c: Call) -> Any:
    """With the samples as the last dimension an index names in them what it names in one."""
    x, value = c.full(0), c.values[1]
    if c.batched[1]:
        value = moved(c, value, 0, value.ndim - 1)
    elif hasattr(value, "shape"):
        value = c.xp.unsqueeze(value, -1)
    index = before_samples(c.params["index"])
    y = c.again(moved(c, x, 0, x.ndim - 1), value, index=index)
    return moved(c, y, y.ndim - 1, 0)


def _index_spread_each(c: Call) -> Any:
    x, shape, index = c.values[0], tuple(c.params["shape"]), c.params["index"]
    if is_basic(index):
        parts = index if isinstance(index, tuple) else (index,)
        return c.again(x, shape=(c.size, *shape), index=(slice(None), *parts))
    ends = moved(c, x, 0, x.ndim - 1)
    y = c.again(ends, shape=(*shape, c.size), index=before_samples(index))
    return moved(c, y, y.ndim - 1, 0)


def _scatter_each(c: Call) -> Any:
    x, index, source = c.full(0), c.full(1), c.values[2]
    if c.batched[2]:
        missing = index.ndim - source.ndim
        source = c.xp.reshape(source, (c.size, *(1,) * missing, *c.shape(2)))
    return c.again(x, index, source, axis=shifted(c, c.params["axis"]))


converted.def_batch(_converted_each)
write_view.def_batch(_write_view_each)
zeros_of.def_batch(lambda c: c.again(c.values[0], shape=(c.size, *c.params["shape"])))
index_put.def_batch(_index_put_each)
index_spread.def_batch(_index_spread_each)
scatter.def_batch(_scatter_each)
