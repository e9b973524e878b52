"""Convolutions and transposed convolutions in one to three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import ops
from ...tensor import Tensor
from ..errors import ArgumentError
from ..fields import PerDimension, per_dimension
from .batches import batched, unbatched

Padding = PerDimension | str
"""Zeros on both sides of each dimension; "valid" is none, "same" keeps sizes."""


def same_borders(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the borders before and after each dimension that keep its size.

    Raises
    ------
    ArgumentError
        If the stride is not 1.
    """
    if any(s != 1 for s in stride):
        raise ArgumentError(f'padding="same" needs a stride of 1; given {tuple(stride)}')
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


def _convolved(
    ndim: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: PerDimension,
    padding: Padding,
    dilation: PerDimension,
    groups: int,
) -> Tensor:
    x, single = batched(f"conv{ndim}d", input, ndim)
    steps = per_dimension("stride", stride, ndim)
    gaps = per_dimension("dilation", dilation, ndim)
    if padding == "same":
        x = ops.pad(x, padding=same_borders(weight.shape[2:], steps, gaps))
        padding = 0
    elif isinstance(padding, str):
        if padding != "valid":
            raise ArgumentError(f'padding is integers, "valid" or "same"; given {padding!r}')
        padding = 0
    border = per_dimension("padding", padding, ndim)
    options: dict[str, Any] = {"stride": steps, "padding": border, "dilation": gaps}
    return unbatched(ops.convolution(x, weight, bias, groups=groups, **options), single)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerDimension = 1,
    padding: Padding = 0,
    dilation: PerDimension = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of sequences with filters, plus a bias.

    Parameters
    ----------
    input : Tensor, shape (N, C, L) or (C, L)
    weight : Tensor, shape (O, C / groups, k)
    bias : Tensor, shape (O,), optional
    stride, dilation : int or tuple of int
    padding : int, tuple of int, "valid" or "same"
    groups : int

    Returns
    -------
    Tensor, shape (N, O, out) or (O, out)
    """
    return _convolved(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerDimension = 1,
    padding: Padding = 0,
    dilation: PerDimension = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images (N, C, H, W) with filters; see `conv1d`."""
    return _convolved(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerDimension = 1,
    padding: Padding = 0,
    dilation: PerDimension = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of volumes (N, C, D, H, W) with filters; see `conv1d`."""
    return _convolved(3, input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    ndim: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: PerDimension,
    padding: PerDimension,
    output_padding: PerDimension,
    groups: int,
    dilation: PerDimension,
) -> Tensor:
    x, single = batched(f"conv_transpose{ndim}d", input, ndim)
    y = ops.transposed_convolution(
        x,
        weight,
        bias,
        stride=per_dimension("stride", stride, ndim),
        padding=per_dimension("padding", padding, ndim),
        dilation=per_dimension("dilation", dilation, ndim),
        extra=per_dimension("output_padding", output_padding, ndim),
        groups=groups,
    )
    return unbatched(y, single)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    output_padding: PerDimension = 0,
    groups: int = 1,
    dilation: PerDimension = 1,
) -> Tensor:
    """Return the transposed convolution of sequences with filters, plus a bias.

    Parameters
    ----------
    input : Tensor, shape (N, C, L) or (C, L)
    weight : Tensor, shape (C, O / groups, k)
    bias : Tensor, shape (O,), optional
    stride, padding, dilation : int or tuple of int
        Those of the convolution that is transposed.
    output_padding : int or tuple of int
        Added to the size of the output, at its end.
    groups : int

    Returns
    -------
    Tensor, shape (N, O, out) or (O, out)
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    output_padding: PerDimension = 0,
    groups: int = 1,
    dilation: PerDimension = 1,
) -> Tensor:
    """Return the transposed convolution of images; see `conv_transpose1d`."""
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerDimension = 1,
    padding: PerDimension = 0,
    output_padding: PerDimension = 0,
    groups: int = 1,
    dilation: PerDimension = 1,
) -> Tensor:
    """Return the transposed convolution of volumes; see `conv_transpose1d`."""
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
