"""Batch normalisation with given moments and with the batch's own."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ..kernels import normalization as kernels
from .batch_rules import from_channels, into_channels, merged
from .batching import Call
from .registry import Array, Sample, operation


def _given_moments(rng: np.random.Generator) -> Iterator[Sample]:
    x, mean, w, b = rng.normal(size=(4, 3, 2, 5)), *rng.normal(size=(3, 3))
    variance = rng.uniform(0.5, 2, 3)
    yield Sample(x, mean, variance, w, b, eps=1e-5)
    yield Sample(x[:, :, 0, 0], mean, variance, None, None, eps=1e-3)
    single = [a.astype(np.float32) for a in (x, mean, variance, w, b)]
    yield Sample(*single, eps=1e-5)


def _own_moments(rng: np.random.Generator) -> Iterator[Sample]:
    x, w, b = rng.normal(size=(4, 3, 2, 5)), *rng.normal(size=(2, 3))
    yield Sample(x, w, b, eps=1e-5)
    yield Sample(x[:, :, 0, 0], None, None, eps=1e-3)
    yield Sample(x[:, :, 0, 0], w, None, eps=0.0)
    yield Sample(x.astype(np.float32).transpose(0, 1, 3, 2), None, None, eps=1e-5)


def _each(xp: Any, values: Any, shape: tuple[int, ...]) -> Any:
    """Return one value per channel so that they broadcast to `shape`."""
    return xp.reshape(values, (1, -1, *(1,) * (len(shape) - 2)))


def _sum(xp: Any, g: Any) -> Any:
    """Return the sums over each channel."""
    return xp.sum(g, axis=(0, *range(2, g.ndim)))


def _sum_products(xp: Any, g: Any, x: Any) -> Any:
    """Return the sums of g * x over each channel."""
    return xp.reshape(xp.sum_products(g, x, axes=(0, *range(2, g.ndim))), (-1,))


def _centred(xp: Any, x: Any, mean: Any) -> Any:
    return x - _each(xp, mean, x.shape)


def _scaled(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


@operation(samples=_given_moments)
def batch_norm(
    xp: Any,
    x: Array,
    mean: Array,
    variance: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Array:
    """Return x normalised with given moments per channel, as in evaluation.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    mean, variance : Tensor, shape (C,), dtype of x
    weight, bias : Tensor, shape (C,), optional
        Multiplied and added after.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Shape of x: (x - mean) / sqrt(variance + eps) * weight + bias

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit.

    Notes
    -----
    Source: torch/nn BatchNormalization.lua
    """
    return kernels.batch_norm(xp, x, mean, variance, weight, bias, eps=eps)


def _slope(xp: Any, variance: Any, weight: Any, eps: float) -> Any:
    """Return what x - mean is multiplied by, per channel."""
    return _scaled(1 / xp.sqrt(variance + eps), weight)


def _variance_slope(xp: Any, variance: Any, weight: Any, eps: float) -> Any:
    """Return the derivative of `_slope` by the variance."""
    return _slope(xp, variance, weight, eps) * -0.5 / (variance + eps)


batch_norm.def_vjp(
    x=lambda xp, g, variance, weight, eps: (
        g * _each(xp, _slope(xp, variance, weight, eps), g.shape)
    ),
    mean=lambda xp, g, variance, weight, eps: -_sum(xp, g) * _slope(xp, variance, weight, eps),
    variance=lambda xp, g, x, mean, variance, weight, eps: (
        _sum_products(xp, g, _centred(xp, x, mean)) * _variance_slope(xp, variance, weight, eps)
    ),
    weight=lambda xp, g, x, mean, variance, eps: (
        _sum_products(xp, g, _centred(xp, x, mean)) * _slope(xp, variance, None, eps)
    ),
    bias=_sum,
)
batch_norm.def_jvp(
    x=lambda xp, g, variance, weight, eps: (
        g * _each(xp, _slope(xp, variance, weight, eps), g.shape)
    ),
    mean=lambda xp, g, x_shape, variance, weight, eps: _each(
        xp, -g * _slope(xp, variance, weight, eps), x_shape
    ),
    variance=lambda xp, g, x, mean, variance, weight, eps: (
        _centred(xp, x, mean) * _each(xp, g * _variance_slope(xp, variance, weight, eps), x.shape)
    ),
    weight=lambda xp, g, x, mean, variance, eps: (
        _centred(xp, x, mean) * _each(xp, g * _slope(xp, variance, None, eps), x.shape)
    ),
    bias=lambda xp, g, x_shape: _each(xp, g, x_shape),
)


@operation(samples=_own_moments, outputs=("out", "mean", "variance"))
def batch_norm_training(
    xp: Any, x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return x normalised with its own moments per channel, and these moments.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    weight, bias : Tensor, shape (C,), optional
        Multiplied and added after.
    eps : float
        Added to the variance.

    Returns
    -------
    y : Tensor
        Shape of x.
    mean, variance : Tensor, shape (C,)
        The biased variance; the unbiased one, for running averages, is n / (n-1) times it.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit, or there is nothing to average.

    Notes
    -----
    Source: torch/nn BatchNormalization.lua
    """
    return kernels.batch_norm_training(xp, x, weight, bias, eps=eps)


def _own_slope(xp: Any, variance: Any, weight: Any, eps: float) -> Any:
    """Return what x - mean is multiplied by, per channel; 0 without any variance."""
    if eps > 0:
        return _slope(xp, variance, weight, eps)
    none = variance == 0
    return _scaled(xp.where(none, 0.0, 1 / xp.sqrt(xp.where(none, 1.0, variance))), weight)


def _input_gradient(
    xp: Any, g: Any, x: Any, weight: Any, mean: Any, variance: Any, eps: float
) -> Any:
    # The moments are outputs, so that second derivatives know that they depend on x.
    g_out, g_mean, g_variance = g
    count = prod(x.shape) // x.shape[1]
    centred = _centred(xp, x, mean)
    slope = _own_slope(xp, variance, weight, eps)
    inverse = _own_slope(xp, variance, None, eps)
    along = _sum_products(xp, g_out, centred) * slope * inverse * inverse
    return xp.linear_combination(
        g_out,
        centred,
        _each(xp, slope, x.shape),
        _each(xp, (g_variance * 2 - along) / count, x.shape),
        _each(xp, (g_mean - _sum(xp, g_out) * slope) / count, x.shape),
    )


def _tangents(xp: Any, g: Any, x: Any, weight: Any, mean: Any, variance: Any, eps: float) -> Any:
    count = prod(x.shape) // x.shape[1]
    centred = _centred(xp, x, mean)
    slope = _own_slope(xp, variance, weight, eps)
    inverse = _own_slope(xp, variance, None, eps)
    g_mean = _sum(xp, g) / count
    covariance = _sum_products(xp, g, centred) / count
    out = xp.linear_combination(
        g,
        centred,
        _each(xp, slope, x.shape),
        _each(xp, -covariance * slope * inverse * inverse, x.shape),
        _each(xp, -g_mean * slope, x.shape),
    )
    return [out, g_mean, covariance * 2]


batch_norm_training.def_vjp(
    x=_input_gradient,
    weight=lambda xp, g, x, mean, variance, eps: (
        _sum_products(xp, g[0], _centred(xp, x, mean)) * _own_slope(xp, variance, None, eps)
    ),
    bias=lambda xp, g: _sum(xp, g[0]),
)


def _gradients(
    xp: Any, g: Any, x: Any, weight: Any, mean: Any, variance: Any, eps: float
) -> tuple[Any, Any, Any] | None:
    g_out, g_mean, g_variance = g
    if g_out is None or g_mean is not None or g_variance is not None:
        return None
    return kernels.batch_norm_gradient(xp.library, g_out, x, weight, mean, variance, eps=eps)


batch_norm_training.def_together(_gradients)
batch_norm_training.def_jvp(
    x=_tangents,
    weight=lambda xp, g, x, mean, variance, eps: [
        _centred(xp, x, mean) * _each(xp, g * _own_slope(xp, variance, None, eps), x.shape),
        None,
        None,
    ],
    bias=lambda xp, g, x_shape: [_each(xp, g, x_shape), None, None],
)


def _channels_each(c: Call) -> Any:
    """Channels of all samples are channels: each has moments, weight and bias of its own."""
    values = [None if x is None else merged(c, c.full(i)) for i, x in enumerate(c.values) if i]
    result = c.again(into_channels(c, c.full(0)), *values)
    if c.op.outputs == 1:
        return from_channels(c, result)
    out, *moments = result
    return (from_channels(c, out), *[c.xp.reshape(m, (c.size, -1)) for m in moments])


batch_norm.def_batch(_channels_each)
batch_norm_training.def_batch(_channels_each)
