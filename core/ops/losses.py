"""Losses between predictions and targets of the same shape, and how losses are reduced.

Names and reductions are PyTorch's, but shapes have to agree: nothing is broadcast.
"""

from __future__ import annotations

import math
from typing import Literal

from ..errors import RekindleError, ShapeError
from ..tensor import Tensor
from .activation import clamp
from .comparison import where
from .exponential import exp, log

Reduction = Literal["none", "mean", "sum"]
"""What becomes of the loss of each element: nothing, their mean, or their sum."""


class ReductionError(RekindleError, ValueError):
    """A way to reduce losses that does not exist."""


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Return losses as `reduction` says.

    Raises
    ------
    ReductionError
        If it is none of "none", "mean" and "sum".
    """
    if reduction == "none":
        return loss
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    raise ReductionError(f'reduction is "none", "mean" or "sum"; given {reduction!r}')


def same_shapes(name: str, **tensors: Tensor) -> None:
    """Check that the tensors have one shape.

    Raises
    ------
    ShapeError
        Names them and says which shapes they have.
    """
    if len({t.shape for t in tensors.values()}) > 1:
        given = ", ".join(f"{key} {t.shape}" for key, t in tensors.items())
        raise ShapeError(f"{name} takes tensors of one shape; given {given}")


def mse_loss(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Return squared differences.

    Parameters
    ----------
    input, target : Tensor, of one shape
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `input`.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    same_shapes("mse_loss", input=input, target=target)
    return reduced((input - target).square(), reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Return absolute differences; the slope at 0 is 0. See `mse_loss`."""
    same_shapes("l1_loss", input=input, target=target)
    return reduced(abs(input - target), reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, beta: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Return absolute differences less `beta` / 2, made smooth below `beta`. See `mse_loss`.

    Parameters
    ----------
    beta : float
        Where the absolute difference d is below, the loss is d*d / (2*beta); 0 gives `l1_loss`.
    """
    same_shapes("smooth_l1_loss", input=input, target=target)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    distance = abs(input - target)
    smooth = distance.square() * (0.5 / beta)
    return reduced(where(distance < beta, smooth, distance - 0.5 * beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, *, delta: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Return halved squares of differences that go on linearly beyond `delta`. See `mse_loss`.

    Parameters
    ----------
    delta : float, above 0
        Where the absolute difference d is beyond, the loss is delta * (d - delta/2).
    """
    same_shapes("huber_loss", input=input, target=target)
    distance = abs(input - target)
    linear = (distance - 0.5 * delta) * delta
    return reduced(where(distance <= delta, distance.square() * 0.5, linear), reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    *,
    log_target: bool = False,
    reduction: Literal["none", "mean", "sum", "batchmean"] = "mean",
) -> Tensor:
    """Return the terms of the divergence of `target` from `input`: t * (log t - input).

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities.
    target : Tensor, shape of `input`
        Probabilities; 0 costs nothing.
    log_target : bool
        Whether `target` holds logarithms too.
    reduction : str
        Also "batchmean": the sum over the first dimension's size, which the divergence is.

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `input`.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    same_shapes("kl_div", input=input, target=target)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        positive = target > 0
        loss = target * (log(where(positive, target, 1.0)) - input)
    if reduction == "batchmean":
        return loss.sum() / input.shape[0]
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the negative logarithm of the probability of counts. See `mse_loss`.

    Parameters
    ----------
    input : Tensor
        The expected counts, or their logarithms.
    target : Tensor, shape of `input`
        The counts.
    log_input : bool
        Whether `input` holds logarithms.
    full : bool
        Whether Stirling's approximation of log(target!) is added where the count is above 1;
        without it the term, which has no slope in `input`, is left out.
    eps : float
        Keeps the logarithm of an expected count of 0 finite.
    """
    same_shapes("poisson_nll_loss", input=input, target=target)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = where(target > 1, target, 1.0)
        stirling = many * log(many) - many + log(many * (2 * math.pi)) * 0.5
        loss = loss + where(target > 1, stirling, 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor,
    *,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the negative logarithm of a normal density. See `mse_loss`.

    Parameters
    ----------
    input, target : Tensor, of one shape
        The expected and the observed values.
    var : Tensor
        The variances; broadcast to `input`.
    full : bool
        Whether the constant log(2 pi) / 2 is added.
    eps : float
        The least variance; those below count as this, and have no slope.
    """
    same_shapes("gaussian_nll_loss", input=input, target=target)
    spread = clamp(var, min=eps)
    loss = (log(spread) + (input - target).square() / spread) * 0.5
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
