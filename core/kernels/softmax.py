"""softmax, log_softmax and logsumexp along one axis, without overflow."""

from __future__ import annotations

from typing import Any

from .checks import Array, floating, wide


def softmax(xp: Any, x: Array, *, axis: int = -1) -> Array:
    """Return exp(x) / sum(exp(x)) along an axis.

    Parameters
    ----------
    x : array, floating
    axis : int

    Returns
    -------
    array
        Shape of x; the sum along `axis` is 1.

    Raises
    ------
    DtypeError
        If x is not floating.

    Notes
    -----
    Source: lib/THNN/generic/SoftMax.c
    """
    floating("softmax", x)
    out = _below_maximum(xp, wide(xp, x), axis)
    xp.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)
    return out.astype(x.dtype, copy=False)


def log_softmax(xp: Any, x: Array, *, axis: int = -1) -> Array:
    """Return x - logsumexp(x) along an axis: the logarithm of softmax.

    Parameters
    ----------
    x : array, floating
    axis : int

    Returns
    -------
    array
        Shape of x.

    Raises
    ------
    DtypeError
        If x is not floating.

    Notes
    -----
    Source: lib/THNN/generic/LogSoftMax.c
    """
    floating("log_softmax", x)
    out = _below_maximum(xp, wide(xp, x), axis)
    out -= xp.log(xp.exp(out).sum(axis=axis, keepdims=True))
    return out.astype(x.dtype, copy=False)


def logsumexp(xp: Any, x: Array, *, axis: int = -1, keepdims: bool = False) -> Array:
    """Return log(sum(exp(x))) along an axis.

    Parameters
    ----------
    x : array, floating
    axis : int
    keepdims : bool
        Whether `axis` stays, with size 1.

    Returns
    -------
    array
        Minus infinity where there is nothing else along `axis`.

    Raises
    ------
    DtypeError
        If x is not floating.
    """
    floating("logsumexp", x)
    source = wide(xp, x)
    maximum = source.max(axis=axis, keepdims=True)
    shift = xp.where(xp.isfinite(maximum), maximum, 0)
    total = xp.exp(source - shift).sum(axis=axis, keepdims=True)
    empty = total == 0
    total = xp.where(empty, -xp.inf, xp.log(xp.where(empty, 1, total)) + shift)
    if not keepdims:
        total = xp.squeeze(total, axis=axis)
    return total.astype(x.dtype, copy=False)


def _below_maximum(xp: Any, x: Array, axis: int) -> Array:
    return x - x.max(axis=axis, keepdims=True)
