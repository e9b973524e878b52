"""Borders: constant, reflected, replicated and circular, and the gradients of the last three.

A negative padding crops. The gradient of constant padding is padding with the opposite sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

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
    out = x
    for axis, before, after in _borders("pad_reflect", x.shape, padding):
        n = x.shape[axis]
        _check_reflection("pad_reflect", n, before, after)
        index = xp.abs(xp.arange(-before, n + after))
        out = xp.take(out, xp.where(index < n, index, 2 * (n - 1) - index), axis=axis)
    return out if out is not x else x.copy()


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
    out = x
    for axis, before, after in _borders("pad_replicate", x.shape, padding):
        n = x.shape[axis]
        if n == 0:
            raise ShapeError(f"pad_replicate: dimension {axis} of shape {x.shape} has no edge")
        out = xp.take(out, xp.clip(xp.arange(-before, n + after), 0, n - 1), axis=axis)
    return out if out is not x else x.copy()


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
    out = x
    for axis, before, after in _borders("pad_circular", x.shape, padding):
        n = x.shape[axis]
        _check_circle("pad_circular", n, before, after)
        out = xp.take(out, xp.arange(-before, n + after) % n, axis=axis)
    return out if out is not x else x.copy()


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
    shape = _unpadded_shape(g, padding)
    for axis, before, after in _borders("pad_reflect_gradient", shape, padding):
        n = shape[axis]
        _check_reflection("pad_reflect_gradient", n, before, after)
        border, inner = _centre(xp, g, axis, n, before, after)
        if before > 0:
            inner[1 : before + 1] += border[before - 1 :: -1]
        if after > 0:
            inner[n - 1 - after : n - 1] += border[: -after - 1 : -1]
        g = xp.moveaxis(inner, 0, axis)
    return g.copy()


def pad_replicate_gradient(xp: Any, g: Array, *, padding: Sequence[Border]) -> Array:
    """Return the gradient of `pad_replicate` by its input: borders added to the edges.

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
    shape = _unpadded_shape(g, padding)
    for axis, before, after in _borders("pad_replicate_gradient", shape, padding):
        border, inner = _centre(xp, g, axis, shape[axis], before, after)
        if before > 0:
            inner[0] += border[:before].sum(axis=0)
        if after > 0:
            inner[-1] += border[-after:].sum(axis=0)
        g = xp.moveaxis(inner, 0, axis)
    return g.copy()


def pad_circular_gradient(xp: Any, g: Array, *, padding: Sequence[Border]) -> Array:
    """Return the gradient of `pad_circular` by its input: borders added at the other end.

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
    shape = _unpadded_shape(g, padding)
    for axis, before, after in _borders("pad_circular_gradient", shape, padding):
        n = shape[axis]
        _check_circle("pad_circular_gradient", n, before, after)
        border, inner = _centre(xp, g, axis, n, before, after)
        if before > 0:
            inner[n - before :] += border[:before]
        if after > 0:
            inner[:after] += border[-after:]
        g = xp.moveaxis(inner, 0, axis)
    return g.copy()


def _borders(
    kernel: str, shape: Sequence[int], padding: Sequence[Border]
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
        if before or after:
            yield axis, before, after


def _check_reflection(kernel: str, n: int, before: int, after: int) -> None:
    if max(before, after) >= n:
        raise ShapeError(
            f"{kernel}: a dimension of size {n} can be reflected by at most {n - 1}; "
            f"given {(before, after)}"
        )


def _check_circle(kernel: str, n: int, before: int, after: int) -> None:
    if max(before, after) > n:
        raise ShapeError(
            f"{kernel}: a dimension of size {n} goes around at most once; given {(before, after)}"
        )


def _unpadded_shape(g: Array, padding: Sequence[Border]) -> tuple[int, ...]:
    borders = [(0, 0)] * (g.ndim - len(padding)) + list(padding)
    return tuple(n - before - after for n, (before, after) in zip(g.shape, borders, strict=False))


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
