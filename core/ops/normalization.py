"""Normalisation: by moments, by neighbouring channels, by norm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..kernels import normalization as kernels
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
    yield Sample(x.astype(np.float32).transpose(0, 1, 3, 2), None, None, eps=1e-5)


def _layers(rng: np.random.Generator) -> Iterator[Sample]:
    x, w, b = rng.normal(size=(4, 3, 5)), *rng.normal(size=(2, 5))
    yield Sample(x, w, b, axes=-1)
    yield Sample(x, None, None, axes=(1, 2), eps=1e-3)


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


@operation(samples=_given_moments)
def batch_norm(
    xp: Any,
    x: Array,
    mean: Array,
    variance: Array,
    weight: Array | None,
    bias: Array | None,
    *,
    eps: float = 1e-5,
) -> Array:
    """Return x normalised with given moments per channel, as in evaluation.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    mean, variance : Tensor, shape (C,), dtype of x
    weight, bias : Tensor, shape (C,), or None
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


@operation(samples=_own_moments, outputs=("out", "mean", "variance"))
def batch_norm_training(
    xp: Any, x: Array, weight: Array | None, bias: Array | None, *, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return x normalised with its own moments per channel, and these moments.

    Parameters
    ----------
    x : Tensor, shape (N, C, ...), floating
    weight, bias : Tensor, shape (C,), or None
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


@operation(samples=_layers)
def layer_norm(
    xp: Any,
    x: Array,
    weight: Array | None,
    bias: Array | None,
    *,
    axes: int | Sequence[int] = -1,
    eps: float = 1e-5,
) -> Array:
    """Return x normalised with its own mean and biased variance over some axes.

    Parameters
    ----------
    x : Tensor, floating
    weight, bias : Tensor or None
        Multiplied and added after; they broadcast to x.
    axes : int or tuple of int
        The axes that share a mean and a variance.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If there is nothing to average, or x is not floating.

    Notes
    -----
    Source: Ba et al. 2016, "Layer Normalization"
    """
    over = tuple(axes) if isinstance(axes, Sequence) else (axes,)
    return kernels.layer_norm(xp, x, weight, bias, axes=over, eps=eps)


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
