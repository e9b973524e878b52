"""Average and max pooling to an output of given size.

Along each dimension the windows share the input out as evenly as they can; where the sizes do
not divide, neighbours overlap. The gradient of adaptive_max_pool is `pooling.max_pool_gradient`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from .average_pooling import avg_pool, avg_pool_gradient
from .checks import Array, floating, sizes, spatial_ndim, wide
from .windows import Range, spread_ranges, sum_ranges


def adaptive_avg_pool(xp: Any, x: Array, *, out: Sequence[int]) -> Array:
    """Return averages over windows that share out the image.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    out : tuple of int
        Spatial size of the output.

    Returns
    -------
    array, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Window i of o over n elements is floor(i*n/o) to ceil((i+1)*n/o).
    Source: lib/THNN/generic/SpatialAdaptiveAveragePooling.c
    """
    count = _output(xp, "adaptive_avg_pool", x, out)
    if (window := even_windows(x.shape[2:], count)) is not None:
        return avg_pool(xp, x, kernel=window, stride=window, padding=(0,) * len(window))
    total = wide(xp, x)
    for axis in range(x.ndim - 1, 1, -1):
        total = sum_ranges(xp, total, axis, _average_ranges(x.shape[axis], count[axis - 2]))
    counts = _counts(xp, x.shape[2:], count, total.dtype)
    return (total / counts).astype(x.dtype, copy=False)


def adaptive_avg_pool_gradient(xp: Any, g: Array, *, size: Sequence[int]) -> Array:
    """Return the gradient of `adaptive_avg_pool` by its input.

    Parameters
    ----------
    g : array, shape (N, C, *out), floating
    size : tuple of int
        Spatial size of the input.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.
    """
    name = "adaptive_avg_pool_gradient"
    floating(xp, name, g)
    spatial = sizes(name, "size", size, spatial_ndim(name, g), 1)
    if g.size and (window := even_windows(spatial, g.shape[2:])) is not None:
        border = (0,) * len(window)
        return avg_pool_gradient(xp, g, size=spatial, kernel=window, stride=window, padding=border)
    spread = wide(xp, g)
    spread = spread / _counts(xp, spatial, g.shape[2:], spread.dtype)
    for axis in range(2, g.ndim):
        n = spatial[axis - 2]
        spread = spread_ranges(xp, spread, axis, _average_ranges(n, g.shape[axis]), n)
    return spread.astype(g.dtype, copy=False)


def adaptive_max_pool(xp: Any, x: Array, *, out: Sequence[int]) -> tuple[Array, Array]:
    """Return the maximum of windows that share out the image, and where it is.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    out : tuple of int
        Spatial size of the output.

    Returns
    -------
    values : array, shape (N, C, *out)
    indices : array of int64, shape (N, C, *out)
        Flat index in the plane, of the first maximum in row-major order.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    As in Torch7, only what is above the lowest float32 counts: nan and minus infinity are
    passed over, and a window of nothing else has that lowest value and the index -1.
    Source: lib/THNN/generic/SpatialAdaptiveMaxPooling.c
    """
    count = _output(xp, "adaptive_max_pool", x, out)
    values = wide(xp, x)
    lowest = max(float(np.finfo(np.float32).min), float(np.finfo(x.dtype).min))
    values = xp.fmax(values, values.dtype.type(lowest))
    indices = xp.broadcast_to(xp.zeros((), xp.int64), x.shape)
    step = 1
    # One dimension after the other, the last first, finds the same first maximum as walking
    # each window in row-major order.
    for axis in range(x.ndim - 1, 1, -1):
        best_values, best_indices = [], []
        for start, stop in _max_ranges(x.shape[axis], count[axis - 2]):
            seen = (*(slice(None),) * axis, slice(start, stop))
            best = xp.argmax(values[seen], axis=axis, keepdims=True)
            best_values.append(xp.take_along_axis(values[seen], best, axis=axis))
            inner = xp.take_along_axis(indices[seen], best, axis=axis)
            best_indices.append(inner + (best + start) * step)
        values = xp.concatenate(best_values, axis=axis)
        indices = xp.concatenate(best_indices, axis=axis)
        step *= x.shape[axis]
    indices[values == lowest] = -1
    return values.astype(x.dtype, copy=False), indices


def even_windows(size: Sequence[int], out: Sequence[int]) -> tuple[int, ...] | None:
    """Return the size of windows that are all equal and do not overlap, None where they are not."""
    if any(n < o or n % o for n, o in zip(size, out, strict=True)):
        return None
    return tuple(n // o for n, o in zip(size, out, strict=True))


def _output(xp: Any, kernel: str, x: Array, out: Sequence[int]) -> tuple[int, ...]:
    floating(xp, kernel, x)
    count = sizes(kernel, "out", out, spatial_ndim(kernel, x), 1)
    if 0 in x.shape[2:]:
        raise ShapeError(f"{kernel}: an image of shape {x.shape} has nothing to pool")
    return count


def _average_ranges(n: int, out: int) -> list[Range]:
    """Return the windows, rounded in float32 as the macros START_IND and END_IND of THNN are."""
    i = np.arange(out)
    start = np.floor((i * n).astype(np.float32) / np.float32(out))
    stop = np.ceil(((i + 1) * n).astype(np.float32) / np.float32(out))
    return [(int(a), int(b)) for a, b in zip(start, stop, strict=True)]


def _max_ranges(n: int, out: int) -> list[Range]:
    """Return the windows; THNN divides first here, which rounds differently in float32."""
    i = np.arange(out + 1, dtype=np.float32)
    edges = i / np.float32(out) * np.float32(n)
    return [(int(a), int(b)) for a, b in zip(np.floor(edges[:-1]), np.ceil(edges[1:]), strict=True)]


def _counts(xp: Any, size: Sequence[int], out: Sequence[int], dtype: Any) -> Array:
    counts: np.ndarray[Any, Any] = np.ones((), np.int64)
    for n, o in zip(size, out, strict=True):
        counts = counts[..., None] * [stop - start for start, stop in _average_ranges(n, o)]
    return xp.asarray(counts.astype(dtype))
