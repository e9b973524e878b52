"""Reading parts of tensors by index, finding positions, and assignment by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import Batched, BatchingError, innermost
from ..errors import ShapeError
from ..kernels.checks import index_range
from ..tensor import Tensor
from .batch_rules import merged, moved, offsets
from .batching import Call
from .comparison import where
from .index_parts import before_samples, is_basic
from .inplace import assign, write_
from .methods import install_method
from .namespaces import TENSORS
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


def _getitem_each(c: Call) -> Any:
    x, index = c.values[0], c.params["index"]
    if is_basic(index):
        parts = index if isinstance(index, tuple) else (index,)
        return c.again(x, index=(slice(None), *parts))
    part = c.again(moved(c, x, 0, x.ndim - 1), index=before_samples(index))
    return moved(c, part, part.ndim - 1, 0)


def _take_each(c: Call) -> Any:
    x, index = c.values
    axis = position("take", "dimension", c.params["axis"], c.ndim(0))
    if not c.batched[1]:
        return c.again(x, index, axis=axis + 1)
    if not c.batched[0]:
        return moved(c, c.again(x, index, axis=axis), axis, 0)
    index_range(c.xp.library, "take", innermost(index), c.shape(0)[axis])
    rows = moved(c, x, axis + 1, 1)
    taken = c.again(merged(c, rows), offsets(c, index, rows.shape[1]), axis=0)
    first = index.ndim  # where the other dimensions begin
    order = [*range(first, first + axis), *range(1, first), *range(first + axis, taken.ndim)]
    return c.xp.permute(taken, [0, *order])


getitem.def_batch(_getitem_each)
take.def_batch(_take_each)
argwhere.no_batch = "how many positions there are differs between samples"


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


def _has_samples(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(i, Tensor) and type(i._array) is Batched for i in parts)


def _rows_each(x: Tensor, index: Any) -> tuple[Tensor, int, Tensor]:
    """Return what an index with positions of each sample names, inside vmap, as rows.

    Returns
    -------
    rows : Tensor
        x, with the dimensions that the index has positions for made one.
    axis : int
        Which that is.
    flat : Tensor of int
        The positions along it.
    """
    parts = index if isinstance(index, tuple) else (index,)
    while isinstance(parts[-1], slice) and parts[-1] == slice(None):
        parts = parts[:-1]
    skipped = 0
    while isinstance(parts[skipped], slice) and parts[skipped] == slice(None):
        skipped += 1
    flat: Any = 0
    for k, i in enumerate(parts[skipped:], skipped):
        dtype = getattr(i, "dtype", np.dtype(type(i)))
        if dtype.kind not in "iu":
            raise BatchingError(
                "an index inside vmap has a batched part: beside it are whole dimensions before "
                f"and after, and integers; given a part of {dtype}: see where() for masks"
            )
        if isinstance(i, (int, np.integer)):
            place: Any = position("indexing", "index", int(i), x.shape[k])
        else:
            place = where(i < 0, i + x.shape[k], i)
        flat = flat * x.shape[k] + place
    rows = x.reshape((*x.shape[:skipped], -1, *x.shape[len(parts) :]))
    return rows, skipped, flat


def _get_each(x: Tensor, index: Any) -> Tensor:
    rows, axis, flat = _rows_each(x, index)
    return take(rows, flat, axis=axis)


def _set_each(target: Tensor, index: Any, value: Any) -> None:
    rows, axis, flat = _rows_each(target, index)
    before, after = rows.shape[:axis], rows.shape[axis + 1 :]
    value = value if isinstance(value, Tensor) else Tensor(value, target.dtype, target.device)
    value = value.expand((*before, *flat.shape, *after)).reshape((*before, flat.size, *after))
    place = flat.reshape((*(1,) * axis, flat.size, *(1,) * len(after))).expand(value.shape)
    write_(
        target, TENSORS.scatter(rows, place, value, axis=axis).reshape(target.shape), "assignment"
    )


def _get(self: Tensor, index: Any) -> Tensor:
    if _has_samples(index):
        return _get_each(self, index)
    return getitem(self, index=_plain(index))


def _set(self: Tensor, index: Any, value: Any) -> None:
    if _has_samples(index):
        _set_each(self, index, value)
        return
    assign(self, _plain(index), value, "assignment")


install_method("__getitem__", _get)
install_method("__setitem__", _set)
