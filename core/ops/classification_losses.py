"""Losses of classifiers: likelihoods of classes and of yes or no. Names are PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from .activation import logsigmoid
from .batch_rules import elementwise
from .comparison import where
from .gathering import embedding, gather
from .losses import Reduction, reduced, same_shapes
from .registry import Array, Sample, operation
from .softmax import log_softmax
from .softmax_loss import softmax_nll


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the negative logarithms of the probabilities of the right classes.

    Parameters
    ----------
    input : Tensor, shape (N, C, ...) or (C,)
        Logarithms of the probabilities of classes.
    target : Tensor of int, shape (N, ...) or ()
        The right classes, from 0.
    weight : Tensor, shape (C,), optional
        What each class counts.
    ignore_index : int
        A target that costs nothing.
    reduction : str
        "mean" divides by the sum of the weights of the targets.

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `target`.

    Raises
    ------
    ShapeError, BoundsError, ReductionError
        If the shapes do not fit, a target is no class or there is no such reduction.
    """
    axis = _class_axis("nll_loss", input, target)
    counted = target != ignore_index
    index = where(counted, target, 0)
    loss = -gather(input, index.unsqueeze(axis), axis=axis).squeeze(axis=axis)
    if weight is None:
        share = counted.astype(input.dtype)
    else:
        share = embedding(weight, index) * counted
        loss = loss * share
    loss = where(counted, loss, 0.0)
    return loss.sum() / share.sum() if reduction == "mean" else reduced(loss, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return `nll_loss` of the logarithm of softmax.

    Parameters
    ----------
    input : Tensor, shape (N, C, ...) or (C,)
        Logits: any real numbers.
    target : Tensor
        The right classes from 0, int, shape (N, ...) or (); or the probability of each class,
        floating, shape of `input`.
    weight : Tensor, shape (C,), optional
        What each class counts.
    ignore_index : int
        A target class that costs nothing.
    label_smoothing : float
        How much of the target is spread evenly over all classes.
    reduction : str
        "mean" divides by the sum of the weights of the target classes, or, where targets are
        probabilities, by their number.

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `input` without classes.

    Raises
    ------
    ShapeError, BoundsError, ReductionError
        If the shapes do not fit, a target is no class or there is no such reduction.
    """
    axis = min(input.ndim, 2) - 1
    if input.ndim == 2 and target.ndim == 1 and weight is None and not label_smoothing:
        loss = softmax_nll(input, target, ignore_index=ignore_index)
        if reduction != "mean":
            return reduced(loss, reduction)
        return loss.sum() / (target != ignore_index).astype(input.dtype).sum()
    scores = log_softmax(input, axis=axis)
    each = None if weight is None else weight.reshape(-1, *(1,) * (input.ndim - 1 - axis))
    classes = input.shape[axis]
    if target.dtype.kind == "f":
        same_shapes("cross_entropy", input=input, target=target)
        share = target * (1 - label_smoothing) + label_smoothing / classes
        weighed = share if each is None else share * each
        return reduced(-(scores * weighed).sum(axis=axis), reduction)
    options: dict[str, Any] = {"ignore_index": ignore_index, "reduction": reduction}
    loss = nll_loss(scores, target, weight, **options)
    if not label_smoothing:
        return loss
    counted = target != ignore_index
    spread = -(scores if each is None else scores * each).sum(axis=axis)
    spread = where(counted, spread, 0.0)
    if reduction == "mean":
        index = where(counted, target, 0)
        share = counted if weight is None else embedding(weight, index) * counted
        spread = spread.sum() / share.sum()
    else:
        spread = reduced(spread, reduction)
    return loss * (1 - label_smoothing) + spread * (label_smoothing / classes)


def _class_axis(name: str, input: Tensor, target: Tensor) -> int:
    axis = min(input.ndim, 2) - 1
    if input.ndim == 0 or target.shape != input.shape[:axis] + input.shape[axis + 1 :]:
        raise ShapeError(
            f"{name} takes scores of shape (N, C, ...) and a class for each (N, ...); "
            f"given {input.shape} and {target.shape}"
        )
    return axis


def _probabilities(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample(rng.uniform(0.1, 0.9, (3, 4)), rng.uniform(0.1, 0.9, (3, 4)))


@operation(samples=_probabilities)
def bernoulli_nll(xp: Any, x: Array, target: Array) -> Array:
    """Return -(target * log(x) + (1-target) * log(1-x)), logarithms being at least -100.

    Parameters
    ----------
    x, target : Tensor, floating
        Probabilities.

    Notes
    -----
    The slope in x has x * (1-x) in its denominator, which counts as at least 1e-12; both
    limits are PyTorch's.
    """
    low, high = _logarithms(xp, x)
    return -(target * high + (1 - target) * low)


def _logarithms(xp: Any, x: Any) -> tuple[Any, Any]:
    """Return log(1-x) and log(x), both at least -100."""
    below, above = x < 1, x > 0
    low = xp.maximum(xp.log1p(-xp.where(below, x, 0.0)), -100.0)
    high = xp.maximum(xp.log(xp.where(above, x, 1.0)), -100.0)
    return xp.where(below, low, -100.0), xp.where(above, high, -100.0)


def _odds(xp: Any, g: Any, x: Any) -> Any:
    low, high = _logarithms(xp, x)
    return g * (low - high)


bernoulli_nll.def_derivative(
    x=lambda xp, g, x, target: g * (x - target) / xp.maximum(x * (1 - x), 1e-12), target=_odds
)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the negative logarithms of the probabilities of yes or no.

    Parameters
    ----------
    input : Tensor
        Probabilities of yes.
    target : Tensor, shape and dtype of `input`
        1 for yes, 0 for no, or a probability.
    weight : Tensor, optional
        What each element counts; broadcasts to `input`. "mean" does not divide by it.
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of the shape of `input`.

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.

    Notes
    -----
    A wrong certainty costs 100; see `bernoulli_nll`.
    Source: torch/nn BCECriterion.lua, which adds 1e-12 instead.
    """
    same_shapes("binary_cross_entropy", input=input, target=target)
    return _weighed(bernoulli_nll(input, target), weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    *,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return `binary_cross_entropy` of the sigmoid, exact for large logits.

    Parameters
    ----------
    input : Tensor
        Logits: any real numbers.
    target : Tensor, shape and dtype of `input`
        1 for yes, 0 for no, or a probability.
    weight : Tensor, optional
        What each element counts; broadcasts to `input`. "mean" does not divide by it.
    pos_weight : Tensor, optional
        What yes counts against no; broadcasts to `input`.
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
    same_shapes("binary_cross_entropy_with_logits", input=input, target=target)
    if pos_weight is None:
        loss = (1 - target) * input - logsigmoid(input)
    else:
        loss = (1 - target) * input - (target * (pos_weight - 1) + 1) * logsigmoid(input)
    return _weighed(loss, weight, reduction)


def _weighed(loss: Tensor, weight: Tensor | None, reduction: Reduction) -> Tensor:
    return reduced(loss if weight is None else loss * weight, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the mean over the classes of `binary_cross_entropy_with_logits`.

    Parameters
    ----------
    input : Tensor, shape (..., C)
        Logits.
    target : Tensor, shape and dtype of `input`
        1 for each class that holds, else 0.
    weight : Tensor, optional
        What each class counts; broadcasts to `input`.
    reduction : str

    Returns
    -------
    Tensor
        Of one element, or with "none" of shape (...).

    Raises
    ------
    ShapeError, ReductionError
        If the shapes differ or there is no such reduction.
    """
    loss = binary_cross_entropy_with_logits(input, target, weight, reduction="none")
    return reduced(loss.mean(axis=-1), reduction)


bernoulli_nll.def_batch(elementwise)
