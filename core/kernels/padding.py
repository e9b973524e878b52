"""Borders: constant, reflected, replicated and circular, and the gradients of the last three.

A negative padding crops. The gradient of constant padding is padding with the opposite sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import ShapeError
from .checks import Array

Border = tuple[int, int]


def pad(xp: Any, x: Array, *, padding: Sequence[Border], value: float = 0) -> Array:
    """Return x with a border of one value around its last dimensions.

    Parameters
    ----------
    x : array, shape (..., *spatial)
    padding : sequence of (before, after)
        One pair per padded dimension, the last pair for the last dimension; a negative number
        crops.
    value : float

    Raises
    ------
    ShapeError
        If more is cropped than there is, or there are more pairs than dimensions.

    Notes
    -----
    Source: torch/nn SpatialZeroPadding.lua
    """
    source, target, shape = [slice(None)] * x.ndim, [slice(None)] * x.ndim, list(x.shape)
    for axis, before, after in _borders("pad", x.shape, padding):
        n = x.shape[axis]
        source[axis] = slice(max(-before, 0), n - max(-after, 0))
        shape[axis] = n + before + after
        target[axis] = slice(max(before, 0), shape[axis] - max(after, 0))
    if all(before <= 0 and after <= 0 for before, after in padding):
        return x[tuple(source)].copy()
    out = xp.full(shape, value, x.dtype)
    out[tuple(target)] = x[tuple(source)]
    return out


def pad_reflect(xp: Any, x: Array, *, padding: Sequence[Border]) -> Array:
    """Return x with borders that mirror its last dimensions; the edge itself is not repeated.

    Parameters
    ----------
    x : array, shape (..., *spatial)
    padding : sequence of (before, after)
        As for `pad`; each smaller than the dimension.

    Raises
    ------
    ShapeError
        If a padding is too large or too much is cropped.

    Notes
    -----
    Source: lib/THNN/generic/SpatialReflectionPadding.c, which reads outside its input where
    the padding is too large.
    """
    return _bordered("pad_reflect", _REFLECTED, xp, x, padding)


def pad_replicate(xp: Any, x: Array, *, padding: Sequence[Border]) -> Array:
    """Return x with borders that repeat the edge of its last dimensions.

    Parameters
    ----------
    x : array, shape (..., *spatial)
    padding : sequence of (before, after)
        As for `pad`.

    Raises
    ------
    ShapeError
        If a padded dimension is empty or too much is cropped.

    Notes
    -----
    Source: lib/THNN/generic/SpatialReplicationPadding.c
    """
    return _bordered("pad_replicate", _REPLICATED, xp, x, padding)


def pad_circular(xp: Any, x: Array, *, padding: Sequence[Border]) -> Array:
    """Return x with borders that go on at the other end of its last dimensions.

    Parameters
    ----------
    x : array, shape (..., *spatial)
    padding : sequence of (before, after)
        As for `pad`; each at most the dimension.

    Raises
    ------
    ShapeError
        If a padding is too large or too much is cropped.
    """
    return _bordered("pad_circular", _CIRCULAR, xp, x, padding)


def pad_reflect_gradient(xp: Any, g: Array, *, padding: Sequence[Border]) -> Array:
    """Return the gradient of `pad_reflect` by its input: borders folded back and added.

    Parameters
    ----------
    g : array
        Shape of the padded output.
    padding : sequence of (before, after)

    Returns
    -------
    array
        Shape of the input.

    Raises
    ------
    ShapeError
        If no input has an output of this shape.
    """
    return _folded("pad_reflect_gradient", _REFLECTED, xp, g, padding)


def pad_replicate_gradient(xp: Any, g: Array, *, padding: Sequence[Border]) -> Array:
    """Return the gradient of `pad_replicate` by its input: borders added to the edges.

    Parameters, result and errors are those of `pad_reflect_gradient`.
    """
    return _folded("pad_replicate_gradient", _REPLICATED, xp, g, padding)


def pad_circular_gradient(xp: Any, g: Array, *, padding: Sequence[Border]) -> Array:
    """Return the gradient of `pad_circular` by its input: borders added at the other end.

    Parameters, result and errors are those of `pad_reflect_gradient`.
    """
    return _folded("pad_circular_gradient", _CIRCULAR, xp, g, padding)


class _Kind(NamedTuple):
    """Where the elements of a border come from, along one dimension of n elements."""

    most: Callable[[int], float]
    """Takes n; the largest border that there is."""
    positions: Callable[[Any, Array, int], Array]
    """Takes xp, positions that are outside of 0 to n - 1 in the borders, and n; those they copy."""
    fold: Callable[[Array, Array, int, int], None]
    """Takes a gradient by the input, that by the output, before and after, both dimensions first;
    adds the borders of the second to the first."""


def _fold_reflected(inner: Array, g: Array, before: int, after: int) -> None:
    n = inner.shape[0]
    if before > 0:
        inner[1 : before + 1] += g[before - 1 :: -1]
    if after > 0:
        inner[n - 1 - after : n - 1] += g[: -after - 1 : -1]


def _fold_replicated(inner: Array, g: Array, before: int, after: int) -> None:
    if before > 0:
        inner[0] += g[:before].sum(axis=0)
    if after > 0:
        inner[-1] += g[-after:].sum(axis=0)


def _fold_circular(inner: Array, g: Array, before: int, after: int) -> None:
    if before > 0:
        inner[inner.shape[0] - before :] += g[:before]
    if after > 0:
        inner[:after] += g[-after:]


_REFLECTED = _Kind(
    lambda n: n - 1,
    lambda xp, i, n: n - 1 - xp.abs(n - 1 - xp.abs(i)),
    _fold_reflected,
)
_REPLICATED = _Kind(
    lambda n: math.inf if n else 0,
    lambda xp, i, n: xp.clip(i, 0, n - 1),
    _fold_replicated,
)
_CIRCULAR = _Kind(lambda n: n, lambda xp, i, n: i % n, _fold_circular)


def _bordered(kernel: str, kind: _Kind, xp: Any, x: Array, padding: Sequence[Border]) -> Array:
    """Return x with borders of one kind."""
    out = x
    for axis, before, after in _borders(kernel, x.shape, padding, kind.most):
        n = x.shape[axis]
        out = xp.take(out, kind.positions(xp, xp.arange(-before, n + after), n), axis=axis)
    return out if out is not x else x.copy()


def _folded(kernel: str, kind: _Kind, xp: Any, g: Array, padding: Sequence[Border]) -> Array:
    """Return the gradient by the input of `_bordered`, for the gradient by its output."""
    first = g.ndim - len(padding)
    sizes = zip(g.shape[first:], padding, strict=True) if first >= 0 else ()
    shape = (*g.shape[:first], *(n - before - after for n, (before, after) in sizes))
    for axis, before, after in _borders(kernel, shape, padding, kind.most):
        border, inner = _centre(xp, g, axis, shape[axis], before, after)
        kind.fold(inner, border, before, after)
        g = xp.moveaxis(inner, 0, axis)
    return g.copy()


def _borders(
    kernel: str,
    shape: Sequence[int],
    padding: Sequence[Border],
    most: Callable[[int], float] = lambda n: math.inf,
) -> Iterator[tuple[int, int, int]]:
    """Yield axis, before and after of each dimension that changes, having checked them all."""
    first = len(shape) - len(padding)
    fits = first >= 0 and all(
        n >= 0 and max(-before, 0) + max(-after, 0) <= n
        for n, (before, after) in zip(shape[first:], padding, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{kernel}: padding is (before, after) for each of the last dimensions, and crops at "
            f"most the whole dimension; given {list(padding)} for shape {tuple(shape)}"
        )
    for axis, (before, after) in enumerate(padding, first):
        n = shape[axis]
        if (before or after) and max(before, after) > most(n):
            raise ShapeError(
                f"{kernel}: a border of dimension {axis}, which has {n} elements, has at most "
                f"{most(n)}; given {(before, after)}"
            )
        if before or after:
            yield axis, before, after


def _centre(xp: Any, g: Array, axis: int, n: int, before: int, after: int) -> tuple[Array, Array]:
    """Return g, and a new array of n along `axis` of what was not border, both with `axis` first.

    They are views of arrays in g's order of dimensions, which is faster than moving elements.
    """
    border = xp.moveaxis(g, axis, 0)
    shape = list(g.shape)
    shape[axis] = n
    inner = xp.moveaxis(xp.zeros(shape, g.dtype), axis, 0)
    source = border[max(before, 0) : border.shape[0] - max(after, 0)]
    inner[max(-before, 0) : n - max(-after, 0)] = source
    return border, inner
