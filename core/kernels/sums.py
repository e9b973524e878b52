"""Sums of products, and linear combinations with a coefficient per channel, in few passes.

What the derivatives of normalisations and of softmax spend their time on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy import ndarray

from .checks import Array, floating, same_shape, wide
from .totals import LEAST, in_groups

_BLOCK_BYTES = 1 << 19
"""How much of its result `linear_combination` makes at a time, so that a second term is still
in the cache when it is added."""


def sum_products(xp: Any, x: Array, y: Array, *, axes: Sequence[int]) -> Array:
    """Return the sums of x * y over some axes, which stay with size 1.

    Parameters
    ----------
    x, y : array, floating, of one shape and dtype
    axes : sequence of int

    Raises
    ------
    ShapeError, DtypeError
        If the operands differ in shape or dtype, or are not floating.
    """
    floating(xp, "sum_products", x, y)
    same_shape("sum_products", "y", y, x.shape)
    summed = {axis % x.ndim for axis in axes if x.ndim}
    a, b = wide(xp, x), wide(xp, y)
    if type(a) is ndarray and a.size >= LEAST:
        found = in_groups((a, b), tuple(summed), True)
        if found is not None:
            return found.astype(x.dtype, copy=False)
    every = list(range(x.ndim))
    total = xp.einsum(a, every, b, every, [axis for axis in every if axis not in summed])
    kept = [1 if axis in summed else n for axis, n in enumerate(x.shape)]
    return total.reshape(kept).astype(x.dtype, copy=False)


def linear_combination(xp: Any, x: Array, y: Array, a: Array, b: Array, c: Array) -> Array:
    """Return x * a + y * b + c.

    Parameters
    ----------
    x, y : array, floating, of one shape and dtype
    a, b, c : array, dtype of x
        As many dimensions as x, each of its size or 1.

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If x and y differ in shape, or dtypes differ or are not floating.
    """
    floating(xp, "linear_combination", x, y, a, b, c)
    same_shape("linear_combination", "y", y, x.shape)
    out = xp.empty(x.shape, x.dtype)
    step = max(_BLOCK_BYTES // max(x[:1].nbytes, 1), 1)
    for start in range(0, x.shape[0], step):
        block = slice(start, start + step)
        a_, b_, c_ = (k if k.shape[0] == 1 else k[block] for k in (a, b, c))
        part = xp.multiply(x[block], a_, out=out[block])
        part += y[block] * b_
        part += c_
    return out


def affine(xp: Any, x: Array, a: Array, c: Array) -> Array:
    """Return x * a + c.

    Parameters
    ----------
    x : array, floating
    a, c : array, dtype of x
        Broadcast to x.

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    DtypeError
        If dtypes differ or are not floating.
    """
    floating(xp, "affine", x, a, c)
    out = xp.multiply(x, a)
    out += c
    return out
