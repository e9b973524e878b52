"""Reading parts of tensors by index, finding positions, and assignment by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..kernels.checks import index_range
from ..tensor import Tensor
from .inplace import assign
from .methods import install_method
from .parts import select
from .places import position
from .registry import Array, OperandError, Sample, operation


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


getitem.def_vjp(x=lambda xp, g, x_shape, index: xp.index_spread(g, shape=x_shape, index=index))
getitem.def_jvp(x=lambda xp, g, index: xp.getitem(g, index=index))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4, 2)), np.array([3, 0, 3]), axis=1),
        Sample(rng.normal(size=(3, 4)), np.array([[2, 0], [1, 2]]), axis=0),
        Sample(rng.normal(size=(3, 4)).astype(np.float32), np.array(2), axis=-1),
        Sample(rng.normal(size=(3, 4)), np.zeros(0, int), axis=1),
    ],
    methods=("take",),
)
def take(xp: Any, x: Array, index: Array, *, axis: int) -> Array:
    """Return the slices of x that `index` names along one axis; PyTorch's `index_select`.

    Parameters
    ----------
    x : Tensor, shape (..., n, ...)
    index : Tensor of int, any shape
        From 0 to n-1; may repeat. See `gather` for another index in each line.
    axis : int

    Returns
    -------
    Tensor
        Shape of x with that of `index` in the place of `axis`.

    Raises
    ------
    BoundsError
        If x has no such dimension, or an index is outside.
    OperandError
        If the index is a number.
    """
    if not hasattr(index, "shape"):
        raise OperandError(
            f"take: the index is a tensor; given {index!r}: see select for one slice"
        )
    axis = position("take", "dimension", axis, x.ndim)
    index_range(xp, "take", index, x.shape[axis])
    slices = xp.take(x, xp.reshape(index, (-1,)), axis=axis)
    return xp.reshape(slices, (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def _put_back(xp: Any, g: Any, x_shape: tuple[int, ...], index: Any, axis: int) -> Any:
    axis %= len(x_shape)
    slices = xp.reshape(g, (*x_shape[:axis], index.size, *x_shape[axis + 1 :]))
    return xp.index_add(xp.zeros_of(g, x_shape), xp.reshape(index, (-1,)), slices, axis=axis)


take.def_vjp(x=_put_back)
take.def_jvp(x=lambda xp, g, index, axis: xp.take(g, index, axis=axis))


@operation(
    samples=lambda rng: [
        Sample(rng.integers(-1, 2, (3, 4))),
        Sample(rng.normal(size=(2, 3, 2)) > 0),
        Sample(np.array([0.0, np.nan, -0.5])),
        Sample(np.zeros((0, 3))),
    ]
)
def argwhere(xp: Any, x: Array) -> Array:
    """Return the positions of the elements that are not 0, one a row, in row-major order.

    Returns
    -------
    Tensor of int64, shape (count, ndim)
    """
    if x.ndim == 0:
        return xp.zeros((int(bool(x)), 0), dtype=xp.int64)
    return xp.stack(xp.nonzero(x), axis=1)


def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """Return the positions of the elements that are not 0, a vector for each dimension.

    `x[nonzero(x)]` are these elements. See `argwhere` for one row a position, which is what
    PyTorch calls nonzero.

    Raises
    ------
    ShapeError
        If x has no dimension.
    """
    if x.ndim == 0:
        raise ShapeError("nonzero: a tensor of shape () has no positions")
    rows = argwhere(x)
    return tuple(select(rows, 1, axis) for axis in range(x.ndim))


install_method("nonzero", nonzero)


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
