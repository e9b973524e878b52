"""softmax, log_softmax and logsumexp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import softmax as kernels
from .batch_rules import along_axis, reduction
from .dispatching import dispatched_rule
from .reduction import kept_shape
from .registry import Array, Sample, operation


def _logits(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4, 2)) * 3
    yield Sample(x)
    yield Sample(x, axis=1)
    yield Sample(x.astype(np.float32).T, axis=0)
    yield Sample(x[0, :, 0] + 1000)
    yield Sample(x[:0])


@operation(samples=_logits, methods=("softmax",))
def softmax(xp: Any, x: Array, *, axis: int = -1) -> Array:
    """Return exp(x) / sum(exp(x)) along an axis, without overflow.

    Parameters
    ----------
    x : Tensor, floating
    axis : int

    Returns
    -------
    Tensor
        Shape of x; sums to 1 along `axis`.

    Raises
    ------
    DtypeError
        If x is not floating.

    Notes
    -----
    Source: torch/nn SoftMax.lua
    """
    return kernels.softmax(xp, x, axis=axis)


@dispatched_rule("fused.softmax", least=4096)
def softmax_gradient(xp: Any, g: Any, out: Any, axis: int) -> Any:
    """Return out * (g - the mean of g weighted with out)."""
    return out * (g - xp.sum_products(g, out, axes=(axis,)))


softmax.def_derivative(x=softmax_gradient)


@operation(samples=_logits, methods=("log_softmax",))
def log_softmax(xp: Any, x: Array, *, axis: int = -1) -> Array:
    """Return x - logsumexp(x) along an axis: the logarithm of softmax.

    Parameters
    ----------
    x : Tensor, floating
    axis : int

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    DtypeError
        If x is not floating.

    Notes
    -----
    Source: torch/nn LogSoftMax.lua
    """
    return kernels.log_softmax(xp, x, axis=axis)


@dispatched_rule("fused.softmax", least=4096)
def log_softmax_gradient(xp: Any, g: Any, out: Any, axis: int) -> Any:
    """Return g - exp(out) * the sum of g."""
    return g - xp.exp(out) * xp.sum(g, axis=axis, keepdims=True)


log_softmax.def_vjp(x=log_softmax_gradient)
log_softmax.def_jvp(x=lambda xp, g, out, axis: g - xp.sum_products(g, xp.exp(out), axes=(axis,)))


@operation(
    samples=lambda rng: [
        *_logits(rng),
        Sample(rng.normal(size=(3, 4, 2)), axis=(0, 2)),
        Sample(rng.normal(size=(3, 4)), axis=1, keepdims=True),
    ]
)
def logsumexp(
    xp: Any, x: Array, *, axis: int | tuple[int, ...] = -1, keepdims: bool = False
) -> Array:
    """Return log(sum(exp(x))) along one axis or several, without overflow.

    Parameters
    ----------
    x : Tensor, floating
    axis : int or tuple of int
    keepdims : bool
        Whether `axis` stays, with size 1.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        If x is not floating.
    """
    return kernels.logsumexp(xp, x, axis=axis, keepdims=keepdims)


def _shares(xp: Any, x: Any, out: Any, axis: int | tuple[int, ...]) -> Any:
    """Return the softmax of x; 0 where all of x is minus infinity."""
    total = xp.reshape(out, kept_shape(x.shape, axis))
    return xp.exp(x - xp.where(xp.isfinite(total), total, 0.0))


logsumexp.def_vjp(
    x=lambda xp, g, x, out, axis: (
        xp.reshape(g, kept_shape(x.shape, axis)) * _shares(xp, x, out, axis)
    )
)
logsumexp.def_jvp(
    x=lambda xp, g, x, out, axis, keepdims: xp.sum(
        g * _shares(xp, x, out, axis), axis=axis, keepdims=keepdims
    )
)

for _op in (softmax, log_softmax):
    _op.def_batch(along_axis("axis"))
logsumexp.def_batch(reduction)
