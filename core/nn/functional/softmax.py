"""Softmax and its relatives."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...random import Generator
from ...tensor import Tensor


def _axis(dim: int | None, ndim: int) -> int:
    """Return the dimension of classes: where none is named, the first of 0, 1 or 3, else 1."""
    if dim is not None:
        return dim
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None) -> Tensor:
    """Return exp(x) / sum(exp(x)) along `dim`; name it, for the default depends on the shape."""
    return ops.softmax(input, axis=_axis(dim, input.ndim))


def softmin(input: Tensor, dim: int | None = None) -> Tensor:
    """Return the softmax of -x."""
    return softmax(-input, dim)


def log_softmax(input: Tensor, dim: int | None = None) -> Tensor:
    """Return the logarithm of `softmax`."""
    return ops.log_softmax(input, axis=_axis(dim, input.ndim))


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    dim: int = -1,
    generator: Generator | None = None,
) -> Tensor:
    """Return a draw from the classes whose logits are given, through which gradients pass.

    Parameters
    ----------
    logits : Tensor, floating
    tau : float
        Temperature: the lower, the closer to a single 1.
    hard : bool
        Return a single 1 for each row, with the gradient of the soft draw.
    dim : int
    generator : Generator, optional

    Notes
    -----
    Source: Jang et al. 2017, "Categorical Reparameterization with Gumbel-Softmax"
    """
    options: dict[str, Any] = {"dtype": logits.dtype, "device": logits.device}
    tiny = 1e-6 if logits.dtype.itemsize == 2 else 1e-30
    drawn = random.uniform(logits.shape, tiny, 1.0, generator=generator, **options)
    noise = -ops.log(-ops.log(drawn))
    soft = ops.softmax((logits + noise) / tau, axis=dim)
    if not hard:
        return soft
    best = soft.argmax(axis=dim, keepdims=True)
    ones = ops.zeros_of(soft, soft.shape).detach().scatter(best, 1.0 + 0 * best, axis=dim)
    return ones.astype(soft.dtype) - soft.detach() + soft
