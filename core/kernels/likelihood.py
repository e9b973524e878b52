"""What the right classes cost, from scores: softmax and its logarithm's loss in one pass."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from .blocks import row_blocks
from .checks import Array, floating, index_range, wide
from .dispatch import dispatched
from .softmax import log_softmax


@dispatched("fused.likelihood", least=256)
def softmax_nll(xp: Any, x: Array, target: Array, *, ignore_index: int) -> Array:
    """Return the negative logarithm of the share that softmax gives to each row's class.

    Parameters
    ----------
    x : array, shape (N, C), floating
        Scores.
    target : array of int, shape (N,)
        Classes, from 0.
    ignore_index : int
        A target that costs nothing.

    Returns
    -------
    array, shape (N,)

    Raises
    ------
    ShapeError, DtypeError, BoundsError
        If shapes or dtypes do not fit, or a target is no class.
    """
    floating(xp, "softmax_nll", x)
    if x.ndim != 2 or target.shape != x.shape[:1]:
        raise ShapeError(
            f"softmax_nll takes scores of shape (N, C) and classes of shape (N,); "
            f"given {x.shape} and {target.shape}"
        )
    counted = target != ignore_index
    places = xp.where(counted, target, 0)
    index_range(xp, "softmax_nll", places, x.shape[1])
    loss = xp.empty(x.shape[:1], wide(xp, x[:0]).dtype)
    for rows in row_blocks(x):
        scores = log_softmax(xp, wide(xp, x[rows]), axis=1)
        loss[rows] = -xp.take_along_axis(scores, places[rows, None], axis=1)[:, 0]
    return xp.where(counted, loss, 0).astype(x.dtype, copy=False)
