"""Operations that move elements and change none; most results are views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..kernels.copying import in_rows, is_large, reshaped
from ..tensor import Tensor
from .batch_rules import along_axis, leading, shifted
from .batching import Call
from .methods import install_method
from .places import position
from .registry import Array, Op, Sample, operation
from .samples import cube


@operation(samples=cube(shape=(6, -1)), view=True)
def reshape(xp: Any, x: Array, shape: Sequence[int]) -> Array:
    """Return the elements, in row-major order, in another shape.

    Parameters
    ----------
    shape : sequence of int
        One size may be -1: whatever fits.
    """
    if is_large(x):
        return reshaped(x, tuple(shape))
    return xp.reshape(x, tuple(shape))


reshape.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
reshape.def_jvp(x=lambda xp, g, shape: xp.reshape(g, shape))


@operation(samples=cube(), view=True, methods=("flatten",))
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
    first = position("flatten", "dimension", start, x.ndim)
    last = position("flatten", "dimension", end, x.ndim)
    if first > last:
        raise ShapeError(f"flatten: dimension {start} comes after dimension {end}")
    merged = math.prod(x.shape[first : last + 1])
    return xp.reshape(x, (*x.shape[:first], merged, *x.shape[last + 1 :]))


flatten.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
flatten.def_jvp(x=lambda xp, g, start, end: xp.flatten(g, start=start, end=end))


@operation(samples=cube(a=0, b=2), view=True, methods=("transpose",))
def transpose(xp: Any, x: Array, a: int, b: int) -> Array:
    """Return x with the dimensions `a` and `b` exchanged.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    """
    axes = list(range(x.ndim))
    a = position("transpose", "dimension", a, x.ndim)
    b = position("transpose", "dimension", b, x.ndim)
    axes[a], axes[b] = b, a
    return xp.permute_dims(x, tuple(axes))


transpose.def_derivative(x=lambda xp, g, a, b: xp.transpose(g, a, b))


@operation(samples=cube(axes=(2, 0, 1)), view=True)
def permute(xp: Any, x: Array, axes: Sequence[int]) -> Array:
    """Return x with its dimensions in the order `axes`."""
    return xp.permute_dims(x, tuple(axes))


permute.def_vjp(
    x=lambda xp, g, axes: xp.permute(g, sorted(range(len(axes)), key=lambda i: axes[i] % len(axes)))
)
permute.def_jvp(x=lambda xp, g, axes: xp.permute(g, axes))


@operation(samples=cube(shape=(5, 2, 3, 4)), view=True)
def expand(xp: Any, x: Array, shape: Sequence[int]) -> Array:
    """Return x repeated, without copying, along new dimensions and those of size 1.

    A size of -1 is that of x. The result is for reading: several of its elements are one in
    memory.
    """
    new = len(shape) - x.ndim
    sizes = (x.shape[i - new] if n == -1 and i >= new else n for i, n in enumerate(shape))
    return xp.broadcast_to(x, tuple(sizes))


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


@operation(samples=cube(axis=1), view=True, methods=("unsqueeze",))
def unsqueeze(xp: Any, x: Array, axis: int) -> Array:
    """Return x with a new dimension of size 1 at `axis`."""
    return xp.expand_dims(x, axis=axis)


unsqueeze.def_vjp(x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
unsqueeze.def_jvp(x=lambda xp, g, axis: xp.unsqueeze(g, axis))


def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return x with the dimensions `source` moved to `destination`, the others in order.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If there are not as many of one as of the other, or one is named twice.
    """
    origins = [source] if isinstance(source, (int, np.integer)) else [*source]
    targets = [destination] if isinstance(destination, (int, np.integer)) else [*destination]
    origins = [position("moveaxis", "dimension", a, x.ndim) for a in origins]
    targets = [position("moveaxis", "dimension", a, x.ndim) for a in targets]
    if len(origins) != len(targets) or len({*origins}) + len({*targets}) != 2 * len(origins):
        raise ShapeError(f"moveaxis: {source} and {destination} are no pairs of dimensions")
    rest = iter(a for a in range(x.ndim) if a not in origins)
    place = dict(zip(targets, origins, strict=True))
    return permute(x, [place[a] if a in place else next(rest) for a in range(x.ndim)])


@operation(samples=cube(axes=(0, 2)))
def flip(xp: Any, x: Array, axes: int | Sequence[int]) -> Array:
    """Return a copy of x with the order of elements along `axes` reversed."""
    flipped = xp.flip(x, axis=axes if isinstance(axes, int) else tuple(axes))
    return xp.asarray(flipped, copy=True)


flip.def_derivative(x=lambda xp, g, axes: xp.flip(g, axes))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3, 4)), shift=5),
        Sample(rng.normal(size=(2, 3, 4)), shift=-1, axis=1),
        Sample(rng.normal(size=(2, 3, 4)), shift=(1, 2), axis=(0, -1)),
    ],
    methods=("roll",),
)
def roll(
    xp: Any, x: Array, shift: int | tuple[int, ...], *, axis: int | tuple[int, ...] | None = None
) -> Array:
    """Return x with elements moved `shift` places on; those pushed out come in at the start.

    Parameters
    ----------
    shift : int or tuple of int
        Places, to the front where negative.
    axis : int or tuple of int, optional
        Along which dimensions; by default in row-major order through all.
    """
    return xp.roll(x, shift, axis=axis)


def _opposite(shift: int | tuple[int, ...]) -> int | tuple[int, ...]:
    return -shift if isinstance(shift, int) else tuple(-s for s in shift)


roll.def_vjp(x=lambda xp, g, shift, axis: xp.roll(g, _opposite(shift), axis=axis))
roll.def_jvp(x=lambda xp, g, shift, axis: xp.roll(g, shift, axis=axis))


@operation(samples=cube(), methods=("clone",))
def clone(xp: Any, x: Array) -> Array:
    """Return a copy in row-major order."""
    if is_large(x):
        return in_rows(x)
    return xp.reshape(x, x.shape, copy=True)


clone.def_derivative(x=lambda g: g)


@operation(samples=cube(), view=True, methods=("contiguous",))
def contiguous(xp: Any, x: Array) -> Array:
    """Return x itself if it lies in memory in row-major order, else a copy that does."""
    if is_large(x) and not x.flags.c_contiguous:
        return in_rows(x)
    return xp.ascontiguousarray(x) if x.ndim else x


contiguous.def_derivative(x=lambda g: g)


def _reshape_each(c: Call) -> Any:
    return c.again(c.values[0], shape=(c.size, *c.params["shape"]))


def _flatten_each(c: Call) -> Any:
    if c.ndim() == 0:
        return c.xp.reshape(c.values[0], (c.size, 1))
    first = shifted(c, c.params["start"])
    last = shifted(c, c.params["end"])
    return c.again(c.values[0], start=first, end=last)


def _permute_each(c: Call) -> Any:
    axes = [shifted(c, a) for a in c.params["axes"]]
    return c.again(c.values[0], axes=[0, *axes])


def _expand_each(c: Call) -> Any:
    x, shape = c.values[0], tuple(c.params["shape"])
    new = len(shape) - c.ndim()
    x = c.xp.reshape(x, (c.size, *(1,) * new, *c.shape())) if new > 0 else x
    return c.again(x, shape=(c.size, *shape))


def _squeeze_each(c: Call) -> Any:
    axis = c.params["axis"]
    if axis is None:
        axis = tuple(i for i, n in enumerate(c.shape()) if n == 1)
    axes = (axis,) if isinstance(axis, int) else axis
    return c.again(c.values[0], axis=tuple(shifted(c, a) for a in axes))


def _unsqueeze_each(c: Call) -> Any:
    return c.again(c.values[0], axis=shifted(c, c.params["axis"], ndim=c.ndim() + 1))


def _roll_each(c: Call) -> Any:
    """Without an axis elements move in row-major order through a sample."""
    axis = c.params["axis"]
    if axis is None:
        rows = c.xp.reshape(c.values[0], (c.size, math.prod(c.shape())))
        return c.xp.reshape(c.again(rows, axis=1), (c.size, *c.shape()))
    axes = (axis,) if isinstance(axis, int) else axis
    places = tuple(shifted(c, a) for a in axes)
    return c.again(c.values[0], axis=places[0] if isinstance(axis, int) else places)


reshape.def_batch(_reshape_each)
flatten.def_batch(_flatten_each)
transpose.def_batch(along_axis("a", "b"))
permute.def_batch(_permute_each)
expand.def_batch(_expand_each)
squeeze.def_batch(_squeeze_each)
unsqueeze.def_batch(_unsqueeze_each)
flip.def_batch(along_axis("axes"))
roll.def_batch(_roll_each)
clone.def_batch(leading(0))
contiguous.def_batch(leading(0))


def varargs(op: Op[..., Tensor]) -> Any:
    """Return a method that takes sizes or axes one by one as well as in a sequence."""

    def method(self: Tensor, *sizes: Any) -> Tensor:
        alone = len(sizes) == 1 and not hasattr(sizes[0], "__index__")
        return op(self, sizes[0] if alone else sizes)

    method.__doc__ = op.__doc__
    return method


for _op in (reshape, permute, expand, flip):
    install_method(_op.name, varargs(_op))

install_method("moveaxis", moveaxis)
install_method("T", property(lambda x: permute(x, range(x.ndim)[::-1])))
install_method("mT", property(lambda x: transpose(x, -2, -1)))
