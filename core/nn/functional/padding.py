"""Borders around images, and windows as columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ... import ops
from ...errors import ShapeError
from ...tensor import Tensor
from ..errors import ArgumentError
from ..fields import PerDimension, per_dimension


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return the input with borders around its last dimensions.

    Parameters
    ----------
    input : Tensor
    pad : sequence of int
        Before and after the last dimension, before and after the one before it, and so on;
        negative numbers crop.
    mode : {"constant", "reflect", "replicate", "circular"}
    value : float, optional
        Of a constant border; 0 by default.

    Raises
    ------
    ArgumentError, ShapeError
        If there is no such mode, or the borders do not fit.
    """
    if len(pad) % 2:
        raise ArgumentError(f"pad is pairs (before, after), the last dimension's first: {pad}")
    borders = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    if mode == "constant":
        return ops.pad(input, padding=borders, value=value or 0.0)
    modes = {
        "reflect": ops.pad_reflect,
        "replicate": ops.pad_replicate,
        "circular": ops.pad_circular,
    }
    if mode not in modes or value is not None:
        raise ArgumentError(
            f'mode is "constant" (which alone has a value), {", ".join(modes)}; given {mode!r}'
        )
    return modes[mode](input, padding=borders)


def unfold(
    input: Tensor,
    kernel_size: PerDimension,
    dilation: PerDimension = 1,
    padding: PerDimension = 0,
    stride: PerDimension = 1,
) -> Tensor:
    """Return the windows of images as columns: im2col.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W)

    Returns
    -------
    Tensor, shape (N, C * kernel elements, windows)
    """
    if input.ndim != 4:
        raise ShapeError(f"unfold takes an input of shape (N, C, H, W); given {input.shape}")
    kernel, gaps, border, steps = _window(kernel_size, dilation, padding, stride)
    x = ops.pad(input, padding=[(p, p) for p in border])
    for axis, (k, d, s) in enumerate(zip(kernel, gaps, steps, strict=True), 2):
        x = x.unfold(axis, d * (k - 1) + 1, s)
    x = x[..., :: gaps[0], :: gaps[1]].permute(0, 1, 4, 5, 2, 3)
    return x.reshape(x.shape[0], x.shape[1] * math.prod(kernel), -1)


def fold(
    input: Tensor,
    output_size: PerDimension,
    kernel_size: PerDimension,
    dilation: PerDimension = 1,
    padding: PerDimension = 0,
    stride: PerDimension = 1,
) -> Tensor:
    """Return images that columns of windows add up to: col2im.

    Parameters
    ----------
    input : Tensor, shape (N, C * kernel elements, windows)

    Returns
    -------
    Tensor, shape (N, C, *output_size)
    """
    size = per_dimension("output_size", output_size, 2)
    kernel, gaps, border, steps = _window(kernel_size, dilation, padding, stride)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, gaps, strict=True)]
    whole = [n + 2 * p for n, p in zip(size, border, strict=True)]
    counts = [(n - e) // s + 1 for n, e, s in zip(whole, spans, steps, strict=True)]
    if input.ndim != 3 or input.shape[2] != math.prod(counts):
        raise ShapeError(
            f"fold takes {math.prod(counts)} columns here, in shape (N, C * {math.prod(kernel)}, "
            f"columns); given {input.shape}"
        )
    n, features, _ = input.shape
    x = input.reshape(n, features // math.prod(kernel), *kernel, *counts).permute(0, 1, 4, 5, 2, 3)
    if gaps != (1, 1):
        index = (..., slice(None, None, gaps[0]), slice(None, None, gaps[1]))
        x = ops.index_spread(x, shape=(*x.shape[:4], *spans), index=index)
    x = ops.overlap_add(x, 3, steps[1], whole[1])
    x = ops.overlap_add(x, 2, steps[0], whole[0])
    return ops.pad(x, padding=[(-p, -p) for p in border])


def _window(
    kernel: PerDimension, dilation: PerDimension, padding: PerDimension, stride: PerDimension
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return (
        per_dimension("kernel_size", kernel, 2),
        per_dimension("dilation", dilation, 2),
        per_dimension("padding", padding, 2),
        per_dimension("stride", stride, 2),
    )
