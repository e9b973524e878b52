"""Criterions of scores of classes: margins between them, and points of a simplex.

Source: torch/nn, the file of each class, and lib/THNN/generic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.autograd import enable_grad, grad
from rekindle.core.creation import arange, empty, zeros
from rekindle.core.dtypes import float64, int64
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..errors import ArgumentError
from ..fields import given
from ..values import as_torch, replace_contents, size_text
from .base import Criterion, class_weights, tensor_of
from .classification import Target, class_numbers
from .elementwise import MSECriterion


def _rows(criterion: Criterion, input: Any) -> Tensor:
    """Return scores of shape (N, classes), of a vector with N = 1."""
    x = tensor_of(criterion, input)
    if x.ndim not in (1, 2):
        raise ShapeError(f"{criterion.t7_typename}: vector or matrix expected; given {x.shape}")
    return x.reshape(-1, x.shape[-1])


@torch_class("nn.MultiMarginCriterion")
class MultiMarginCriterion(Criterion):
    """max(0, margin - x[t] + x[d]) ^ p, summed over classes d but t and divided by their number.

    Parameters
    ----------
    p : int, default 1
        1 or 2.
    weights : Tensor, shape (classes,), optional
    margin : float, default 1

    Notes
    -----
    Input (classes,) with a target of one number, or (N, classes) with one of shape (N,).

    Source: torch/nn MultiMarginCriterion.lua, THNN MultiMarginCriterion.c.
    """

    p: int = 1
    margin: float
    weights: Tensor | None = None

    def __init__(
        self, p: int | None = None, weights: Tensor | None = None, margin: float | None = None
    ) -> None:
        super().__init__()
        if p not in (None, 1, 2):
            raise ArgumentError(f"{self.t7_typename}: only p=1 and p=2 supported; given {p!r}")
        self.p = given(p, 1)
        self.margin = given(margin, 1)
        self.sizeAverage = True
        class_weights(self, weights)

    def compute(self, input: Any, target: Target) -> Tensor:
        x, t = _rows(self, input), class_numbers(target, tensor_of(self, input))
        rows, classes = x.shape
        if t.size != rows and input.ndim == 2:
            raise ShapeError(
                f"{self.t7_typename}: inconsistent target size: {rows} rows, target {size_text(t)}"
            )
        t = t.reshape(-1)[0:rows]
        if t.size and not (ops.min(t).item() >= 1 and ops.max(t).item() <= classes):
            raise BoundsError(
                f"{self.t7_typename}: target out of range: targets are 1 to {classes}; given "
                f"{ops.min(t).item()} to {ops.max(t).item()}"
            )
        index = ops.unsqueeze(t - 1, 1)
        z = self.margin - ops.gather(x, index, axis=1) + x
        others = ops.not_equal(arange(classes, dtype=int64, device=x.device), index)
        losses = ops.where(ops.bitwise_and(others, z > 0), z, 0)
        if self.p == 2:
            losses = ops.square(losses)
        if self.weights is not None:
            losses = losses * ops.embedding(self.weights.detach(), index)
        return self.averaged(losses.sum() / classes, rows)


@torch_class("nn.MultiLabelMarginCriterion")
class MultiLabelMarginCriterion(Criterion):
    """max(0, 1 - x[t] + x[d]), summed over targets t and other classes d, divided by classes.

    Attributes
    ----------
    isTarget : Tensor, shape of the last target
        1 for classes that are targets; `updateGradInput` reads it.

    Notes
    -----
    Input and target (classes,) or (N, classes); the targets of a row end before the first 0.

    Source: torch/nn MultiLabelMarginCriterion.lua, THNN MultiLabelMarginCriterion.c.
    """

    isTarget: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True
        self.isTarget = empty(0, float64)

    def updateOutput(self, input: Any, target: Target = None) -> Any:
        with as_torch():
            value = super().updateOutput(input, target)
            labels = self._labels(input, target)[2].reshape(input.shape)
            self.isTarget = replace_contents(self.isTarget, ops.astype(labels, input.dtype))
        return value

    def compute(self, input: Any, target: Target) -> Tensor:
        return self._sum(input, *self._labels(input, target))

    def gradient(self, input: Any, target: Target) -> Any:
        if self.isTarget is None or self.isTarget.shape != input.shape:
            raise ShapeError(f"{self.t7_typename}: inconsistent isTarget size: call updateOutput")
        index, counts, _ = self._labels(input, target)
        with enable_grad():
            x = input.detach().requires_grad_()
            loss = self._sum(x, index, counts, self.isTarget.reshape(index.shape) != 0)
        return grad([loss], [x])[0]

    def _labels(self, input: Any, target: Target) -> tuple[Tensor, Tensor, Tensor]:
        """Return targets from 0, which of them count, and which classes are targets."""
        x, t = _rows(self, input), class_numbers(target, tensor_of(self, input))
        if t.shape != input.shape:
            raise ShapeError(
                f"{self.t7_typename}: inconsistent target size: input {size_text(input)}, "
                f"target {size_text(t)}"
            )
        t = t.reshape(x.shape)
        classes = x.shape[1]
        if t.size and not (ops.min(t).item() >= 0 and ops.max(t).item() <= classes):
            raise BoundsError(
                f"{self.t7_typename}: target out of range: targets are 0 to {classes}; given "
                f"{ops.min(t).item()} to {ops.max(t).item()}"
            )
        counts = ops.cumprod(ops.astype(t > 0, int64), axis=1) > 0
        index = ops.where(counts, t - 1, 0)
        same = ops.equal(ops.unsqueeze(index, 2), arange(classes, dtype=int64, device=x.device))
        return index, counts, ops.any(ops.bitwise_and(same, ops.unsqueeze(counts, 2)), axis=1)

    def _sum(self, input: Tensor, index: Tensor, counts: Tensor, labels: Tensor) -> Tensor:
        x = _rows(self, input)
        rows, classes = x.shape
        z = 1 - ops.unsqueeze(ops.gather(x, index, axis=1), 2) + ops.unsqueeze(x, 1)
        others = ops.unsqueeze(ops.bitwise_invert(labels), 1)
        pairs = ops.bitwise_and(ops.unsqueeze(counts, 2), others)
        losses = ops.where(ops.bitwise_and(pairs, z > 0), z, 0)
        return self.averaged(losses.sum() / classes, rows)


@torch_class("nn.ClassSimplexCriterion")
class ClassSimplexCriterion(MSECriterion):
    """MSECriterion against the corner of a regular simplex that stands for the class.

    Parameters
    ----------
    nClasses : int
        2 or more.

    Attributes
    ----------
    simplex : Tensor, shape (nClasses, nClasses)
        The corners, on the unit sphere; the last column is 0.

    Source: torch/nn ClassSimplexCriterion.lua; Mroueh et al. 2012, "Multiclass Learning with
    Simplex Coding".
    """

    nClasses: int
    simplex: Tensor
    _target: Tensor

    def __init__(self, nClasses: int) -> None:
        super().__init__()
        if nClasses <= 1 or nClasses != int(nClasses):
            raise ArgumentError(
                f"{self.t7_typename}: Required positive integer argument nClasses > 1; "
                f"given {nClasses!r}"
            )
        self.nClasses = nClasses
        self.simplex = _corners(nClasses - 1)
        self._target = zeros(nClasses, float64)

    def updateOutput(self, input: Any, target: Target = None) -> Any:
        with as_torch():
            self._target = replace_contents(self._target, self._points(input, target))
        return super().updateOutput(input, target)

    def compute(self, input: Any, target: Target) -> Tensor:
        return super().compute(input, self._points(input, target))

    def gradient(self, input: Any, target: Target) -> Any:
        criterion = MSECriterion(self.sizeAverage)
        return criterion.gradient(input, self._target)

    def _points(self, input: Any, target: Target) -> Tensor:
        t = class_numbers(target, tensor_of(self, input))
        if t.ndim != 1:
            raise ShapeError(f"{self.t7_typename}: 1D tensors only! Target is {size_text(t)}")
        found = ops.embedding(self.simplex, t - 1)
        return found if isinstance(target, Tensor) else found.reshape(-1)

    def getPredictions(self, input: Tensor) -> Tensor:
        """Return how much each row of the input points to each corner, (N, nClasses)."""
        return ops.matmul(input.reshape(-1, input.shape[-1]), self.simplex.T)

    def getTopPrediction(self, input: Tensor) -> Tensor:
        """Return the class that each row points to most, from 1, shape (N,)."""
        return ops.argmax(self.getPredictions(input), axis=1) + 1


def _corners(n: int) -> Tensor:
    """Return the corners of a regular simplex around 0 on the unit sphere, shape (n+1, n+1).

    They need n dimensions; the last column is 0.
    """
    rows = np.zeros((n + 1, n + 1))
    for k in range(n):
        rows[k, k] = math.sqrt(1 - float((rows[k, :k] ** 2).sum()))
        rows[k + 1 :, k] = (rows[k, k] ** 2 - 1 - 1 / n) / rows[k, k]
    return Tensor(rows)
