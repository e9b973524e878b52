"""Normalisation by neighbouring channels and by norm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import normalization as kernels
from .batch_rules import apart, folded, merged, moved, shifted
from .batching import Call
from .dispatching import dispatched_rule
from .registry import Array, Sample, operation


def _channels(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 6, 3, 4))
    yield Sample(x, size=3)
    yield Sample(x.astype(np.float32), size=5, alpha=0.1, beta=0.5, k=2.0)
    yield Sample(x[:, :2], size=7)


def _rows(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(4, 3, 2))
    yield Sample(x, p=2, axis=0, limit=1.5)
    yield Sample(x, p=1, axis=-1, limit=4.0)
    yield Sample(x.astype(np.float32), p=3, axis=1, limit=1.0)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 6, 2)), before=1, after=2),
        Sample(rng.normal(size=(2, 3)), before=0, after=4),
    ]
)
def channel_sums(xp: Any, x: Array, *, before: int, after: int) -> Array:
    """Return the sums of x over neighbouring channels.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    before, after : int
        How many channels on either side belong to a channel's window, 0 or more.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If x has no channels, a number is negative, or x is not floating.
    """
    return kernels.channel_sums(xp, x, before=before, after=after)


channel_sums.def_vjp(x=lambda xp, g, before, after: xp.channel_sums(g, before=after, after=before))
channel_sums.def_jvp(x=lambda xp, g, before, after: xp.channel_sums(g, before=before, after=after))


@operation(samples=_channels)
def local_response_norm(
    xp: Any, x: Array, *, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """Return x divided by a power of the sum of squares over neighbouring channels.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    size : int
        Number of channels in a window.
    alpha, beta, k : float

    Returns
    -------
    Tensor
        Shape of x: x * (k + alpha / size * sum of x**2 over the window) ** -beta

    Raises
    ------
    ShapeError, DtypeError
        If x has no channels, `size` is not positive, or x is not floating.

    Notes
    -----
    Source: torch/nn SpatialCrossMapLRN.lua
    """
    return kernels.local_response_norm(xp, x, size=size, alpha=alpha, beta=beta, k=k)


def _scale(xp: Any, x: Any, size: int, alpha: float, k: float) -> Any:
    """Return what a power of is taken, per element."""
    before = (size - 1) // 2
    return xp.channel_sums(x * x, before=before, after=size - 1 - before) * (alpha / size) + k


@dispatched_rule("fused.local_response", least=1024)
def local_response_gradient(
    xp: Any, g: Any, x: Any, size: int, alpha: float, beta: float, k: float
) -> Any:
    """Return the gradient of `local_response_norm` by its input."""
    scale = _scale(xp, x, size, alpha, k)
    direct = g * xp.power(scale, -beta)
    before = (size - 1) // 2
    seen = xp.channel_sums(direct * x / scale, before=size - 1 - before, after=before)
    return direct - x * seen * (2 * alpha * beta / size)


def _response_tangent(
    xp: Any, g: Any, x: Any, size: int, alpha: float, beta: float, k: float
) -> Any:
    scale = _scale(xp, x, size, alpha, k)
    before = (size - 1) // 2
    change = xp.channel_sums(g * x, before=before, after=size - 1 - before)
    return (g - x * change / scale * (2 * alpha * beta / size)) * xp.power(scale, -beta)


local_response_norm.def_vjp(x=local_response_gradient)
local_response_norm.def_jvp(x=_response_tangent)


@operation(samples=_rows)
def renorm(xp: Any, x: Array, *, p: float, axis: int, limit: float) -> Array:
    """Return x with those slices along an axis scaled down whose p-norm exceeds a limit.

    Parameters
    ----------
    x : Tensor, floating, at least 2 dimensions
    p : float
        Above 0.
    axis : int
        Each x[i] along this axis has a norm.
    limit : float

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If p is not positive, or x has too few dimensions or is not floating.

    Notes
    -----
    Source: torch7 renorm, as nn.LookupTable's maxNorm uses it
    """
    return kernels.renorm(xp, x, p=p, axis=axis, limit=limit)


def _limit_factors(xp: Any, x: Any, p: float, axis: int, limit: float) -> Any:
    """Return the factor of each slice, its derivative by each element, and the axes of slices."""
    others = tuple(a for a in range(x.ndim) if a != axis % x.ndim)
    norm = xp.norm(x, p=p, axis=others, keepdims=True)
    over = norm > limit
    length = xp.where(over, norm, 1.0)
    factor = xp.where(over, limit / (length + 1e-7), 1.0)
    slope = xp.sign(x) * xp.power(xp.abs(x) / length, p - 1)
    return factor, slope * xp.where(over, -factor / (length + 1e-7), 0.0), others


def _renorm_gradient(xp: Any, g: Any, x: Any, p: float, axis: int, limit: float) -> Any:
    factor, change, others = _limit_factors(xp, x, p, axis, limit)
    return g * factor + change * xp.sum_products(g, x, axes=others)


def _renorm_tangent(xp: Any, g: Any, x: Any, p: float, axis: int, limit: float) -> Any:
    factor, change, others = _limit_factors(xp, x, p, axis, limit)
    return g * factor + x * xp.sum_products(g, change, axes=others)


renorm.def_vjp(x=_renorm_gradient)
renorm.def_jvp(x=_renorm_tangent)

for _op in (channel_sums, local_response_norm):
    _op.def_batch(folded)


def _renorm_each(c: Call) -> Any:
    """Each slice of each sample has a norm: they are slices along one dimension."""
    axis = shifted(c, c.params["axis"])
    slices = moved(c, c.values[0], axis, 1)
    return moved(c, apart(c, c.again(merged(c, slices), axis=0)), 1, axis)


renorm.def_batch(_renorm_each)
