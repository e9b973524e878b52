"""Average pooling and its gradient; sizes follow Torch7, as in pooling.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .checks import Array, same_shape, sizes, spatial_ndim, wide
from .dispatch import dispatched
from .padding import pad
from .windows import Window, spread_windows, sum_windows, window_of


@dispatched("fused.pooling", least=1024)
def avg_pool(
    xp: Any,
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the average of each window.

    Parameters
    ----------
    x : array, shape (N, C, *spatial), floating
    kernel, stride, padding : tuple of int
        One per spatial dimension.
    ceil_mode : bool
        Whether the output's size is rounded up.
    count_include_pad : bool
        Whether the zeros of the padding count; what ceil mode adds beyond it never does.

    Returns
    -------
    array, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    A window that lies behind the image (ceil mode without padding) gives 0, or nan where it
    holds no element at all, as in Torch7.
    Source: lib/THNN/generic/SpatialAveragePooling.c
    """
    window = window_of(xp, "avg_pool", x, kernel, stride, padding, (1,) * (x.ndim - 2), ceil_mode)
    total = wide(xp, x)
    if any(map(any, window.border(x.shape[2:]))):
        total = pad(xp, total, padding=window.border(x.shape[2:]))
    for axis in range(x.ndim - 1, 1, -1):
        k, s, o = window.kernel[axis - 2], window.stride[axis - 2], window.out[axis - 2]
        total = sum_windows(xp, total, axis, k, s, o)
    counts = counts_of(xp, window, x.shape[2:], total.dtype, count_include_pad)
    return (total / counts).astype(x.dtype, copy=False)


@dispatched("onednn.pooling", least=1024)
def avg_pool_values(
    xp: Any,
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return what `avg_pool` does, where no gradient will be asked for."""
    steps: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    return avg_pool(xp, x, kernel=kernel, count_include_pad=count_include_pad, **steps)


@dispatched("fused.pooling", least=1024)
def avg_pool_gradient(
    xp: Any,
    g: Array,
    *,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the gradient of `avg_pool` by its input.

    Parameters
    ----------
    g : array, shape (N, C, *out), floating
    size : tuple of int
        Spatial size of the input.
    kernel, stride, padding, ceil_mode, count_include_pad
        Those of the pooling.

    Returns
    -------
    array, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.
    """
    name = "avg_pool_gradient"
    spatial = sizes(name, "size", size, spatial_ndim(name, g), 1)
    image = xp.broadcast_to(xp.zeros((), g.dtype), (*g.shape[:2], *spatial))
    window = window_of(xp, name, image, kernel, stride, padding, (1,) * len(spatial), ceil_mode)
    same_shape(name, "g", g, (*g.shape[:2], *window.out))
    spread = wide(xp, g) / counts_of(xp, window, spatial, wide(xp, g).dtype, count_include_pad)
    border = window.border(spatial)
    for axis in range(2, g.ndim):
        k, s = window.kernel[axis - 2], window.stride[axis - 2]
        length = spatial[axis - 2] + sum(border[axis - 2])
        spread = spread_windows(xp, spread, axis, k, s, length)
    spread = pad(xp, spread, padding=[(-before, -after) for before, after in border])
    return spread.astype(g.dtype, copy=False)


def counts_of(
    xp: Any, window: Window, size: Sequence[int], dtype: Any, count_include_pad: bool
) -> Array:
    """Return what each window's sum is divided by, shape `out`; nan for 0 elements."""
    counts = np.ones((), np.int64)
    for n, k, s, p, _, o in zip(size, *window, strict=True):
        start = np.arange(o) * s - p
        stop = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts = counts[..., None] * (stop - start)
    return xp.asarray(np.where(counts == 0, np.nan, counts).astype(dtype))
