"""The gradients of a convolution by its input and by its filters, as operations.

A convolution is linear in each operand, so the three are each other's derivatives: where
z = convolved(x, w), the inner product of z with y is that of x with image_gradient(y, w) and
that of w with filter_gradient(x, y).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import convolution as kernels
from .batch_rules import apart, from_channels, into_channels, merged
from .batching import Call
from .registry import Array, Sample, operation
from .spatial import PerDimension, per_dimension


def _images(rng: np.random.Generator) -> Iterator[Sample]:
    y, w = rng.normal(size=(2, 6, 3, 2)), rng.normal(size=(6, 2, 3, 2))
    yield Sample(y, w, size=(5, 3))
    yield Sample(y, w, size=(5, 3), stride=(2, 1), padding=(1, 1), dilation=(1, 3))
    yield Sample(y[..., 0], w[..., 0], size=5, groups=2)


def _filters(rng: np.random.Generator) -> Iterator[Sample]:
    x, y = rng.normal(size=(2, 4, 5, 3)), rng.normal(size=(2, 6, 3, 2))
    yield Sample(x, y, kernel=(3, 2))
    yield Sample(x, y, kernel=(2, 2), stride=(2, 1), padding=(1, 1), dilation=(2, 3))
    yield Sample(x[..., 0], y[..., 0], kernel=3, groups=2)


def convolved(
    xp: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    """Return the convolution of x with w, from within a rule."""
    return xp.convolution(
        x, w, None, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def image_gradient(
    xp: Any, y: Any, w: Any, size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    """Return the gradient of a convolution by its input, from within a rule."""
    return xp.convolution_input_gradient(
        y, w, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def filter_gradient(
    xp: Any, x: Any, y: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    """Return the gradient of a convolution by its filters, from within a rule."""
    return xp.convolution_weight_gradient(
        x, y, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@operation(samples=_images)
def convolution_input_gradient(
    xp: Any,
    y: Array,
    weight: Array,
    *,
    size: PerDimension,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    dilation: PerDimension = 1,
    groups: int = 1,
) -> Array:
    """Return the gradient of a convolution by its input.

    Parameters
    ----------
    y : Tensor, shape (N, O, *out), floating
        The gradient of the convolution's output.
    weight : Tensor, shape (O, C / groups, *kernel), dtype of y
    size : int or tuple of int
        Spatial size of the convolution's input.
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    Tensor, shape (N, C, *size)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.
    """
    return kernels.convolution_input_gradient(
        xp,
        y,
        weight,
        size=per_dimension(size, y),
        stride=per_dimension(stride, y),
        padding=per_dimension(padding, y),
        dilation=per_dimension(dilation, y),
        groups=groups,
    )


convolution_input_gradient.def_vjp(
    y=lambda xp, g, weight, stride, padding, dilation, groups: convolved(
        xp, g, weight, stride, padding, dilation, groups
    ),
    weight=lambda xp, g, y, weight_shape, stride, padding, dilation, groups: filter_gradient(
        xp, g, y, weight_shape[2:], stride, padding, dilation, groups
    ),
)
convolution_input_gradient.def_jvp(
    y=lambda xp, g, weight, size, stride, padding, dilation, groups: image_gradient(
        xp, g, weight, size, stride, padding, dilation, groups
    ),
    weight=lambda xp, g, y, size, stride, padding, dilation, groups: image_gradient(
        xp, y, g, size, stride, padding, dilation, groups
    ),
)


@operation(samples=_filters)
def convolution_weight_gradient(
    xp: Any,
    x: Array,
    y: Array,
    *,
    kernel: PerDimension,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    dilation: PerDimension = 1,
    groups: int = 1,
) -> Array:
    """Return the gradient of a convolution by its filters.

    Parameters
    ----------
    x : Tensor, shape (N, C, *spatial), floating
    y : Tensor, shape (N, O, *out), dtype of x
        The gradient of the convolution's output.
    kernel : int or tuple of int
        Spatial size of the filters.
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    Tensor, shape (O, C / groups, *kernel)

    Raises
    ------
    ShapeError, DtypeError
        If shapes, parameters or dtypes do not fit.
    """
    return kernels.convolution_weight_gradient(
        xp,
        x,
        y,
        kernel=per_dimension(kernel, x),
        stride=per_dimension(stride, x),
        padding=per_dimension(padding, x),
        dilation=per_dimension(dilation, x),
        groups=groups,
    )


convolution_weight_gradient.def_vjp(
    x=lambda xp, g, x_shape, y, stride, padding, dilation, groups: image_gradient(
        xp, y, g, x_shape[2:], stride, padding, dilation, groups
    ),
    y=lambda xp, g, x, stride, padding, dilation, groups: convolved(
        xp, x, g, stride, padding, dilation, groups
    ),
)
convolution_weight_gradient.def_jvp(
    x=lambda xp, g, y, kernel, stride, padding, dilation, groups: filter_gradient(
        xp, g, y, kernel, stride, padding, dilation, groups
    ),
    y=lambda xp, g, x, kernel, stride, padding, dilation, groups: filter_gradient(
        xp, x, g, kernel, stride, padding, dilation, groups
    ),
)


def images_each(c: Call, out_axis: int) -> Any:
    """Batch a convolution, or its gradient by the images, by the images and by the filters.

    Parameters
    ----------
    out_axis : int
        The dimension of filters that is the channels of the result, over groups or not: 0 in a
        convolution, 1 in its gradient.

    Notes
    -----
    Samples of images alone are more images. Samples of filters are more channels of the result;
    where both have samples, each sample is groups of its own.
    """
    xp, (x, w, *bias), groups = c.xp, c.values, c.params["groups"]
    none = (None,) * len(bias)
    if not c.batched[1]:
        y = apart(c, c.again(merged(c, c.full(0)), w, *none))
    elif c.batched[0]:
        y = c.again(into_channels(c, x), merged(c, w), *none, groups=groups * c.size)
        y = from_channels(c, y)
    elif out_axis == 1 and groups == 1:
        y = from_channels(c, c.again(x, into_channels(c, w), *none))
    elif groups == 1:
        y = from_channels(c, c.again(x, merged(c, w), *none))
    else:
        y = c.again(into_channels(c, c.full(0)), merged(c, w), *none, groups=groups * c.size)
        y = from_channels(c, y)
    if not bias or bias[0] is None:
        return y
    each = (c.size,) if c.batched[2] else (1,)
    channels = bias[0].shape[-1]
    return y + xp.reshape(bias[0], (*each, 1, channels, *(1,) * (y.ndim - 3)))


def filters_each(c: Call) -> Any:
    """Batch the gradient by the filters: each sample is groups of its own."""
    groups = c.params["groups"]
    if groups == 1 and not all(c.batched):
        x, y = c.values
        if c.batched[1]:  # filters are the channels of y
            return apart(c, c.again(x, into_channels(c, y)))
        w = c.again(into_channels(c, x), y)
        return from_channels(c, w)
    x, y = (into_channels(c, c.full(i)) for i in (0, 1))
    return apart(c, c.again(x, y, groups=groups * c.size))


convolution_input_gradient.def_batch(lambda c: images_each(c, 1))
convolution_weight_gradient.def_batch(filters_each)
