"""Parts of a tensor along one dimension: slices, pieces and windows; most are views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import BoundsError, ShapeError
from ..tensor import Tensor
from .batch_rules import along_axis, shifted
from .batching import Call
from .cutting import cut_together
from .methods import install_method
from .places import along, position
from .registry import Array, Sample, operation
from .samples import cube


@operation(samples=cube(axis=1, start=1, length=2), view=True, methods=("narrow",))
def narrow(xp: Any, x: Array, axis: int, start: int, length: int) -> Array:
    """Return the `length` elements from `start` on of dimension `axis`.

    Raises
    ------
    BoundsError
        If x has no such dimension, or not all of these elements.
    """
    axis = position("narrow", "dimension", axis, x.ndim)
    if not 0 <= start <= start + length <= x.shape[axis]:
        raise BoundsError(
            f"narrow: {length} elements from {start} on are not inside dimension {axis} "
            f"of shape {x.shape}"
        )
    return x[along(axis, slice(start, start + length), x.ndim)]


narrow.def_vjp(
    x=lambda xp, g, x_shape, axis, start, length: xp.index_spread(
        g, shape=x_shape, index=along(axis, slice(start, start + length), len(x_shape))
    )
)
narrow.def_jvp(x=lambda xp, g, axis, start, length: xp.narrow(g, axis, start, length))


@operation(samples=cube(axis=1, index=2), view=True, methods=("select",))
def select(xp: Any, x: Array, axis: int, index: int) -> Array:
    """Return element `index` of dimension `axis`, which goes away.

    Raises
    ------
    BoundsError
        If x has no such dimension, or no such element.
    """
    axis = position("select", "dimension", axis, x.ndim)
    place = position("select", "index", index, x.shape[axis])
    return x[(*along(axis, place, x.ndim), ...)]


select.def_vjp(
    x=lambda xp, g, x_shape, axis, index: xp.index_spread(
        g, shape=x_shape, index=along(axis, index, len(x_shape))
    )
)
select.def_jvp(x=lambda xp, g, axis, index: xp.select(g, axis, index))


def split(x: Tensor, size: int | Sequence[int], *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return x cut along `axis` into parts that view its memory.

    Parameters
    ----------
    x : Tensor
    size : int or sequence of int
        The length of every part, the last one's being what is left; or each part's own.
    axis : int

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If the lengths are below 0 (a common one: below 1), or not those of the whole.
    """
    axis = position("split", "dimension", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(size, (int, np.integer)):
        size = int(size)
        if size < 1:
            raise ShapeError(f"split: a part has at least 1 element; given {size}")
        sizes = [min(size, n - start) for start in range(0, n, size)] or [0]
    else:
        sizes = [*size]
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise ShapeError(f"split: lengths {sizes} do not cut dimension {axis} of shape {x.shape}")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    parts = tuple(narrow(x, axis, a, k) for a, k in zip(starts, sizes, strict=True))
    cut_together(x, parts, axis)
    return parts


def chunk(x: Tensor, chunks: int, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return x cut along `axis` into `chunks` parts of equal length that view its memory.

    The last part is shorter where it must be; where that leaves nothing there are fewer parts.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If `chunks` is below 1.
    """
    axis = position("chunk", "dimension", axis, x.ndim)
    if chunks < 1:
        raise ShapeError(f"chunk: there is at least 1 part; given {chunks}")
    return split(x, max(-(-x.shape[axis] // chunks), 1), axis=axis)


for _function in (split, chunk):
    install_method(_function.__name__, _function)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 7, 3)), axis=1, size=3, step=2),
        Sample(rng.normal(size=6), axis=-1, size=2, step=3),
        Sample(rng.normal(size=6).astype(np.float32), axis=0, size=2, step=1),
    ],
    view=True,
    methods=("unfold",),
)
def unfold(xp: Any, x: Array, axis: int, size: int, step: int) -> Array:
    """Return the windows of `size` elements that start every `step` elements of dimension `axis`.

    Parameters
    ----------
    x : Tensor, shape (..., n, ...)
    axis, size, step : int

    Returns
    -------
    Tensor, shape (..., (n - size) // step + 1, ..., size)
        The windows' own elements are the last dimension. For reading: windows may overlap.

    Raises
    ------
    BoundsError
        If x has no such dimension.
    ShapeError
        If a window is longer than the dimension, or the size or step below 1.
    """
    axis = position("unfold", "dimension", axis, x.ndim)
    if not 1 <= size <= x.shape[axis] or step < 1:
        raise ShapeError(
            f"unfold: windows of {size} elements every {step} do not fit in dimension {axis} "
            f"of shape {x.shape}"
        )
    return backend.windows(x, axis, size, step)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3, 3, 4)), axis=1, step=2, length=9),
        Sample(rng.normal(size=(5, 2)), axis=-1, step=1, length=6),
    ]
)
def overlap_add(xp: Any, x: Array, axis: int, step: int, length: int) -> Array:
    """Return the sum of windows put every `step` elements into `length` zeros: `unfold` undone.

    Parameters
    ----------
    x : Tensor, shape (..., windows, ..., size)
    axis : int
        The dimension of the result that the windows lie in.
    step, length : int

    Returns
    -------
    Tensor, shape (..., length, ...)

    Raises
    ------
    BoundsError
        If the result has no such dimension.
    ShapeError
        If the windows reach beyond `length`.
    """
    axis = position("overlap_add", "dimension", axis, x.ndim - 1)
    *shape, size = x.shape
    span = (shape[axis] - 1) * step + 1
    if shape[axis] and span + size - 1 > length:
        raise ShapeError(
            f"overlap_add: {shape[axis]} windows of {size} elements every {step} do not fit in "
            f"{length}"
        )
    shape[axis] = length
    result = xp.zeros(tuple(shape), dtype=x.dtype)
    for k in range(size if x.shape[axis] else 0):
        result[along(axis, slice(k, k + span, step), x.ndim - 1)] += x[..., k]
    return result


unfold.def_vjp(x=lambda xp, g, x_shape, axis, step: xp.overlap_add(g, axis, step, x_shape[axis]))
unfold.def_jvp(x=lambda xp, g, axis, size, step: xp.unfold(g, axis, size, step))
overlap_add.def_vjp(
    x=lambda xp, g, x_shape, axis, step: xp.narrow(
        xp.unfold(g, axis, x_shape[-1], step), axis % g.ndim, 0, x_shape[axis % g.ndim]
    )
)
overlap_add.def_jvp(x=lambda xp, g, axis, step, length: xp.overlap_add(g, axis, step, length))


def _overlap_each(c: Call) -> Any:
    return c.again(c.values[0], axis=shifted(c, c.params["axis"], ndim=c.ndim() - 1))


for _op in (narrow, select, unfold):
    _op.def_batch(along_axis("axis"))
overlap_add.def_batch(_overlap_each)
