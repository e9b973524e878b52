"""Reading and replacing the elements where a mask holds; masks are bool and broadcast with x."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import DtypeError
from ..errors import ShapeError
from .batch_rules import elementwise
from .batching import Call
from .registry import Array, Sample, operation


def _masked(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4))
    yield Sample(x, rng.normal(size=(3, 4)) > 0)
    yield Sample(x, np.array([True, False, True, True]))
    yield Sample(x[0].astype(np.float32), rng.normal(size=(3, 4)) > 0)
    yield Sample(x, np.zeros((3, 4), bool))


def _filled(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in _masked(rng):
        yield Sample(*sample.arrays, -1.5)
    yield Sample(rng.normal(size=(3, 4)), rng.normal(size=(3, 4)) > 0, rng.normal(size=()))


def _scattered(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in _masked(rng):
        yield Sample(*sample.arrays, rng.normal(size=(2, 7)).astype(sample.arrays[0].dtype))


def _broadcast(xp: Any, name: str, x: Array, mask: Array) -> tuple[Array, Array]:
    """Return both in their common shape."""
    if mask.dtype != bool:
        raise DtypeError(f"{name} takes a mask of bool; given {mask.dtype}: write mask != 0")
    both: tuple[Array, Array] = xp.broadcast_arrays(x, mask)
    return both


@operation(samples=_masked, methods=("masked_select",))
def masked_select(xp: Any, x: Array, mask: Array) -> Array:
    """Return the elements where `mask` holds, in row-major order.

    Parameters
    ----------
    x : Tensor
    mask : Tensor of bool
        Broadcasts with x.

    Returns
    -------
    Tensor, shape (count,)

    Raises
    ------
    DtypeError
        If the mask is not bool.
    """
    x, mask = _broadcast(xp, "masked_select", x, mask)
    return x[mask]


def _whole(xp: Any, g: Any, x_shape: tuple[int, ...], mask: Any) -> Any:
    """Return zeros with `g` where the mask holds."""
    return xp.masked_scatter(xp.zeros_of(g, np.broadcast_shapes(x_shape, mask.shape)), mask, g)


masked_select.def_vjp(x=_whole)
masked_select.def_jvp(x=lambda xp, g, mask: xp.masked_select(g, mask))


@operation(samples=_filled, methods=("masked_fill",), inplace=("masked_fill_",))
def masked_fill(xp: Any, x: Array, mask: Array, value: Array) -> Array:
    """Return x with `value` where `mask` holds.

    Parameters
    ----------
    x : Tensor
    mask : Tensor of bool
        Broadcasts with x.
    value : number or Tensor
        Broadcasts too; converted to x's dtype.

    Raises
    ------
    DtypeError
        If the mask is not bool.
    """
    x, mask = _broadcast(xp, "masked_fill", x, mask)
    return xp.where(mask, xp.astype(xp.asarray(value), x.dtype), x)


def _kept(xp: Any, g: Any, mask: Any) -> Any:
    return xp.masked_fill(g, mask, 0.0)


masked_fill.def_derivative(x=_kept, value=lambda xp, g, mask: xp.where(mask, g, 0.0))


@operation(samples=_scattered, methods=("masked_scatter",), inplace=("masked_scatter_",))
def masked_scatter(xp: Any, x: Array, mask: Array, source: Array) -> Array:
    """Return x with the elements where `mask` holds replaced by those of `source`, in order.

    Parameters
    ----------
    x : Tensor
    mask : Tensor of bool
        Broadcasts with x.
    source : Tensor, any shape
        At least as many elements as the mask holds; converted to x's dtype.

    Raises
    ------
    DtypeError
        If the mask is not bool.
    ShapeError
        If `source` has too few elements.
    """
    x, mask = _broadcast(xp, "masked_scatter", x, mask)
    result = xp.array(x, copy=True, order="C")
    count = int(xp.sum(mask))
    if count > source.size:
        raise ShapeError(
            f"masked_scatter: the mask holds {count} times; given {source.size} elements"
        )
    result[mask] = source.reshape(-1)[:count]
    return result


def _taken(xp: Any, g: Any, mask: Any, source_shape: tuple[int, ...]) -> Any:
    """Return what arrives where the mask holds, and 0 for elements of the source not used."""
    taken = xp.masked_select(g, mask)
    (count,), size = taken.shape, int(np.prod(source_shape))
    return xp.reshape(xp.index_spread(taken, shape=(size,), index=slice(0, count)), source_shape)


masked_scatter.def_vjp(x=_kept, source=_taken)
masked_scatter.def_jvp(x=_kept, source=_whole)


def _scatter_each(c: Call) -> Any:
    """Read the source by a running count: the k-th place where a mask holds has element k of it."""
    xp = c.xp
    x, mask, source = c.values
    most = max(c.ndim(0), c.ndim(1))
    shape = np.broadcast_shapes(c.shape(0), c.shape(1))
    mask = c.full(1)
    mask = xp.reshape(mask, (c.size, *(1,) * (most - c.ndim(1)), *mask.shape[1:]))
    mask = xp.reshape(xp.expand(mask, (c.size, *shape)), (c.size, -1))
    source = xp.reshape(c.full(2), (c.size, -1))
    count = xp.cumsum(xp.astype(mask, np.int64), axis=1)
    last = source.shape[1] - 1
    taken = xp.gather(source, xp.clamp(count - 1, min=0, max=last), axis=1)
    taken = xp.reshape(xp.astype(taken, x.dtype), (c.size, *shape))
    x = c.full(0)
    x = xp.reshape(x, (c.size, *(1,) * (most - c.ndim(0)), *x.shape[1:]))
    return xp.where(xp.reshape(mask, (c.size, *shape)), taken, x)


masked_fill.def_batch(elementwise)
masked_scatter.def_batch(_scatter_each)
masked_select.no_batch = "how many elements a mask selects differs between samples; see where()"
