"""The loss of softmax's share for each row's class, and its gradient, one pass each.

What softmax gives is not kept for the gradient: to compute it again takes less than to store it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import empty
from ..dispatch import SMALL, Declined
from .arrays import SINGLE, Array, other_dtype
from .compiling import kernel, prange
from .functions import exp
from .reductions import largest, total

f32 = np.float32


@kernel
def _loss(x: Any, target: Any, ignored: Any, out: Any) -> None:
    for i in prange(x.shape[0]):
        out[i] = f32(0)
        if target[i] != ignored:
            row = x[i]
            highest = largest(row)
            shares = np.empty(row.size, np.float32)
            for j in range(row.size):
                shares[j] = exp(row[j] - highest)
            out[i] = f32(np.log(total(shares))) - (row[target[i]] - highest)


@kernel
def _gradient(g: Any, x: Any, target: Any, ignored: Any, out: Any) -> None:
    for i in prange(x.shape[0]):
        row, shares = x[i], out[i]
        if target[i] == ignored:
            for j in range(row.size):
                shares[j] = f32(0)
        else:
            highest = largest(row)
            for j in range(row.size):
                shares[j] = exp(row[j] - highest)
            factor = f32(np.float64(g[i]) / total(shares))
            for j in range(row.size):
                shares[j] = shares[j] * factor
            shares[target[i]] -= g[i]


def softmax_nll(x: Array, target: Array, *, ignore_index: int) -> Array | Declined:
    """Return what the right classes cost."""
    if (why := _unsupported(x, target, ignore_index)) is not None:
        return why
    out = np.empty(x.shape[0], SINGLE)
    _loss(np.ascontiguousarray(x), target, ignore_index, out)
    return out


def softmax_nll_gradient(g: Array, x: Array, target: Array, ignore_index: int) -> Array | Declined:
    """Return g times the shares of softmax, less g for the right classes."""
    if (why := _unsupported(x, target, ignore_index)) is not None:
        return why
    if g.dtype != SINGLE:
        return other_dtype(g)
    out = empty(x.shape, SINGLE)
    _gradient(np.ascontiguousarray(g), np.ascontiguousarray(x), target, ignore_index, out)
    return out


def _unsupported(x: Array, target: Array, ignored: int) -> Declined | None:
    if x.dtype != SINGLE:
        return other_dtype(x)
    if x.ndim != 2 or not x.size or target.shape != x.shape[:1]:
        return SMALL  # the reference says what does not fit
    if target.dtype != np.int64:
        return other_dtype(target)
    outside = ((target < 0) | (target >= x.shape[1])) & (target != ignored)
    return SMALL if outside.any() else None
