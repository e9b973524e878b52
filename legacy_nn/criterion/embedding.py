"""Criterions of pairs of inputs, which shall be alike or not.

Source: torch/nn, the file of each class.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, full, zeros_like
from rekindle.core.dtypes import float64
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import remembered
from ..classes import torch_class
from ..errors import InputTypeError
from ..fields import given, set_field
from ..torch7 import random
from ..values import as_input, as_torch, size_text
from .base import Criterion, tensor_of
from .elementwise import Averaging


def _two(criterion: Criterion, input: Any) -> tuple[Tensor, Tensor]:
    """Return the two tensors, of one shape, of a table.

    Raises
    ------
    InputTypeError
        If it is no table of two tensors.
    ShapeError
        If their shapes differ.
    """
    if not isinstance(input, Table) or len(input) != 2:
        raise InputTypeError(
            f"{criterion.t7_typename} takes a table of two tensors; "
            f"given {type(input).__name__} {input!r:.60}"
        )
    first, second = tensor_of(criterion, input[1]), tensor_of(criterion, input[2])
    if first.shape != second.shape:
        raise ShapeError(
            f"{criterion.t7_typename} takes two tensors of one size; "
            f"given {size_text(first)} and {size_text(second)}"
        )
    return first, second


def _signs(target: Any, like: Tensor, count: int) -> Tensor:
    """Return a target of 1s and -1s, one number for all or one for each of `count`.

    Raises
    ------
    ShapeError
        If there are others than that.
    """
    if isinstance(target, Tensor):
        if target.size not in (1, count):
            raise ShapeError(
                "inconsistent tensor size: mask and source: there is a target for each of the "
                f"{count} pairs; given {target.size}"
            )
        return target.detach().reshape(-1)
    return full(count, target, like.dtype, like.device)


@torch_class("nn.L1HingeEmbeddingCriterion")
class L1HingeEmbeddingCriterion(Criterion):
    """The L1 distance d of the two inputs for target 1, and max(0, margin - d) for -1.

    Parameters
    ----------
    margin : float, default 1

    Notes
    -----
    The target is a number: tensors count as 1, as in Torch7.

    Source: torch/nn L1HingeEmbeddingCriterion.lua.
    """

    margin: float

    def __init__(self, margin: float | None = None) -> None:
        super().__init__()
        self.margin = given(margin, 1)
        self.gradInput = Table([empty(0, float64), empty(0, float64)])

    def compute(self, input: Any, target: Any) -> Tensor:
        first, second = _two(self, input)
        distance = ops.abs(first - second).sum()
        if not _unlike(target):
            return distance
        return ops.where(distance > self.margin, 0, self.margin - distance)

    def gradient(self, input: Any, target: Any) -> Any:
        first, second = _two(self, input)
        difference = first - second
        signs = ops.sign(difference)
        ties = int(ops.count_nonzero(difference == 0).item())
        if ties:  # Torch7 draws the sign where both are equal
            drawn = random.random(empty(ties, signs.dtype), 2) * 2 - 3
            signs.numpy()[difference.numpy() == 0] = drawn.numpy()
        if _unlike(target):
            far = ops.abs(difference).sum().item() > self.margin
            signs = zeros_like(signs) if far else -signs
        return Table([signs, -signs])


def _unlike(target: Any) -> bool:
    """Whether a target is the number -1; a tensor is no number, whatever it holds, as in Lua."""
    return not isinstance(target, Tensor) and bool(target == -1)


_COSINE = ("w1", "w22", "w32", "w", "_outputs")
"""What a forward pass of CosineEmbeddingCriterion leaves: products, squares, losses."""


@torch_class("nn.CosineEmbeddingCriterion")
class CosineEmbeddingCriterion(Criterion):
    """1 - cos for target 1, and max(0, cos - margin) for -1.

    Parameters
    ----------
    margin : float, default 0
        From -1 to 1.

    Notes
    -----
    Inputs (n,) with a target of one number, or (N, n) with one of shape (N,).

    Source: torch/nn CosineEmbeddingCriterion.lua.
    """

    margin: float
    not_converted = ("_idx",)

    def __init__(self, margin: float | None = None) -> None:
        super().__init__()
        self.margin = given(margin, 0)
        self.gradInput = Table([empty(0, float64), empty(0, float64)])
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        first, second = _two(self, input)
        first = first.reshape(-1, first.shape[-1])
        second = second.reshape(-1, second.shape[-1])
        sign = _signs(target, first, first.shape[0])
        squares = [ops.square(x).sum(axis=1) + 1e-12 for x in (first, second)]
        cosine = (first * second).sum(axis=1) / ops.sqrt(squares[0] * squares[1])
        losses = ops.where(sign == -1, cosine - self.margin, 1 - cosine)
        return self.averaged(ops.where(losses > 0, losses, 0).sum(), first.shape[0])

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        """Compute the loss and return it; going back uses the cosines that it found."""
        with as_torch():
            first, second = (x.reshape(-1, x.shape[-1]) for x in _two(self, as_input(input)))
            dot = ops.sum(first * second, axis=1, keepdims=True)
            inverse = [1 / (ops.sum(x * x, axis=1, keepdims=True) + 1e-12) for x in (first, second)]
            scale = ops.sqrt(inverse[0] * inverse[1])
            sign = _signs(target, first, first.shape[0])
            cosine = ops.reshape(dot * scale, (-1,))
            apart = ops.where(cosine > self.margin, cosine - self.margin, 0)
            losses = ops.where(sign == -1, apart, ops.where(sign == 1, 1 - cosine, cosine))
            kept = zip(_COSINE, (dot, *inverse, scale, losses), strict=True)
            for name, value in kept:
                set_field(self, name, value)
            self.output = self.averaged(ops.sum(losses), first.shape[0]).item()
        return self.output

    def gradient(self, input: Any, target: Any) -> Table:
        shape = _two(self, input)[0].shape
        first, second = (x.reshape(-1, shape[-1]) for x in input.array())
        dot, of_first, of_second, scale, losses = remembered(self, *_COSINE)
        sign = _signs(target, first, first.shape[0])
        factor = ops.where(losses <= 0, 0, ops.where(sign == 1, -1, 1)).astype(first.dtype)
        factor = self.averaged(factor.reshape(-1, 1), first.shape[0]) * scale
        found = second - dot * of_first * first, first - dot * of_second * second
        return Table([ops.reshape(g * factor, shape) for g in found])


@torch_class("nn.MarginRankingCriterion")
class MarginRankingCriterion(Criterion):
    """max(0, margin - target (x1 - x2)): target 1 wants the first input larger, -1 the second.

    Parameters
    ----------
    margin : float, default 1

    Notes
    -----
    Inputs of any shape with a target of that shape; or of one element each, with a number.

    Source: torch/nn MarginRankingCriterion.lua.
    """

    margin: float

    def __init__(self, margin: float | None = None) -> None:
        super().__init__()
        self.margin = given(margin, 1)
        self.gradInput = Table([empty(1, float64), empty(1, float64)])
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        first, second = _two(self, input)
        if not isinstance(target, Tensor):
            return self._hinge(target * (first - second).reshape(-1)[0])
        count = target.shape[0] if target.ndim else 1
        apart = (first - second) * target.detach().reshape(first.shape)
        return self.averaged(self._hinge(apart).sum(), count)

    def _hinge(self, apart: Tensor) -> Tensor:
        losses = self.margin - apart
        return ops.where(losses < 0, 0, losses)


@torch_class("nn.DistanceRatioCriterion")
class DistanceRatioCriterion(Averaging):
    """-log(exp(-x1) / (exp(-x1) + exp(-x2))), of distances to like and to unlike samples.

    Notes
    -----
    There is no target. See Averaging.

    Source: torch/nn DistanceRatioCriterion.lua; Hoffer & Ailon 2016, "Semi-supervised deep
    learning by metric embedding".
    """

    not_converted = ("_expMinusX", "_expMinusY", "_sumExpMinusXY", "_logSumExpMinusXY", "loss")

    def _distances(self, input: Any) -> tuple[Tensor, Tensor]:
        if isinstance(input, Table) and len(input) != 2:
            raise InputTypeError(
                f"Invalid number of inputs: {self.t7_typename} takes 2; given {len(input)}"
            )
        return _two(self, input)

    def compute(self, input: Any, target: Any) -> Tensor:
        alike, unlike = self._distances(input)
        losses = alike + ops.log(ops.exp(-alike) + ops.exp(-unlike))
        return self.averaged(losses.sum(), alike.shape[0])

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        """Compute the loss and return it; going back uses the exponentials that it found."""
        with as_torch():
            alike, unlike = self._distances(as_input(input))
            first, second = ops.exp(-alike), ops.exp(-unlike)
            kept = (first, second, first + second)
            for name, value in zip(_EXPONENTIALS, kept, strict=True):
                set_field(self, name, value)
        return super().updateOutput(input, target)

    def gradient(self, input: Any, target: Any) -> Table:
        alike, _ = self._distances(input)
        first, second, both = remembered(self, *_EXPONENTIALS)
        return Table([self.averaged(g, alike.shape[0]) for g in (1 - first / both, -second / both)])


_EXPONENTIALS = ("_expMinusX", "_expMinusY", "_sumExpMinusXY")
