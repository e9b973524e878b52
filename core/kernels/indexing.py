"""Reading and adding by index arrays."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from .. import backend
from ..errors import ShapeError
from .checks import Array, index_range, same_shape, wide


def embedding(xp: Any, weight: Array, index: Array) -> Array:
    """Return the rows of `weight` that `index` names.

    Parameters
    ----------
    weight : array, shape (V, ...)
    index : array of int, shape (...)

    Returns
    -------
    array, shape index.shape + weight.shape[1:]

    Raises
    ------
    BoundsError
        If an index is outside 0..V-1.
    """
    index_range(xp, "embedding", index, weight.shape[0])
    rows = xp.take(weight, xp.reshape(index, (-1,)), axis=0)
    return xp.reshape(rows, (*index.shape, *weight.shape[1:]))


def embedding_gradient(xp: Any, g: Array, index: Array, *, rows: int) -> Array:
    """Return the gradient of `embedding` by its table: g added to the rows that were read.

    Parameters
    ----------
    g : array, floating, shape index.shape + (...)
    index : array of int
    rows : int
        V, the length of the table.

    Returns
    -------
    array, shape (V, ...)

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside 0..V-1.
    """
    name = "embedding_gradient"
    row = g.shape[index.ndim :]
    same_shape(name, "g", g, (*index.shape, *row))
    index_range(xp, name, index, rows)
    terms = wide(xp, g).reshape(-1, *row)
    out = xp.zeros((rows, *row), dtype=terms.dtype)
    backend.add_at(out, index.reshape(-1), terms)
    return out.astype(g.dtype, copy=False)


def gather(xp: Any, x: Array, index: Array, *, axis: int) -> Array:
    """Return the elements of x that `index` names along one axis.

    Parameters
    ----------
    x : array
    index : array of int
        As many dimensions as x, and its sizes but along `axis`.
    axis : int

    Returns
    -------
    array
        Shape of `index`.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    _check_along(xp, "gather", x, index, axis)
    return xp.take_along_axis(x, index, axis=axis)


def gather_gradient(xp: Any, g: Array, index: Array, *, size: int, axis: int) -> Array:
    """Return the gradient of `gather`: zeros with g added where its elements were read.

    Parameters
    ----------
    g : array, floating
    index : array of int, shape of g
    size : int
        The length that the result has along `axis`.
    axis : int

    Returns
    -------
    array
        Shape of g but along `axis`.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    same_shape("gather_gradient", "index", index, g.shape)
    index_range(xp, "gather_gradient", index, size)
    shape = list(g.shape)
    shape[axis] = size
    return spread(xp, shape, _places(xp, index, axis, size), g)


def scatter_add(xp: Any, x: Array, index: Array, source: Array, *, axis: int) -> Array:
    """Return x with `source` added at the places that `index` names along one axis.

    The transpose of `gather`; where an index repeats, all are added.

    Parameters
    ----------
    x : array
    index : array of int
        As many dimensions as x, and its sizes but along `axis`.
    source : array
        Shape of `index`, dtype of x.
    axis : int

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    _check_along(xp, "scatter_add", x, index, axis)
    same_shape("scatter_add", "source", source, index.shape)
    return _add_at(xp, x, _places(xp, index, axis, x.shape[axis]), source)


def scatter(xp: Any, x: Array, index: Array, source: Array, *, axis: int) -> Array:
    """Return x with the elements that `index` names along one axis replaced by `source`.

    Parameters
    ----------
    x : array
    index : array of int
        As many dimensions as x, and its sizes but along `axis`.
    source : array or number
        Broadcasts to the shape of `index`.
    axis : int

    Returns
    -------
    array
        Shape and dtype of x; where an index repeats, one of the elements stays.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    _check_along(xp, "scatter", x, index, axis)
    place = [
        xp.reshape(xp.arange(n), (-1, *(1,) * (x.ndim - d - 1))) for d, n in enumerate(x.shape)
    ]
    place[axis] = index
    out = xp.array(x, copy=True, order="C")
    out[tuple(place)] = source
    return out


def index_add(xp: Any, x: Array, index: Array, source: Array, *, axis: int) -> Array:
    """Return x with the slices of `source` added to those that `index` names.

    The transpose of taking along an axis; where an index repeats, all are added.

    Parameters
    ----------
    x : array
    index : array of int, shape (n,)
    source : array
        Shape of x, but n along `axis`; dtype of x.
    axis : int

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    ShapeError, BoundsError
        If the shapes do not fit or an index is outside.
    """
    axis %= x.ndim
    index_range(xp, "index_add", index, x.shape[axis])
    same_shape(
        "index_add", "source", source, (*x.shape[:axis], index.shape[0], *x.shape[axis + 1 :])
    )
    if axis == 0:
        out = xp.array(wide(xp, x), copy=True, order="C")
        backend.add_at(out, index, wide(xp, source))
        return out.astype(x.dtype, copy=False)
    outer, inner = prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
    place = _wide(xp, index)[:, None] * inner + xp.arange(inner)
    place = place + (xp.arange(outer) * (x.shape[axis] * inner))[:, None, None]
    return _add_at(xp, x, place, source)


def spread(xp: Any, shape: Sequence[int], place: Array, source: Array) -> Array:
    """Return zeros of `shape` with `source` added at flat places, unchecked.

    Parameters
    ----------
    shape : sequence of int
    place : array of int
        Positions in the flat result; may repeat.
    source : array, floating
        As many elements as `place`.

    Notes
    -----
    NumPy's add.at is fast for flat operands only.
    """
    terms = wide(xp, source).reshape(-1)
    out = xp.zeros(prod(shape), terms.dtype)
    xp.add.at(out, place.reshape(-1), terms)
    return out.reshape(shape).astype(source.dtype, copy=False)


def _places(xp: Any, index: Array, axis: int, size: int) -> Array:
    """Return where in the flat whole, `size` long along an axis, an index along it points."""
    axis %= index.ndim
    outer, inner = prod(index.shape[:axis]), prod(index.shape[axis + 1 :])
    place = _wide(xp, index).reshape(outer, index.shape[axis], inner) * inner + xp.arange(inner)
    place += (xp.arange(outer) * (size * inner))[:, None, None]
    return place


def _wide(xp: Any, index: Array) -> Array:
    """Return an index as int64, which its product with a size does not leave."""
    return index.astype(xp.int64, copy=False)


def _add_at(xp: Any, x: Array, place: Array, source: Array) -> Array:
    """Return x with `source` added at flat places."""
    out = xp.array(wide(xp, x), copy=True, order="C").reshape(-1)
    xp.add.at(out, place.reshape(-1), wide(xp, source).reshape(-1))
    return out.reshape(x.shape).astype(x.dtype, copy=False)


def _check_along(xp: Any, kernel: str, x: Array, index: Array, axis: int) -> None:
    fits = x.ndim == index.ndim and all(
        n == m
        for d, (n, m) in enumerate(zip(x.shape, index.shape, strict=True))
        if d != axis % x.ndim
    )
    if not fits:
        raise ShapeError(
            f"{kernel}: the index has the shape of x but along axis {axis}; given index "
            f"{index.shape} for x {x.shape}"
        )
    index_range(xp, kernel, index, x.shape[axis])
