"""Convolution and transposed convolution in one to three spatial dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import convolution as kernels
from ..kernels.checks import floating, same_shape
from ..kernels.windows import transposed_size
from .convolution_gradient import convolved, filter_gradient, image_gradient, images_each
from .registry import Array, Sample, operation
from .spatial import PerDimension, per_dimension


def _images(rng: np.random.Generator) -> Iterator[Sample]:
    x, w, b = rng.normal(size=(2, 4, 5, 6)), rng.normal(size=(6, 4, 3, 2)), rng.normal(size=6)
    yield Sample(x, w, b)
    yield Sample(x, w, None, stride=(2, 1), padding=(1, 0), dilation=(1, 2))
    yield Sample(x, w[:, :2], b, padding=1, groups=2)
    yield Sample(x[..., 0], w[..., 0], b, stride=2)
    yield Sample(x[:, :, None], w[:, :, None], None)
    yield Sample(x.astype(np.float32).T[:4, :4].T, w.astype(np.float32), None)


def _enlarged(rng: np.random.Generator) -> Iterator[Sample]:
    x, w, b = rng.normal(size=(2, 4, 3, 5)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=3)
    yield Sample(x, w, b)
    yield Sample(x, w, None, stride=2, padding=(1, 0), extra=(1, 0))
    yield Sample(x, w, rng.normal(size=6), dilation=2, groups=2)
    yield Sample(x[..., 0], w[..., 0], b, stride=3)


@operation(samples=_images)
def convolution(
    xp: Any,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    dilation: PerDimension = 1,
    groups: int = 1,
) -> Array:
    """Return the cross-correlation of images with filters, plus a bias.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    weight : Tensor, shape (O, C / groups, *kernel), dtype of x
    bias : Tensor, shape (O,), optional
    stride, padding, dilation : int or tuple of int
        One for all spatial dimensions, or one each; the padding is zeros on both sides.
    groups : int
        Channels and filters are cut into this many groups that do not see each other.

    Returns
    -------
    Tensor, shape (N, O, *out)
        out = floor((spatial + 2*padding - dilation*(kernel-1) - 1) / stride) + 1

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.

    Notes
    -----
    Source: torch/nn SpatialConvolution.lua, SpatialDilatedConvolution.lua
    """
    return kernels.convolution(
        xp,
        x,
        weight,
        bias,
        stride=per_dimension(stride, x),
        padding=per_dimension(padding, x),
        dilation=per_dimension(dilation, x),
        groups=groups,
    )


def _sum_bias(xp: Any, g: Any) -> Any:
    # In two steps: of channels-last images NumPy adds up one pixel after the other, and after a
    # million of them the sum is no longer right to five digits.
    return xp.sum(xp.sum(g, axis=g.ndim - 1), axis=(0, *range(2, g.ndim - 1)))


def _spread_bias(xp: Any, g: Any, x_shape: tuple[int, ...]) -> Any:
    return xp.reshape(g, (-1, *(1,) * (len(x_shape) - 2)))


convolution.def_vjp(
    x=lambda xp, g, weight, x_shape, stride, padding, dilation, groups: image_gradient(
        xp, g, weight, x_shape[2:], stride, padding, dilation, groups
    ),
    weight=lambda xp, g, x, weight_shape, stride, padding, dilation, groups: filter_gradient(
        xp, x, g, weight_shape[2:], stride, padding, dilation, groups
    ),
    bias=_sum_bias,
)
convolution.def_jvp(
    x=lambda xp, g, weight, stride, padding, dilation, groups: convolved(
        xp, g, weight, stride, padding, dilation, groups
    ),
    weight=lambda xp, g, x, stride, padding, dilation, groups: convolved(
        xp, x, g, stride, padding, dilation, groups
    ),
    bias=_spread_bias,
)


convolution.def_repeated("weight")


@operation(samples=_enlarged)
def transposed_convolution(
    xp: Any,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    dilation: PerDimension = 1,
    extra: PerDimension = 0,
    groups: int = 1,
) -> Array:
    """Return the transposed convolution of images with filters, plus a bias.

    It is the gradient of `convolution` by its input, and enlarges images by the stride.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    weight : Tensor, shape (C, O / groups, *kernel), dtype of x
    bias : Tensor, shape (O,), optional
    stride, padding, dilation : int or tuple of int
        Those of the convolution that is transposed.
    extra : int or tuple of int
        Added to the size of the output, at the end; below the stride. Torch7's adjW and adjH.
    groups : int

    Returns
    -------
    Tensor, shape (N, O, *out)
        out = (spatial-1)*stride - 2*padding + dilation*(kernel-1) + 1 + extra

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.

    Notes
    -----
    Source: torch/nn SpatialFullConvolution.lua
    """
    steps, border = per_dimension(stride, x), per_dimension(padding, x)
    gaps, more = per_dimension(dilation, x), per_dimension(extra, x)
    size = transposed_size(
        "transposed_convolution", x.shape[2:], weight.shape[2:], steps, border, gaps, more
    )
    y = kernels.convolution_input_gradient(
        xp, x, weight, size=size, stride=steps, padding=border, dilation=gaps, groups=groups
    )
    return _add_bias(xp, "transposed_convolution", y, bias)


def _transposed(
    xp: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, extra: Any, groups: Any
) -> Any:
    return xp.transposed_convolution(
        x, w, None, stride=stride, padding=padding, dilation=dilation, extra=extra, groups=groups
    )


transposed_convolution.def_vjp(
    x=lambda xp, g, weight, stride, padding, dilation, groups: convolved(
        xp, g, weight, stride, padding, dilation, groups
    ),
    weight=lambda xp, g, x, weight_shape, stride, padding, dilation, groups: filter_gradient(
        xp, g, x, weight_shape[2:], stride, padding, dilation, groups
    ),
    bias=_sum_bias,
)
transposed_convolution.def_jvp(
    x=lambda xp, g, weight, stride, padding, dilation, extra, groups: _transposed(
        xp, g, weight, stride, padding, dilation, extra, groups
    ),
    weight=lambda xp, g, x, stride, padding, dilation, extra, groups: _transposed(
        xp, x, g, stride, padding, dilation, extra, groups
    ),
    bias=_spread_bias,
)


transposed_convolution.def_repeated("weight")


def _add_bias(xp: Any, name: str, y: Array, bias: Array | None) -> Array:
    """Add a bias per channel to y, which the caller has just made."""
    if bias is not None:
        same_shape(name, "bias", bias, y.shape[1:2])
        floating(xp, name, y, bias)
        y += bias.reshape(-1, *(1,) * (y.ndim - 2))
    return y


convolution.def_batch(lambda c: images_each(c, 0))
transposed_convolution.def_batch(lambda c: images_each(c, 1))
