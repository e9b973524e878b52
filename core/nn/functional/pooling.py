"""Pooling over windows: maxima, averages, norms; and putting maxima back.

`pool_...(ndim, ...)` work in any number of dimensions; the named functions are those of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from ... import ops
from ...tensor import Tensor
from ..fields import PerDimension, per_dimension
from .batches import batched, unbatched


def pool_max(
    ndim: int,
    input: Tensor,
    kernel_size: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    dilation: PerDimension = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maximum of each window, with `return_indices` also where it is.

    Parameters
    ----------
    ndim : int
        Number of spatial dimensions.
    input : Tensor, shape (N, C, *spatial) or (C, *spatial)
    kernel_size, stride, padding, dilation : int or tuple of int
        The stride is by default that of the window.
    ceil_mode : bool
        Whether the output's size is rounded up.
    return_indices : bool

    Returns
    -------
    Tensor, or two
        Indices are flat in the plane, from 0, as int64.
    """
    x, single = batched(f"max_pool{ndim}d", input, ndim)
    kernel = per_dimension("kernel_size", kernel_size, ndim)
    values, indices = ops.max_pool(
        x,
        kernel=kernel,
        stride=per_dimension("stride", kernel if stride is None else stride, ndim),
        padding=per_dimension("padding", padding, ndim),
        dilation=per_dimension("dilation", dilation, ndim),
        ceil_mode=ceil_mode,
    )
    values = unbatched(values, single)
    return (values, unbatched(indices, single)) if return_indices else values


def pool_avg(
    ndim: int,
    input: Tensor,
    kernel_size: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the average of each window.

    Parameters
    ----------
    ndim, input, kernel_size, stride, padding, ceil_mode
        As of `pool_max`.
    count_include_pad : bool
        Whether zeros of the padding count as elements.
    divisor_override : int, optional
        What sums are divided by, instead of the number of elements.
    """
    x, single = batched(f"avg_pool{ndim}d", input, ndim)
    kernel = per_dimension("kernel_size", kernel_size, ndim)
    steps = per_dimension("stride", kernel if stride is None else stride, ndim)
    border = per_dimension("padding", padding, ndim)
    options: dict[str, Any] = {"kernel": kernel, "stride": steps}
    if divisor_override is None:
        options |= {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
        return unbatched(ops.avg_pool(x, padding=border, **options), single)
    edges = [
        (p, _after(n, k, s, p, ceil_mode))
        for n, k, s, p in zip(x.shape[2:], kernel, steps, border, strict=True)
    ]
    mean = ops.avg_pool(ops.pad(x, padding=edges), **options)
    return unbatched(mean * (math.prod(kernel) / divisor_override), single)


def _after(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """Return the border after a dimension that makes its last window full."""
    span = size + 2 * padding - kernel
    windows = (-(-span // stride) if ceil_mode else span // stride) + 1
    if (windows - 1) * stride >= size + padding:
        windows -= 1
    return (windows - 1) * stride + kernel - size - padding


def pool_lp(
    ndim: int,
    input: Tensor,
    norm_type: float,
    kernel_size: PerDimension,
    stride: PerDimension | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the p-th root of the sum of p-th powers of each window; see `ops.lp_pool`."""
    x, single = batched(f"lp_pool{ndim}d", input, ndim)
    kernel = per_dimension("kernel_size", kernel_size, ndim)
    steps = per_dimension("stride", kernel if stride is None else stride, ndim)
    y = ops.lp_pool(x, p=norm_type, kernel=kernel, stride=steps, ceil_mode=ceil_mode)
    return unbatched(y, single)


def unpool_max(
    ndim: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: PerDimension,
    stride: PerDimension | None = None,
    padding: PerDimension = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return zeros with the maxima put back where max pooling found them.

    Parameters
    ----------
    input, indices : Tensor, shape (N, C, *pooled) or (C, *pooled)
        What max pooling with `return_indices` gave.
    kernel_size, stride, padding
        Those of the pooling.
    output_size : sequence of int, optional
        Sizes of the result, at least its last `ndim`; by default the smallest that the pooling
        can have had.
    """
    x, single = batched(f"max_unpool{ndim}d", input, ndim)
    kernel = per_dimension("kernel_size", kernel_size, ndim)
    steps = per_dimension("stride", kernel if stride is None else stride, ndim)
    border = per_dimension("padding", padding, ndim)
    size = tuple(
        (n - 1) * s - 2 * p + k
        for n, k, s, p in zip(x.shape[2:], kernel, steps, border, strict=True)
    )
    if output_size is not None:
        size = tuple(output_size)[-ndim:]
    places = indices.unsqueeze(0) if single else indices
    return unbatched(ops.max_unpool(x, places, size=size), single)


def adaptive_size(input: Tensor, output_size: Any, ndim: int) -> tuple[int, ...]:
    """Return the spatial size that adaptive pooling gives; None keeps a dimension's."""
    wanted = output_size if isinstance(output_size, Sequence) else (output_size,) * ndim
    spatial = input.shape[-ndim:]
    kept = [n if w is None else w for w, n in zip(wanted, spatial, strict=True)]
    return per_dimension("output_size", kept, ndim)


def adaptive_max(ndim: int, input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Return maxima of windows that share out the image; see `pool_max`."""
    x, single = batched(f"adaptive_max_pool{ndim}d", input, ndim)
    values, indices = ops.adaptive_max_pool(x, size=adaptive_size(x, output_size, ndim))
    values = unbatched(values, single)
    return (values, unbatched(indices, single)) if return_indices else values


def adaptive_avg(ndim: int, input: Tensor, output_size: Any) -> Tensor:
    """Return averages of windows that share out the image."""
    x, single = batched(f"adaptive_avg_pool{ndim}d", input, ndim)
    return unbatched(ops.adaptive_avg_pool(x, size=adaptive_size(x, output_size, ndim)), single)


max_pool1d, max_pool2d, max_pool3d = (partial(pool_max, n) for n in (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = (partial(pool_avg, n) for n in (1, 2, 3))
lp_pool1d, lp_pool2d, lp_pool3d = (partial(pool_lp, n) for n in (1, 2, 3))
max_unpool1d, max_unpool2d, max_unpool3d = (partial(unpool_max, n) for n in (1, 2, 3))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (
    partial(adaptive_max, n) for n in (1, 2, 3)
)
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = (
    partial(adaptive_avg, n) for n in (1, 2, 3)
)
