"""Reading and writing parts of tensors by index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .inplace import assign
from .methods import install_method
from .registry import Array, Sample, operation


def _indices(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2))
    yield Sample(x, index=1)
    yield Sample(x, index=(slice(0, 3, 2), None, ..., -1))
    yield Sample(x, index=(np.array([2, 0, 2]),))
    yield Sample(x, index=x[..., 0] > 0)


@operation(samples=_indices, view=True)
def getitem(xp: Any, x: Array, *, index: Any) -> Array:
    """Return the part of x that `index` names, as NumPy does.

    Integers, slices, None and ... give views; arrays of integers or bools give copies.
    """
    part = x[index]
    if part.ndim or hasattr(part, "__setitem__"):
        return part
    # One element: NumPy alone gives a number here, which is no view.
    return x[(*index, ...)] if isinstance(index, tuple) else x[index, ...]


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
    result = xp.zeros(tuple(shape), dtype=x.dtype)
    xp.add.at(result, index, x)
    return result


getitem.def_vjp(x=lambda xp, g, x_shape, index: xp.index_spread(g, shape=x_shape, index=index))
getitem.def_jvp(x=lambda xp, g, index: xp.getitem(g, index=index))
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


def _plain(index: Any) -> Any:
    """Replace the tensors in an index by their arrays."""
    if isinstance(index, Tensor):
        return index.array
    if isinstance(index, (tuple, list)):
        return type(index)(map(_plain, index))
    return index


def _get(self: Tensor, index: Any) -> Tensor:
    return getitem(self, index=_plain(index))


def _set(self: Tensor, index: Any, value: Any) -> None:
    assign(self, _plain(index), value, "assignment")


install_method("__getitem__", _get)
install_method("__setitem__", _set)
