"""Operations that move elements and change none; most results are views."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import BoundsError, ShapeError
from ..tensor import Tensor
from .methods import install_method
from .registry import Array, Op, Sample, operation


def _one(**params: Any) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(rng.normal(size=(2, 3, 4)), **params)

    return samples


def _several(**params: Any) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample([rng.normal(size=(2, 3)), rng.normal(size=(2, 3))], **params)

    return samples


def _position(name: str, what: str, i: int, length: int) -> int:
    """Return `i`, counted from the end where negative, after checking it."""
    if not -length <= i < length:
        raise BoundsError(f"{name}: {what} {i} is not one of {length}")
    return i % length


def _along(axis: int, index: Any, ndim: int) -> tuple[Any, ...]:
    """Return an index that is `index` in dimension `axis` and everything elsewhere."""
    place: list[Any] = [slice(None)] * ndim
    place[axis] = index
    return tuple(place)


@operation(samples=_one(shape=(6, -1)), view=True)
def reshape(xp: Any, x: Array, shape: Sequence[int]) -> Array:
    """Return the elements, in row-major order, in another shape.

    Parameters
    ----------
    shape : sequence of int
        One size may be -1: whatever fits.
    """
    return xp.reshape(x, tuple(shape))


reshape.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
reshape.def_jvp(x=lambda xp, g, shape: xp.reshape(g, shape))


@operation(samples=_one(), view=True, methods=("flatten",))
def flatten(xp: Any, x: Array, *, start: int = 0, end: int = -1) -> Array:
    """Return x with dimensions `start` to `end`, both included, made one.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If `start` comes after `end`.
    """
    if x.ndim == 0:
        return xp.reshape(x, (1,))
    first = _position("flatten", "dimension", start, x.ndim)
    last = _position("flatten", "dimension", end, x.ndim)
    if first > last:
        raise ShapeError(f"flatten: dimension {start} comes after dimension {end}")
    merged = math.prod(x.shape[first : last + 1])
    return xp.reshape(x, (*x.shape[:first], merged, *x.shape[last + 1 :]))


flatten.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
flatten.def_jvp(x=lambda xp, g, start, end: xp.flatten(g, start=start, end=end))


@operation(samples=_one(a=0, b=2), view=True, methods=("transpose",))
def transpose(xp: Any, x: Array, a: int, b: int) -> Array:
    """Return x with the dimensions `a` and `b` exchanged.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    """
    axes = list(range(x.ndim))
    a = _position("transpose", "dimension", a, x.ndim)
    b = _position("transpose", "dimension", b, x.ndim)
    axes[a], axes[b] = b, a
    return xp.permute_dims(x, tuple(axes))


transpose.def_derivative(x=lambda xp, g, a, b: xp.transpose(g, a, b))


@operation(samples=_one(axes=(2, 0, 1)), view=True)
def permute(xp: Any, x: Array, axes: Sequence[int]) -> Array:
    """Return x with its dimensions in the order `axes`."""
    return xp.permute_dims(x, tuple(axes))


permute.def_vjp(
    x=lambda xp, g, axes: xp.permute(g, sorted(range(len(axes)), key=lambda i: axes[i] % len(axes)))
)
permute.def_jvp(x=lambda xp, g, axes: xp.permute(g, axes))


@operation(samples=_one(shape=(5, 2, 3, 4)), view=True)
def expand(xp: Any, x: Array, shape: Sequence[int]) -> Array:
    """Return x repeated, without copying, along new dimensions and those of size 1.

    The result is for reading: several of its elements are one in memory.
    """
    return xp.broadcast_to(x, tuple(shape))


expand.def_vjp(x=lambda g: g)
expand.def_jvp(x=lambda xp, g, shape: xp.expand(g, shape))


@operation(
    samples=lambda rng: [Sample(rng.normal(size=(2, 1, 3)), axis=1)],
    view=True,
    methods=("squeeze",),
)
def squeeze(xp: Any, x: Array, *, axis: int | tuple[int, ...] | None = None) -> Array:
    """Return x without the dimensions `axis` of size 1; by default without any."""
    if axis is None:
        axis = tuple(i for i, n in enumerate(x.shape) if n == 1)
    return xp.squeeze(x, axis=axis)


squeeze.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
squeeze.def_jvp(x=lambda xp, g, axis: xp.squeeze(g, axis=axis))


@operation(samples=_one(axis=1), view=True, methods=("unsqueeze",))
def unsqueeze(xp: Any, x: Array, axis: int) -> Array:
    """Return x with a new dimension of size 1 at `axis`."""
    return xp.expand_dims(x, axis=axis)


unsqueeze.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
unsqueeze.def_jvp(x=lambda xp, g, axis: xp.unsqueeze(g, axis))


@operation(samples=_one(axis=1, start=1, length=2), view=True)
def narrow(xp: Any, x: Array, axis: int, start: int, length: int) -> Array:
    """Return the `length` elements from `start` on of dimension `axis`.

    Raises
    ------
    BoundsError
        If x has no such dimension, or not all of these elements.
    """
    axis = _position("narrow", "dimension", axis, x.ndim)
    if not 0 <= start <= start + length <= x.shape[axis]:
        raise BoundsError(
            f"narrow: {length} elements from {start} on are not inside dimension {axis} "
            f"of shape {x.shape}"
        )
    index = [slice(None)] * x.ndim
    index[axis] = slice(start, start + length)
    return x[tuple(index)]


narrow.def_vjp(
    x=lambda xp, g, x_shape, axis, start, length: xp.index_spread(
        g, shape=x_shape, index=_along(axis, slice(start, start + length), len(x_shape))
    )
)
narrow.def_jvp(x=lambda xp, g, axis, start, length: xp.narrow(g, axis, start, length))


@operation(samples=_one(axis=1, index=2), view=True)
def select(xp: Any, x: Array, axis: int, index: int) -> Array:
    """Return element `index` of dimension `axis`, which goes away.

    Raises
    ------
    BoundsError
        If x has no such dimension, or no such element.
    """
    axis = _position("select", "dimension", axis, x.ndim)
    place: list[Any] = [slice(None)] * x.ndim
    place[axis] = _position("select", "index", index, x.shape[axis])
    return x[(*place, ...)]


select.def_vjp(
    x=lambda xp, g, x_shape, axis, index: xp.index_spread(
        g, shape=x_shape, index=_along(axis, index, len(x_shape))
    )
)
select.def_jvp(x=lambda xp, g, axis, index: xp.select(g, axis, index))


@operation(samples=_one(axes=(0, 2)))
def flip(xp: Any, x: Array, axes: int | Sequence[int]) -> Array:
    """Return a copy of x with the order of elements along `axes` reversed."""
    flipped = xp.flip(x, axis=axes if isinstance(axes, int) else tuple(axes))
    return xp.asarray(flipped, copy=True)


flip.def_derivative(x=lambda xp, g, axes: xp.flip(g, axes))


@operation(samples=_several(axis=1), variadic=True)
def concat(xp: Any, *arrays: Array, axis: int = 0) -> Array:
    """Return the tensors one after the other along dimension `axis`."""
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


@operation(samples=_one(), methods=("clone",))
def clone(xp: Any, x: Array) -> Array:
    """Return a copy in row-major order."""
    return xp.reshape(x, x.shape, copy=True)


clone.def_derivative(x=lambda g: g)


@operation(samples=_one(), view=True, methods=("contiguous",))
def contiguous(xp: Any, x: Array) -> Array:
    """Return x itself if it lies in memory in row-major order, else a copy that does."""
    return xp.ascontiguousarray(x) if x.ndim else x


contiguous.def_derivative(x=lambda g: g)


def _varargs(op: Op[..., Tensor]) -> Any:
    """Return a method that takes sizes or axes one by one as well as in a sequence."""

    def method(self: Tensor, *sizes: Any) -> Tensor:
        alone = len(sizes) == 1 and not hasattr(sizes[0], "__index__")
        return op(self, sizes[0] if alone else sizes)

    method.__doc__ = op.__doc__
    return method


for _op in (reshape, permute, expand):
    install_method(_op.name, _varargs(_op))

install_method("T", property(lambda x: permute(x, range(x.ndim)[::-1])))
