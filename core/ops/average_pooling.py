"""Average and power-average pooling, to a given window or a given size."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ..kernels import adaptive_pooling, average_pooling
from ..tensor import Tensor
from .arithmetic import power
from .batch_rules import folded
from .comparison import where
from .registry import Array, Sample, operation
from .spatial import PerDimension, images_to_pool, images_to_resize, per_dimension


def _averages(rng: np.random.Generator) -> Iterator[Sample]:
    y = rng.normal(size=(2, 3, 3, 2))
    yield Sample(y, size=(7, 4), kernel=2)
    yield Sample(y, size=(5, 3), kernel=(3, 2), stride=(2, 1), padding=(1, 0))
    yield Sample(y[..., 0], size=8, kernel=3, ceil_mode=True)


def _resized(rng: np.random.Generator) -> Iterator[Sample]:
    y = rng.normal(size=(2, 3, 3, 2))
    yield Sample(y, size=(7, 4))
    yield Sample(y[..., 0], size=4)


@operation(samples=images_to_pool)
def avg_pool(
    xp: Any,
    x: Array,
    *,
    kernel: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the average of each window.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    kernel : int or tuple of int
        Size of the window.
    stride : int or tuple of int, optional
        By default that of the window.
    padding : int or tuple of int
    ceil_mode : bool
        Whether the output's size is rounded up.
    count_include_pad : bool
        Whether the zeros of the padding count; what ceil mode adds beyond it never does.

    Returns
    -------
    Tensor, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialAveragePooling.lua
    """
    return average_pooling.avg_pool(
        xp,
        x,
        kernel=per_dimension(kernel, x),
        stride=per_dimension(kernel if stride is None else stride, x),
        padding=per_dimension(padding, x),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


@operation(samples=_averages)
def avg_pool_gradient(
    xp: Any,
    y: Array,
    *,
    size: PerDimension,
    kernel: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the gradient of `avg_pool` by its input.

    Parameters
    ----------
    y : Tensor, shape (N, C, *out), floating
        The gradient of the averages.
    size : int or tuple of int
        Spatial size of the pooling's input.
    kernel, stride, padding, ceil_mode, count_include_pad
        Those of the pooling.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.
    """
    return average_pooling.avg_pool_gradient(
        xp,
        y,
        size=per_dimension(size, y),
        kernel=per_dimension(kernel, y),
        stride=per_dimension(kernel if stride is None else stride, y),
        padding=per_dimension(padding, y),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


def _pooled(
    xp: Any, g: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: Any, count_include_pad: Any
) -> Any:
    return xp.avg_pool(
        g,
        kernel=kernel,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


def _spread(
    xp: Any,
    g: Any,
    size: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: Any,
    count_include_pad: Any,
) -> Any:
    return xp.avg_pool_gradient(
        g,
        size=size,
        kernel=kernel,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


avg_pool.def_vjp(
    x=lambda xp, g, x_shape, kernel, stride, padding, ceil_mode, count_include_pad: _spread(
        xp, g, x_shape[2:], kernel, stride, padding, ceil_mode, count_include_pad
    )
)
avg_pool.def_jvp(x=_pooled)
avg_pool_gradient.def_vjp(y=_pooled)
avg_pool_gradient.def_jvp(y=_spread)


@operation(samples=images_to_resize)
def adaptive_avg_pool(xp: Any, x: Array, *, size: PerDimension) -> Array:
    """Return averages over windows that share out the image.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    size : int or tuple of int
        Spatial size of the output.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.

    Notes
    -----
    Source: torch/nn SpatialAdaptiveAveragePooling.lua
    """
    return adaptive_pooling.adaptive_avg_pool(xp, x, out=per_dimension(size, x))


@operation(samples=_resized)
def adaptive_avg_pool_gradient(xp: Any, y: Array, *, size: PerDimension) -> Array:
    """Return the gradient of `adaptive_avg_pool` by its input.

    Parameters
    ----------
    y : Tensor, shape (N, C, *out), floating
        The gradient of the averages.
    size : int or tuple of int
        Spatial size of the pooling's input.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or the dtype do not fit.
    """
    return adaptive_pooling.adaptive_avg_pool_gradient(xp, y, size=per_dimension(size, y))


adaptive_avg_pool.def_vjp(
    x=lambda xp, g, x_shape: xp.adaptive_avg_pool_gradient(g, size=x_shape[2:])
)
adaptive_avg_pool.def_jvp(x=lambda xp, g, size: xp.adaptive_avg_pool(g, size=size))
adaptive_avg_pool_gradient.def_vjp(
    y=lambda xp, g, y_shape: xp.adaptive_avg_pool(g, size=y_shape[2:])
)
adaptive_avg_pool_gradient.def_jvp(
    y=lambda xp, g, size: xp.adaptive_avg_pool_gradient(g, size=size)
)


def lp_pool(
    x: Tensor,
    *,
    p: float,
    kernel: PerDimension,
    stride: PerDimension | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the p-th root of the sum of p-th powers of each window.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    p : float
        1 gives sums; infinity would be `max_pool`.
    kernel : int or tuple of int
        Size of the window.
    stride : int or tuple of int, optional
        By default that of the window.
    ceil_mode : bool
        Whether the output's size is rounded up.

    Returns
    -------
    Tensor, shape (N, C, *out)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or the dtype do not fit.

    Notes
    -----
    Powers are of x itself, not of its magnitude, and a window that ceil mode cuts off counts
    as if it were full, both as in PyTorch. The slope where all of a window is 0 is 0.
    Source: torch/nn SpatialLPPooling.lua
    """
    mean = avg_pool(power(x, p), kernel=kernel, stride=stride, ceil_mode=ceil_mode)
    total = mean * prod(per_dimension(kernel, x))
    zero = total == 0
    return where(zero, 0.0, power(where(zero, 1.0, total), 1 / p))


for _op in (avg_pool, avg_pool_gradient, adaptive_avg_pool, adaptive_avg_pool_gradient):
    _op.def_batch(folded)
