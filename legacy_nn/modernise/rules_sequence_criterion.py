"""Rules of rnn's criterions: losses of steps, and of samples that are not zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..unknown_classes import typename
from .plan import Expr, Layer, Value
from .registry import rule
from .rules_criterion import class_loss

if TYPE_CHECKING:
    from .builder import Builder

LOSSES = {
    "nn.ClassNLLCriterion": "NLLLoss",
    "nn.CrossEntropyCriterion": "CrossEntropyLoss",
    "nn.MSECriterion": "MSELoss",
    "nn.AbsCriterion": "L1Loss",
    "nn.SmoothL1Criterion": "SmoothL1Loss",
    "nn.BCECriterion": "BCELoss",
}
"""Criterions whose mean over all steps at once is the mean of those of the steps."""

OF_CLASSES = ("nn.ClassNLLCriterion", "nn.CrossEntropyCriterion")


def check_means(inner: Any, b: Builder) -> None:
    """Refuse criterions whose loss is no plain mean or sum over samples."""
    if typename(inner) not in LOSSES or getattr(inner, "weights", None) is not None:
        b.refuse("the loss of all its steps at once is not a mean of theirs")


def averages(criterion: Any) -> bool:
    """Whether a criterion takes the mean over samples."""
    return bool(getattr(criterion, "sizeAverage", True))


@rule("nn.SequencerCriterion")
def of_steps(m: Any, x: Value, b: Builder) -> Value:
    """Return the sum or mean over the steps of a sequence of their losses."""
    input, target = (b.tensor(part) for part in b.parts(x, 2))
    if typename(m.criterion) == "nn.MaskZeroCriterion":
        losses = masked_losses(b, m.criterion, input, target, dims=2)
        return b.op("mean_all" if m.sizeAverage else "sum_all", losses, ndim=0)
    return at_once(b, m, input, target)


@rule("nn.RepeaterCriterion")
def of_one_target(m: Any, x: Value, b: Builder) -> Value:
    """Return the sum over the steps of a sequence of their losses, all with the same target."""
    input, target = (b.tensor(part) for part in b.parts(x, 2))
    ndim = None if target.ndim is None else target.ndim + 1
    return at_once(b, m, input, b.op("for_each", input, target, ndim=ndim))


def at_once(b: Builder, m: Any, input: Expr, target: Expr) -> Value:
    """Return the losses of all steps together, those of one batch."""
    inner = m.criterion
    check_means(inner, b)
    flat = tuple(b.op("flatten_part", part, start=0, end=1) for part in (input, target))
    flat[0].ndim = None if input.ndim is None else input.ndim - 1
    loss = b.tensor(b.child(inner, "criterion", flat, ("criterion",)))
    if averages(inner) == bool(m.sizeAverage):
        return loss
    return b.op("mul_size" if averages(inner) else "div_size", loss, input, dim=0)


@rule("nn.MaskZeroCriterion")
def of_some(m: Any, x: Value, b: Builder) -> Value:
    """Return the loss of the samples that are not all zeros."""
    input, target = (b.tensor(part) for part in b.parts(x, 2))
    return masked_losses(b, m, input, target, dims=1)


def masked_losses(b: Builder, m: Any, input: Expr, target: Expr, dims: int) -> Expr:
    """Return the mean or sum over the samples that are not zeros, for each step where dims is 2.

    Parameters
    ----------
    m : MaskZeroCriterion
    input : Expr
        Of shape (N, D), or (T, N, D) for `dims` of 2.
    """
    inner = m.criterion
    check_means(inner, b)
    if m.nInputDim != 1 or input.ndim not in (None, dims + 1):
        b.refuse("its samples are no vectors")
    kept = b.op("select", b.op("any", input, dim=-1), dim=dims, index=0, ndim=dims)
    if typename(inner) in OF_CLASSES:  # of samples that do not count, targets may be no class
        target = b.op("where", kept, target, 0 if b.translation.zero_based else 1, ndim=dims)
    samples, targets = input, target
    if dims == 2:
        samples = b.op("flatten_part", input, start=0, end=1, ndim=2)
        targets = b.op("flatten_part", target, start=0, end=1)
    found = losses_of(b, inner, samples, targets)
    if dims == 2:
        found = b.op("unflatten", found, input, ndim=2)
    total = b.op("sum", b.op("where", kept, found, 0, ndim=dims), dim=dims - 1, ndim=dims - 1)
    if not averages(inner):
        return total
    ones = b.op("where", kept, b.op("ones_like", found), 0, ndim=dims)
    count = b.op("at_least", b.op("sum", ones, dim=dims - 1, ndim=dims - 1), low=1)
    return b.op("div", total, count)


def losses_of(b: Builder, inner: Any, samples: Expr, targets: Expr) -> Expr:
    """Return the loss of each sample alone, shape (N,)."""
    kind, apart = LOSSES[typename(inner) or ""], {"reduction": "none"}
    if typename(inner) in OF_CLASSES:
        criterion = getattr(inner, "nll", inner)
        found = b.tensor(class_loss(criterion, kind, (samples, targets), b, apart))
        found.ndim = 1
        return found
    found = b.layer("loss", Layer(kind, apart), (samples, targets), 2)
    return b.op("mean" if averages(inner) else "sum", found, dim=1, ndim=1)
