"""Normalisation of rows by their own moments, and its gradient.

A row is passed over several times, but stays in the cache meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import empty
from ..dispatch import Declined
from .arrays import DOUBLE, OTHER_AXES, SINGLE, Array, other_dtype, rows
from .compiling import kernel, prange
from .reductions import dot, squares_around, total


@kernel
def _standardize(x: Any, eps: Any, out: Any, mean: Any, variance: Any) -> None:
    count = x.shape[1]
    for i in prange(x.shape[0]):
        row, target = x[i], out[i]
        centre = x.dtype.type(total(row) / count)
        spread = x.dtype.type(squares_around(row, centre) / count)
        deviation = np.sqrt(spread + eps)
        inverse = x.dtype.type(0) if deviation == 0 else x.dtype.type(1) / deviation
        for j in range(count):
            target[j] = (row[j] - centre) * inverse
        mean[i] = centre
        variance[i] = spread


@kernel
def _gradient(g: Any, g_mean: Any, g_variance: Any, y: Any, deviation: Any, gx: Any) -> None:
    count = y.shape[1]
    for i in prange(y.shape[0]):
        arriving, row, target = g[i], y[i], gx[i]
        along = y.dtype.type(dot(arriving, row))
        inverse = y.dtype.type(1) / deviation[i]
        share = y.dtype.type(1) / y.dtype.type(count)
        slope = (g_variance[i] * deviation[i] * y.dtype.type(2) - along * inverse) * share
        shift = (g_mean[i] - y.dtype.type(total(arriving)) * inverse) * share
        for j in range(count):
            target[j] = arriving[j] * inverse + row[j] * slope + shift


def standardize(
    x: Array, *, axes: Sequence[int], eps: float
) -> tuple[Array, Array, Array] | Declined:
    """Return x normalised with its own moments over the last axes, and these."""
    if x.dtype not in (SINGLE, DOUBLE):
        return other_dtype(x)
    table = rows(x, tuple(axes))
    if table is None:
        return OTHER_AXES
    kept = (*x.shape[: x.ndim - len(axes)], *(1,) * len(axes))
    out, mean, variance = empty(x.shape, x.dtype), empty(kept, x.dtype), empty(kept, x.dtype)
    moments = mean.reshape(-1), variance.reshape(-1)
    _standardize(table, x.dtype.type(eps), out.reshape(table.shape), *moments)
    return out, mean, variance


def standardize_gradient(
    g: list[Array], out: Array, variance: Array, axes: Sequence[int], eps: float
) -> Array | Declined:
    """Return the gradient of x for those of the output and of the moments."""
    if out.dtype not in (SINGLE, DOUBLE) or g[0].dtype != out.dtype:
        return other_dtype(out)
    table, arriving = rows(out, tuple(axes)), rows(g[0], tuple(axes))
    if table is None or arriving is None:
        return OTHER_AXES
    deviation = np.sqrt(variance.reshape(-1) + variance.dtype.type(eps))
    deviation[deviation == 0] = 1  # the row is 0: anything does
    gx = empty(out.shape, out.dtype)
    shared = [np.ascontiguousarray(part, out.dtype).reshape(-1) for part in g[1:]]
    _gradient(arriving, *shared, table, deviation, gx.reshape(table.shape))
    return gx
