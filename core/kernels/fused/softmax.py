"""softmax and its logarithm along rows, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import empty
from ..dispatch import Declined
from .arrays import OTHER_AXES, SINGLE, Array, other_dtype, rows
from .compiling import kernel, prange
from .functions import exp
from .reductions import dot, largest, total

f32 = np.float32


@kernel
def _softmax(x: Any, out: Any) -> None:
    for i in prange(x.shape[0]):
        row, target = x[i], out[i]
        highest = largest(row)
        for j in range(row.size):
            target[j] = exp(row[j] - highest)
        share = f32(1.0 / total(target))
        for j in range(row.size):
            target[j] = target[j] * share


@kernel
def _log_softmax(x: Any, out: Any) -> None:
    for i in prange(x.shape[0]):
        row, target = x[i], out[i]
        highest = largest(row)
        for j in range(row.size):
            target[j] = exp(row[j] - highest)
        shift = f32(np.log(total(target)))
        for j in range(row.size):
            target[j] = row[j] - highest - shift


@kernel
def _softmax_gradient(g: Any, y: Any, out: Any) -> None:
    for i in prange(y.shape[0]):
        arriving, row, target = g[i], y[i], out[i]
        mean = f32(dot(arriving, row))
        for j in range(row.size):
            target[j] = row[j] * (arriving[j] - mean)


@kernel
def _log_softmax_gradient(g: Any, y: Any, out: Any) -> None:
    for i in prange(y.shape[0]):
        arriving, row, target = g[i], y[i], out[i]
        whole = f32(total(arriving))
        for j in range(row.size):
            target[j] = arriving[j] - exp(row[j]) * whole


def _along_rows(compute: Any, axis: int, *arrays: Array) -> Array | Declined:
    for array in arrays:
        if array.dtype != SINGLE:
            return other_dtype(array)
    tables = [rows(array, (axis,)) for array in arrays]
    if any(table is None for table in tables):
        return OTHER_AXES
    out = empty(arrays[0].shape, SINGLE)
    compute(*tables, out.reshape(-1, out.shape[-1]))
    return out


def softmax(x: Array, *, axis: int = -1) -> Array | Declined:
    """Return exp(x) / sum(exp(x)) along the last axis."""
    return _along_rows(_softmax, axis, x)


def log_softmax(x: Array, *, axis: int = -1) -> Array | Declined:
    """Return the logarithm of softmax along the last axis."""
    return _along_rows(_log_softmax, axis, x)


def softmax_gradient(g: Array, out: Array, axis: int) -> Array | Declined:
    """Return out * (g - the mean of g weighted with out)."""
    return _along_rows(_softmax_gradient, axis, g, out)


def log_softmax_gradient(g: Array, out: Array, axis: int) -> Array | Declined:
    """Return g - exp(out) * the sum of g."""
    return _along_rows(_log_softmax_gradient, axis, g, out)
