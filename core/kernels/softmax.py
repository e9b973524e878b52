"""softmax, log_softmax and logsumexp, without overflow.

Only what the array API standard has is used.
"""

from __future__ import annotations

from typing import Any

from .checks import Array, floating, wide
from .dispatch import dispatched


@dispatched("fused.softmax", least=4096)
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
    floating(xp, "softmax", x)
    out = xp.exp(_below_maximum(xp, wide(xp, x), axis))
    out /= xp.sum(out, axis=axis, keepdims=True)
    return xp.astype(out, x.dtype, copy=False)


@dispatched("fused.softmax", least=4096)
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
    floating(xp, "log_softmax", x)
    out = _below_maximum(xp, wide(xp, x), axis)
    out -= xp.log(xp.sum(xp.exp(out), axis=axis, keepdims=True))
    return xp.astype(out, x.dtype, copy=False)


def logsumexp(
    xp: Any, x: Array, *, axis: int | tuple[int, ...] = -1, keepdims: bool = False
) -> Array:
    """Return log(sum(exp(x))) along one axis or several.

    Parameters
    ----------
    x : array, floating
    axis : int or tuple of int
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
    floating(xp, "logsumexp", x)
    source = wide(xp, x)
    maximum = xp.max(source, axis=axis, keepdims=True)
    shift = xp.where(xp.isfinite(maximum), maximum, xp.zeros_like(maximum))
    total = xp.sum(xp.exp(source - shift), axis=axis, keepdims=True)
    empty = total == 0
    total = xp.log(xp.where(empty, xp.ones_like(total), total)) + shift
    total = xp.where(empty, xp.full_like(total, -xp.inf), total)
    if not keepdims:
        total = xp.squeeze(total, axis=axis)
    return xp.astype(total, x.dtype, copy=False)


def _below_maximum(xp: Any, x: Array, axis: int) -> Array:
    return x - xp.max(x, axis=axis, keepdims=True)
