"""Criterions of an input and a target of one shape, element by element.

Source: torch/nn, the file of each class, and lib/THNN/generic.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..fields import given
from ..values import size_text
from .base import Criterion, paired_tensors, tensor_of


class Averaging(Criterion):
    """A criterion whose constructor says whether losses are averaged.

    Parameters
    ----------
    sizeAverage : bool, default True
        False sums them.
    """

    def __init__(self, sizeAverage: bool | None = None) -> None:
        super().__init__()
        self.sizeAverage = given(sizeAverage, True)


@torch_class("nn.AbsCriterion")
class AbsCriterion(Averaging):
    """The magnitude of the differences; see Averaging.

    Source: torch/nn AbsCriterion.lua.
    """

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        d = x - t
        # At 0 the derivative is 1 in Torch7.
        return self.averaged(ops.where(d >= 0, d, -d).sum(), x.size)


@torch_class("nn.L1Cost")
class L1Cost(Criterion):
    """The sum of the magnitudes of the input; there is no target.

    Source: torch/nn L1Cost.lua.
    """

    def compute(self, input: Any, target: Any) -> Tensor:
        return ops.abs(tensor_of(self, input)).sum()


@torch_class("nn.MSECriterion")
class MSECriterion(Averaging):
    """The squares of the differences; see Averaging.

    Source: torch/nn MSECriterion.lua.
    """

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        return self.averaged(ops.square(x - t).sum(), x.size)


@torch_class("nn.SmoothL1Criterion")
class SmoothL1Criterion(Averaging):
    """Half the squares of differences below 1, and the magnitude less 0.5 of others.

    See Averaging. Source: torch/nn SmoothL1Criterion.lua.
    """

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        size = ops.abs(x - t)
        return self.averaged(ops.where(size < 1, ops.square(size) * 0.5, size - 0.5).sum(), x.size)


@torch_class("nn.DistKLDivCriterion")
class DistKLDivCriterion(Criterion):
    """The Kullback-Leibler divergence of logarithms of probabilities from a distribution.

    Elements whose target is not above 0 count for nothing.

    Source: torch/nn DistKLDivCriterion.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        if input.shape != target.shape:
            raise ShapeError(
                f"{self.t7_typename}: input and target should have the same size; "
                f"given {size_text(input)} and {size_text(target)}"
            )
        likely = t > 0
        distance = t * (ops.log(ops.where(likely, t, 1)) - x)
        return self.averaged(ops.where(likely, distance, 0).sum(), x.size)


@torch_class("nn.WeightedMSECriterion")
class WeightedMSECriterion(MSECriterion):
    """MSECriterion with the target multiplied by `weight` first.

    Parameters
    ----------
    w : Tensor
        Of the target's shape, or of one sample's; it is copied.

    Source: torch/nn WeightedMSECriterion.lua.
    """

    weight: Tensor

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.weight = w.detach().clone()

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = paired_tensors(self, input, target)
        return super().compute(x, t * self.weight.detach())


@torch_class("nn.SpatialAutoCropMSECriterion")
class SpatialAutoCropMSECriterion(MSECriterion):
    """MSECriterion against the middle of a target that may be larger than the input.

    Notes
    -----
    Input (features, H, W) or a batch of them. As in Torch7, `updateGradInput` takes only
    targets of the input's own size.

    Source: torch/nn SpatialAutoCropMSECriterion.lua.
    """

    def compute(self, input: Any, target: Any) -> Tensor:
        x = tensor_of(self, input, 3, 4)
        t = tensor_of(self, target, x.ndim, name="target")
        for axis in (-2, -1):
            size, extra = x.shape[axis], t.shape[axis] - x.shape[axis]
            if extra < 0:
                raise ShapeError(
                    f"{self.t7_typename}: spatial resolution of input should be less than or "
                    "equal to the spatial resolution of the target; "
                    f"given {size_text(x)} and {size_text(t)}"
                )
            t = ops.narrow(t, t.ndim + axis, extra // 2, size)
        return super().compute(x, t)

    def gradient(self, input: Any, target: Any) -> Any:
        if tensor_of(self, target, name="target").shape != input.shape:
            raise ShapeError(
                f"{self.t7_typename}: gradOutput and input must have the same size; "
                f"given {size_text(target)} and {size_text(input)}"
            )
        return super().gradient(input, target)
