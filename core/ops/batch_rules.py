"""Batching rules that families of operations share, to be given to `def_batch`."""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import ShapeError
from .batching import BatchRule, Call
from .places import position


def aligned(c: Call, count: int | None = None, core: int = 0) -> list[Any]:
    """Return the operands of a call such that they broadcast as those of one sample do.

    Parameters
    ----------
    count : int, optional
        How many of them broadcast, from the first on; by default all.
    core : int
        How many of the last dimensions do not broadcast.
    """
    count = len(c.values) if count is None else count
    most = max((c.ndim(i) for i in range(count)), default=0)
    return [
        x if i >= count or not b or x is None else _padded(c, x, most - x.ndim + 1)
        for i, (x, b) in enumerate(zip(c.values, c.batched, strict=True))
    ]


def _padded(c: Call, x: Any, missing: int) -> Any:
    if missing <= 0:
        return x
    return c.xp.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:]))


def elementwise(c: Call) -> Any:
    """Batch an operation whose operands broadcast and whose metadata name no dimension."""
    return c.again(*aligned(c))


def alike(c: Call) -> Any:
    """Batch an operation whose operands have as many dimensions, the first those of the result."""
    first = c.full(0)
    return c.again(first, *[c.full(i) for i in range(1, len(c.values))])


def leading(core: int) -> BatchRule:
    """Return a rule for an operation of one operand whose last `core` dimensions alone matter."""

    def rule(c: Call) -> Any:
        if c.ndim() < core:
            raise ShapeError(
                f"{c.op.name} takes a tensor of {core} or more dimensions; given shape {c.shape()}"
            )
        return c.again(*c.values)

    return rule


def shifted(c: Call, axis: int, what: str = "dimension", ndim: int | None = None) -> int:
    """Return a dimension of a sample as one of all samples."""
    return position(c.op.name, what, axis, c.ndim() if ndim is None else ndim) + 1


def along_axis(*names: str) -> BatchRule:
    """Return a rule for an operation of one operand that goes along one dimension or several.

    Parameters
    ----------
    *names : str
        The metadata that name them: a dimension each, a sequence, or None for all.
    """

    def rule(c: Call) -> Any:
        return c.again(c.values[0], **{name: _shifted_all(c, c.params[name]) for name in names})

    return rule


def _shifted_all(c: Call, axis: Any) -> Any:
    if axis is None:
        return tuple(range(1, c.ndim() + 1))
    if hasattr(axis, "__index__"):
        return shifted(c, axis)
    return tuple([shifted(c, a) for a in axis])


def reduction(c: Call) -> Any:
    """Batch a reduction along `axis`, by default over all."""
    axis = c.params["axis"]
    if c.ndim() == 0 and axis in (0, -1):  # which NumPy allows
        axis = None
    return c.again(c.values[0], axis=_shifted_all(c, axis))


def flattening(c: Call) -> Any:
    """Batch an operation along one dimension, by default along all elements in row-major order."""
    if c.params["axis"] is not None:
        return c.again(c.values[0], axis=shifted(c, c.params["axis"]))
    rows = c.xp.reshape(c.values[0], (c.size, prod(c.shape())))
    result = c.again(rows, axis=1)
    kept = c.params.get("keepdims", False)
    return c.xp.reshape(result, (c.size, *(1,) * c.ndim())) if kept else result


def folded(c: Call) -> Any:
    """Batch an operation on images: samples times images are more images.

    All operands have images as their first dimension.
    """
    values = [None if x is None else merged(c, c.full(i)) for i, x in enumerate(c.values)]
    result = c.again(*values)
    if c.op.outputs != 1:
        return tuple(apart(c, r) for r in result)
    return apart(c, result)


def merged(c: Call, x: Any) -> Any:
    """Return x with its first two dimensions made one."""
    return c.xp.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def apart(c: Call, x: Any) -> Any:
    """Return x with its first dimension cut into samples."""
    return c.xp.reshape(x, (c.size, x.shape[0] // max(c.size, 1), *x.shape[1:]))


def moved(c: Call, x: Any, source: int, target: int) -> Any:
    """Return x with one dimension elsewhere."""
    order = [a for a in range(x.ndim) if a != source]
    order.insert(target, source)
    return x if source == target else c.xp.permute(x, order)


def into_channels(c: Call, x: Any) -> Any:
    """Return samples of images, (B, N, C, ...), as images whose channels are those of all."""
    x = moved(c, x, 0, 1)
    return c.xp.reshape(x, (x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


def from_channels(c: Call, y: Any) -> Any:
    """Return images with the channels of all samples as samples of images."""
    n, channels, *rest = y.shape
    y = c.xp.reshape(y, (n, c.size, channels // max(c.size, 1), *rest))
    return moved(c, y, 1, 0)


def offsets(c: Call, index: Any, length: int) -> Any:
    """Return positions in each sample's own stretch of `length` as positions among all."""
    steps = c.xp.library.arange(c.size) * length
    return index + steps.reshape((-1, *(1,) * (index.ndim - 1)))
