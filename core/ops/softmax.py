"""softmax, log_softmax and logsumexp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import softmax as kernels
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


@operation(samples=_logits)
def logsumexp(xp: Any, x: Array, *, axis: int = -1, keepdims: bool = False) -> Array:
    """Return log(sum(exp(x))) along an axis, without overflow.

    Parameters
    ----------
    x : Tensor, floating
    axis : int
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
