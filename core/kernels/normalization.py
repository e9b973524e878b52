"""Normalisation by moments and by neighbouring channels, and the limit on norms (renorm)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..errors import ShapeError
from .checks import Array, floating, same_shape, wide
from .dispatch import dispatched
from .padding import pad
from .sums import linear_combination, sum_products
from .totals import total as summed
from .windows import sum_windows


@dispatched("onednn.batch_normalization")
def batch_norm(
    xp: Any,
    x: Array,
    mean: Array,
    variance: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float,
) -> Array:
    """Return x normalised with given moments per channel, as in evaluation.

    Parameters
    ----------
    x : array, shape (N, C, ...), floating
    mean, variance : array, shape (C,), dtype of x
    weight, bias : array, shape (C,), optional
        Multiplied and added after.
    eps : float
        Added to the variance.

    Returns
    -------
    array
        Shape of x: (x - mean) / sqrt(variance + eps) * weight + bias

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit.

    Notes
    -----
    Source: lib/THNN/generic/BatchNormalization.c
    """
    _check_channels(xp, "batch_norm", x, mean=mean, variance=variance, weight=weight, bias=bias)
    inverse = 1 / xp.sqrt(wide(xp, variance) + eps)
    each = (-1, *(1,) * (x.ndim - 2))
    return _scaled(
        x,
        wide(xp, x) - mean.reshape(each),
        inverse.reshape(each),
        None if weight is None else weight.reshape(each),
        None if bias is None else bias.reshape(each),
    )


@dispatched("onednn.batch_normalization")
def batch_norm_training(
    xp: Any, x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float
) -> tuple[Array, Array, Array]:
    """Return x normalised with its own moments per channel, and these moments.

    Parameters
    ----------
    x : array, shape (N, C, ...), floating
    weight, bias : array, shape (C,), optional
        Multiplied and added after.
    eps : float
        Added to the variance.

    Returns
    -------
    y : array
        Shape of x.
    mean, variance : array, shape (C,)
        Over all but the channels; the variance is the biased one, of which the unbiased is
        n / (n-1) times as much.

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit, or there is nothing to average.

    Notes
    -----
    A channel without variance becomes `bias` also when `eps` is 0.
    Source: lib/THNN/generic/BatchNormalization.c
    """
    _check_channels(xp, "batch_norm_training", x, weight=weight, bias=bias)
    each = (-1, *(1,) * (x.ndim - 2))
    mean, variance, centred = _moments(xp, x, (0, *range(2, x.ndim)))
    y = _scaled(
        x,
        centred,
        _inverse_deviation(xp, variance, eps),
        None if weight is None else weight.reshape(each),
        None if bias is None else bias.reshape(each),
    )
    return y, mean.reshape(-1).astype(x.dtype), variance.reshape(-1).astype(x.dtype)


@dispatched("onednn.batch_normalization")
def batch_norm_gradient(
    xp: Any,
    g: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    variance: Array,
    *,
    eps: float,
) -> tuple[Array, Array, Array]:
    """Return the gradients of `batch_norm_training`, of whose results only the first is used.

    Parameters
    ----------
    g : array, shape and dtype of x
        The gradient of the first result.
    x : array, shape (N, C, ...), floating
    weight : array, shape (C,), optional
    mean, variance : array, shape (C,)
        The other results.
    eps : float
        Added to the variance.

    Returns
    -------
    of_x : array
        Shape of x.
    of_weight, of_bias : array, shape (C,)

    Raises
    ------
    ShapeError, DtypeError
        If shapes or dtypes do not fit.

    Notes
    -----
    Source: lib/THNN/generic/BatchNormalization.c
    """
    name = "batch_norm_gradient"
    _check_channels(xp, name, x, weight=weight, mean=mean, variance=variance)
    floating(xp, name, g, x)
    same_shape(name, "g", g, x.shape)
    axes, each = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    g_, centred = wide(xp, g), wide(xp, x) - wide(xp, mean).reshape(each)
    count = prod(x.shape) // x.shape[1]
    inverse = _inverse_deviation(xp, wide(xp, variance), eps).reshape(each)
    slope = inverse if weight is None else inverse * wide(xp, weight).reshape(each)
    total = summed(xp, g_, axis=axes, keepdims=True)
    along = sum_products(xp, g_, centred, axes=axes) * inverse
    of_x = linear_combination(
        xp, g_, centred, slope, -along * slope * inverse / count, -total * slope / count
    )
    results = of_x, along.reshape(-1), total.reshape(-1)
    return tuple(r.astype(x.dtype, copy=False) for r in results)


@dispatched("fused.normalization", least=4096)
def standardize(
    xp: Any, x: Array, *, axes: Sequence[int], eps: float
) -> tuple[Array, Array, Array]:
    """Return x normalised with its own mean and biased variance over some axes, and these.

    Parameters
    ----------
    x : array, floating
    axes : tuple of int
        The axes that share a mean and a variance.
    eps : float
        Added to the variance.

    Returns
    -------
    out : array
        Shape of x.
    mean, variance : array
        `axes` stay with size 1.

    Raises
    ------
    ShapeError, DtypeError
        If there is nothing to average, or x is not floating.
    """
    floating(xp, "standardize", x)
    mean, variance, centred = _moments(xp, x, tuple(axes))
    out = _scaled(x, centred, _inverse_deviation(xp, variance, eps), None, None)
    return out, mean.astype(x.dtype, copy=False), variance.astype(x.dtype, copy=False)


def channel_sums(xp: Any, x: Array, *, before: int, after: int) -> Array:
    """Return the sums of x over neighbouring channels.

    Parameters
    ----------
    x : array, shape (N, C, ...), floating
    before, after : int
        How many channels on either side belong to a channel's window, 0 or more.

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If x has no channels, a number is negative, or x is not floating.
    """
    floating(xp, "channel_sums", x)
    if x.ndim < 2 or before < 0 or after < 0:
        raise ShapeError(
            f"channel_sums takes an input of shape (N, C, ...) and numbers of channels before and "
            f"after, 0 or more; given shape {x.shape}, before {before} and after {after}"
        )
    border = [(before, after), *[(0, 0)] * (x.ndim - 2)]
    padded = pad(xp, wide(xp, x), padding=border)
    total = sum_windows(xp, padded, 1, before + 1 + after, 1, x.shape[1])
    return total.astype(x.dtype, copy=False)


@dispatched("fused.local_response", least=1024)
def local_response_norm(
    xp: Any, x: Array, *, size: int, alpha: float, beta: float, k: float
) -> Array:
    """Return x divided by a power of the sum of squares over neighbouring channels.

    Parameters
    ----------
    x : array, shape (N, C, ...), floating
    size : int
        Number of channels in a window; of an even number, one more lies behind than before.
    alpha, beta, k : float

    Returns
    -------
    array
        Shape of x: x * (k + alpha / size * sum of x**2 over the window) ** -beta

    Raises
    ------
    ShapeError, DtypeError
        If x has no channels, `size` is not positive, or x is not floating.

    Notes
    -----
    Torch7 keeps a running sum over the channels; this sums each window anew, which rounds less.
    Source: torch/nn SpatialCrossMapLRN.lua (odd sizes), cunn's kernel of it (even ones)
    """
    floating(xp, "local_response_norm", x)
    if x.ndim < 2 or size < 1:
        raise ShapeError(
            f"local_response_norm takes an input of shape (N, C, ...) and a size of 1 or more; "
            f"given shape {x.shape} and size {size}"
        )
    source = wide(xp, x)
    before = (size - 1) // 2
    scale = channel_sums(xp, source * source, before=before, after=size - 1 - before)
    scale *= alpha / size
    scale += k
    out = xp.pow(scale, source.dtype.type(-beta))
    out *= source
    return out.astype(x.dtype, copy=False)


def renorm(xp: Any, x: Array, *, p: float, axis: int, limit: float) -> Array:
    """Return x with those slices along an axis scaled down whose p-norm exceeds a limit.

    Parameters
    ----------
    x : array, floating, at least 2 dimensions
    p : float
        Above 0.
    axis : int
        Each x[i] along this axis has a norm.
    limit : float

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If p is not positive, or x has too few dimensions or is not floating.

    Notes
    -----
    Torch7 scales by limit / (norm + 1e-7), so the new norm stays just below the limit.
    Source: lib/TH/generic/THTensorMath.c (renorm), lib/THNN/generic/LookupTable.c
    """
    floating(xp, "renorm", x)
    if x.ndim < 2 or p <= 0:
        raise ShapeError(
            f"renorm takes 2 or more dimensions and a positive p; given shape {x.shape}, p {p}"
        )
    source = wide(xp, x)
    others = tuple(a for a in range(x.ndim) if a != axis % x.ndim)
    if p == 2:
        norm = xp.sqrt((source * source).sum(axis=others, keepdims=True))
    else:
        norm = ((xp.abs(source) ** p).sum(axis=others, keepdims=True)) ** (1 / p)
    factor = xp.where(norm > limit, limit / (norm + 1e-7), 1).astype(source.dtype)
    return (source * factor).astype(x.dtype, copy=False)


def _moments(xp: Any, x: Array, axes: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Return mean and biased variance over axes, which stay with size 1, and x - mean.

    The mean, of values that may be far from 0, is summed in float64, as Torch7's accreal is.
    """
    count = prod(x.shape[axis] for axis in axes)
    if count == 0:
        raise ShapeError(f"normalisation: nothing to average along axes {axes} of {x.shape}")
    source = wide(xp, x)
    mean = source.sum(axis=axes, keepdims=True, dtype=xp.float64) / count
    mean = mean.astype(source.dtype)
    centred = source - mean
    return mean, sum_products(xp, centred, centred, axes=axes) / count, centred


def _inverse_deviation(xp: Any, variance: Array, eps: float) -> Array:
    """Return 1 / sqrt(variance + eps), and 0 where that is 1 / 0."""
    deviation = xp.sqrt(variance + eps)
    return 1 / xp.where(deviation == 0, deviation.dtype.type(xp.inf), deviation)


def _scaled(
    x: Array, centred: Array, inverse: Array, weight: Array | None, bias: Array | None
) -> Array:
    """Return centred * inverse * weight + bias, in `centred`'s memory and x's dtype."""
    centred *= inverse if weight is None else inverse * weight
    if bias is not None:
        centred += bias
    return centred.astype(x.dtype, copy=False)


def _check_channels(xp: Any, kernel: str, x: Array, **given: Array | None) -> None:
    if x.ndim < 2:
        raise ShapeError(f"{kernel} takes an input of shape (N, C, ...); given shape {x.shape}")
    floating(xp, kernel, x, *(a for a in given.values() if a is not None))
    for name, array in given.items():
        if array is not None:
            same_shape(kernel, name, array, (x.shape[1],))
