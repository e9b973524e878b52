"""Tensors made of several, or of one several times."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..kernels.copying import is_large, joined
from ..tensor import Tensor
from .batch_rules import shifted
from .batching import Call
from .methods import install_method
from .places import along
from .registry import Array, OperandError, Sample, operation
from .shape import expand, reshape, varargs


def _several(**params: Any) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample([rng.normal(size=(2, 3)), rng.normal(size=(2, 3))], **params)

    return samples


@operation(samples=_several(axis=1), variadic=True)
def concat(xp: Any, *arrays: Array, axis: int = 0) -> Array:
    """Return the tensors one after the other along dimension `axis`."""
    if any(map(is_large, arrays)):
        return joined(arrays, axis)
    return xp.concat(arrays, axis=axis)


def _part(xp: Any, g: Any, i: int, arrays_shape: Any, axis: int) -> Any:
    """Return the part of `g` that operand `i` of a concat became."""
    start = sum(s[axis] for s in arrays_shape[:i])
    return xp.narrow(g, axis, start, arrays_shape[i][axis])


def _alone(xp: Any, g: Any, i: int, arrays_shape: Any, axis: int) -> Any:
    """Return a concat of `g` as operand `i` with zeros for all others."""
    return xp.concat(
        [g if j == i else xp.zeros_of(g, s) for j, s in enumerate(arrays_shape)], axis=axis
    )


concat.def_vjp(arrays=_part)
concat.def_jvp(arrays=_alone)


@operation(samples=_several(axis=1), variadic=True)
def stack(xp: Any, *arrays: Array, axis: int = 0) -> Array:
    """Return the tensors side by side along a new dimension `axis`."""
    return xp.stack(arrays, axis=axis)


stack.def_vjp(arrays=lambda xp, g, i, axis: xp.select(g, axis, i))
stack.def_jvp(
    arrays=lambda xp, g, i, arrays_shape, axis: xp.stack(
        [g if j == i else xp.zeros_of(g, s) for j, s in enumerate(arrays_shape)], axis=axis
    )
)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), repetitions=(2, 3)),
        Sample(rng.normal(size=(2, 3)), repetitions=(2, 1, 2)),
        Sample(rng.normal(size=(2, 3)).astype(np.float32), repetitions=(2,)),
    ]
)
def tile(xp: Any, x: Array, repetitions: Sequence[int]) -> Array:
    """Return x set side by side `repetitions` times along each dimension, the last ones last.

    PyTorch also calls this `Tensor.repeat`; see `repeat` for elements repeated one by one.
    """
    return xp.tile(x, tuple(repetitions))


def _untile(xp: Any, g: Any, x_shape: tuple[int, ...]) -> Any:
    """Return `g` with the tiles of shape `x_shape` added up."""
    shape = (1,) * (g.ndim - len(x_shape)) + tuple(x_shape)
    blocks: list[int] = []
    for whole, n in zip(g.shape, shape, strict=True):
        blocks += [whole // n if n else 0, n]
    return xp.reshape(
        xp.sum(xp.reshape(g, blocks), axis=tuple(range(0, len(blocks), 2))), tuple(x_shape)
    )


tile.def_vjp(x=_untile)
tile.def_jvp(x=lambda xp, g, repetitions: xp.tile(g, repetitions))

install_method("tile", varargs(tile))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), repeats=2, axis=1),
        Sample(rng.normal(size=(2, 3)), repeats=2),
        Sample(rng.normal(size=(2, 3)).astype(np.float32), repeats=(3, 0), axis=0),
    ]
)
def repeat(xp: Any, x: Array, repeats: int | Sequence[int], *, axis: int | None = None) -> Array:
    """Return x with each element along `axis` repeated; PyTorch's `repeat_interleave`.

    Parameters
    ----------
    x : Tensor
    repeats : int or sequence of int
        How often; a sequence has a number for each element along `axis`.
    axis : int, optional
        By default x is flattened first.
    """
    counts = repeats if isinstance(repeats, int) else xp.asarray(repeats)
    return xp.repeat(x, counts, axis=axis)


def _unrepeat(xp: Any, g: Any, x_shape: Any, repeats: Any, axis: int | None) -> Any:
    """Return `g` with the repetitions of each element added up."""
    if axis is None:
        flat = _unrepeat(xp, g, (int(np.prod(x_shape)),), repeats, 0)
        return xp.reshape(flat, x_shape)
    axis %= len(x_shape)
    if isinstance(repeats, int):
        blocks = (*x_shape[: axis + 1], repeats, *x_shape[axis + 1 :])
        return xp.sum(xp.reshape(g, blocks), axis=axis + 1)
    origin = np.repeat(np.arange(x_shape[axis]), repeats)
    return xp.index_spread(g, shape=x_shape, index=along(axis, origin, len(x_shape)))


repeat.def_vjp(x=_unrepeat)
repeat.def_jvp(x=lambda xp, g, repeats, axis: xp.repeat(g, repeats, axis=axis))


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return the coordinates of a grid, one tensor for each vector of positions.

    Parameters
    ----------
    *arrays : Tensor, shape (n_i,)
    indexing : str
        "ij" gives tensors of shape (n_0, n_1, ...); "xy", the array API's default, exchanges
        the first two, as for the columns and rows of a picture.

    Returns
    -------
    tuple of Tensor
        Views; for reading.

    Raises
    ------
    ShapeError
        If one of `arrays` is no vector.
    OperandError
        For another `indexing`.
    """
    if indexing not in ("xy", "ij"):
        raise OperandError(f'meshgrid: indexing is "xy" or "ij"; given {indexing!r}')
    if any(x.ndim != 1 for x in arrays):
        raise ShapeError(f"meshgrid takes vectors; given shapes {[x.shape for x in arrays]}")
    order = [*range(len(arrays))]
    if indexing == "xy":
        order[:2] = order[1::-1]
    shape = tuple(arrays[i].size for i in order)
    lines = [[-1 if i == k else 1 for k in order] for i in range(len(order))]
    return tuple(expand(reshape(x, line), shape) for x, line in zip(arrays, lines, strict=True))


def _concat_each(c: Call) -> Any:
    values = [c.full(i) for i in range(len(c.values))]
    first = next(i for i, b in enumerate(c.batched) if b)
    return c.again(*values, axis=shifted(c, c.params["axis"], ndim=c.ndim(first)))


def _stack_each(c: Call) -> Any:
    values = [c.full(i) for i in range(len(c.values))]
    first = next(i for i, b in enumerate(c.batched) if b)
    return c.again(*values, axis=shifted(c, c.params["axis"], ndim=c.ndim(first) + 1))


def _tile_each(c: Call) -> Any:
    repetitions = tuple(c.params["repetitions"])
    missing = len(repetitions) - c.ndim()
    x = c.xp.reshape(c.values[0], (c.size, *(1,) * max(missing, 0), *c.shape()))
    return c.again(x, repetitions=(1, *(1,) * max(-missing, 0), *repetitions))


def _repeat_each(c: Call) -> Any:
    if c.params["axis"] is None:
        return c.again(c.xp.reshape(c.values[0], (c.size, math.prod(c.shape()))), axis=1)
    return c.again(c.values[0], axis=shifted(c, c.params["axis"]))


concat.def_batch(_concat_each)
stack.def_batch(_stack_each)
tile.def_batch(_tile_each)
repeat.def_batch(_repeat_each)
