"""Products of matrices."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from .checks import Array
from .dispatch import dispatched


@dispatched("onednn.matmul", least=64)
def matmul(xp: Any, x: Array, y: Array, *, factor: float = 1.0) -> Array:
    """Return factor times the matrix product; leading dimensions are batches and broadcast.

    Parameters
    ----------
    x : array, shape (..., m, k) or (k,)
    y : array, shape (..., k, n) or (k,)
    factor : float

    Returns
    -------
    array, shape (..., m, n)
        Without m or n where that operand was a vector. Batches of matrices may lie in memory as
        an operand's do, so that heads of an attention stay between the rows of their sequence.
    """
    return xp.matmul(x if factor == 1.0 else x * factor, y)


@dispatched("onednn.matmul", least=64)
def linear(
    xp: Any, x: Array, weight: Array, bias: Array | None = None, *, rectify: bool = False
) -> Array:
    """Return x @ weight.T + bias.

    Parameters
    ----------
    x : array, shape (..., in)
    weight : array, shape (out, in)
    bias : array, shape (out,), optional
    rectify : bool
        Whether ReLU follows: 0 instead of negative numbers, and nan as it is.

    Returns
    -------
    array, shape (..., out)
    """
    y = xp.matmul(x, weight.T)
    if bias is None:
        pass
    elif type(y) is type(bias) is ndarray and y.dtype == bias.dtype and y.shape[-1:] == bias.shape:
        y += bias  # no second array of this size
    else:
        y = y + bias
    return xp.maximum(y, 0, out=y) if rectify else y
