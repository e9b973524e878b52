"""Criterions whose targets are of two classes, element by element.

Source: torch/nn, the file of each class, and lib/THNN/generic.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.autograd import Context, Function
from rekindle.core.creation import full
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..errors import ArgumentError
from ..fields import given
from ..transfer import Sigmoid
from ..values import size_text
from .base import Criterion, class_weights, paired_tensors, tensor_of
from .elementwise import Averaging

EPSILON = 1e-12
"""What THNN adds before it takes logarithms. Source: lib/THNN/generic/BCECriterion.c."""


class Weighted(Averaging):
    """A criterion with a weight for each column.

    Parameters
    ----------
    weights : Tensor, shape (n,), optional
    sizeAverage : bool, default True
        False sums the losses.
    """

    weights: Tensor | None = None

    def __init__(self, weights: Tensor | None = None, sizeAverage: bool | None = None) -> None:
        super().__init__(sizeAverage)
        class_weights(self, weights)

    def weigh(self, losses: Tensor) -> Tensor:
        """Return losses times the weights of their columns."""
        if self.weights is None:
            return losses
        if losses.shape[-1:] != self.weights.shape:
            raise ShapeError(
                f"{_unequal(losses, self.weights)}: {self.t7_typename} has {self.weights.size} "
                f"weights; given {losses.shape}"
            )
        return losses * self.weights.detach()


def _unequal(losses: Tensor, weights: Tensor) -> str:
    """Return what Torch7 says where there is no weight for each column."""
    if losses.ndim == 1:
        return (
            "input and weights have different number of elements: "
            f"input{size_text(losses).replace(' ', '')} has {losses.size} elements, while "
            f"weights[{weights.size}] has {weights.size} elements"
        )
    wanted = "x".join(map(str, (1, *losses.shape[1:])))
    return f"Wrong size for view. Input size: {weights.size}. Output size: {wanted}"


@torch_class("nn.BCECriterion")
class BCECriterion(Weighted):
    """The cross entropy of probabilities with targets from 0 to 1; see Weighted.

    The number of weights, or 0, is its length.

    Source: torch/nn BCECriterion.lua.
    """

    def compute(self, input: Any, target: Any) -> Tensor:
        x = tensor_of(self, input)
        if tensor_of(self, target, name="target").size != x.size:
            raise ShapeError(
                f"{self.t7_typename}: input and target size mismatch: "
                f"{size_text(x)} and {size_text(target)}"
            )
        x, t = paired_tensors(self, x, target)
        if x.size and not (ops.min(x).item() >= 0 and ops.max(x).item() <= 1):
            raise ArgumentError(
                f"{self.t7_typename}: input value should be between 0~1, but got "
                f"{ops.min(x).item():f} to {ops.max(x).item():f}"
            )
        losses: Tensor = _Entropy.apply(x, t)
        return self.averaged(self.weigh(losses).sum(), x.size)

    def __len__(self) -> int:
        return 0 if self.weights is None else len(self.weights)

    def __bool__(self) -> bool:
        return True  # as every object in Lua, whatever its length


class _Entropy(Function):
    """Cross entropy by element, whose gradient THNN keeps bounded another way than the loss."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        x, t = args
        ctx.save_for_backward(x, t)
        return -(ops.log(x + EPSILON) * t + ops.log(1 - x + EPSILON) * (1 - t))

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        x, t = ctx.saved_tensors
        assert x is not None
        assert t is not None
        return gradients[0] * (x - t) / ((1 - x + EPSILON) * (x + EPSILON)), None


@torch_class("nn.SoftMarginCriterion")
class SoftMarginCriterion(Criterion):
    """log(1 + exp(-t x)), for targets 1 and -1.

    Source: torch/nn SoftMarginCriterion.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        return self.averaged(ops.log(1 + ops.exp(-t * x)).sum(), x.size)


@torch_class("nn.MarginCriterion")
class MarginCriterion(Criterion):
    """max(0, margin - t x), for targets 1 and -1.

    Parameters
    ----------
    margin : float, default 1

    Source: torch/nn MarginCriterion.lua.
    """

    margin: float

    def __init__(self, margin: float | None = None) -> None:
        super().__init__()
        self.sizeAverage = True
        self.margin = given(margin, 1)

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        product = x * t
        return self.averaged(
            ops.where(product < self.margin, self.margin - product, 0).sum(), x.size
        )


@torch_class("nn.HingeEmbeddingCriterion")
class HingeEmbeddingCriterion(Criterion):
    """x for targets 1, and max(0, margin - x) for targets -1.

    Parameters
    ----------
    margin : float, default 1

    Notes
    -----
    A target may be a number, for an input of one element.

    Source: torch/nn HingeEmbeddingCriterion.lua.
    """

    margin: float

    def __init__(self, margin: float | None = None) -> None:
        super().__init__()
        self.margin = given(margin, 1)
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        x = tensor_of(self, input)
        t = target if isinstance(target, Tensor) else full(1, target, x.dtype, x.device)
        x, t = paired_tensors(self, x, ops.astype(t, x.dtype))  # Torch7 compares any type
        apart = ops.where(x > self.margin, 0, self.margin - x)
        losses = ops.where(t == -1, 0, x) + ops.where(t == 1, 0, apart)
        return self.averaged(losses.sum(), x.size)


@torch_class("nn.MultiLabelSoftMarginCriterion")
class MultiLabelSoftMarginCriterion(Weighted):
    """The cross entropy of sigmoid(x) with targets 0 and 1; see Weighted.

    Attributes
    ----------
    sigmoid : nn.Sigmoid
        Its output is that of the last `updateOutput`, which `updateGradInput` reads.

    Source: torch/nn MultiLabelSoftMarginCriterion.lua.
    """

    sigmoid: Sigmoid

    def __init__(self, weights: Tensor | None = None, sizeAverage: bool | None = None) -> None:
        super().__init__(weights, sizeAverage)
        self.sigmoid = Sigmoid()

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        self.sigmoid.updateOutput(tensor_of(self, input).detach().reshape(-1))
        return super().updateOutput(input, target)

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        return self.averaged(self.weigh(ops.logaddexp(-x, 0) + x * (1 - t)).sum(), x.size)

    def gradient(self, input: Any, target: Any) -> Any:
        x, t = paired_tensors(self, input, target)
        p = self.sigmoid.output
        if p.size != x.size:
            raise ShapeError(
                f"{self.t7_typename}: the last output is of {p.size} elements, the input is "
                f"{size_text(x)}: call updateOutput first"
            )
        return self.averaged(self.weigh(p.reshape(x.shape) - t), x.size)
