"""Cross entropy of images and volumes: criterions of cudnn.

Source: soumith/cudnn.torch SpatialCrossEntropyCriterion.lua, VolumetricCrossEntropyCriterion.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..criterion.base import Criterion, tensor_of
from ..criterion.classification import SpatialClassNLLCriterion
from ..values import size_text
from .softmax import SpatialLogSoftMax


def _batches(criterion: Criterion, input: Any, target: Any, ndim: int) -> tuple[Tensor, Tensor]:
    """Check that the input is a batch of `ndim` dimensions, and the target one without classes."""
    x, t = tensor_of(criterion, input), tensor_of(criterion, target, name="target")
    if (x.ndim, t.ndim) != (ndim, ndim - 1):
        raise ShapeError(
            f"{criterion.t7_typename}: mini-batch supported only; given input {size_text(x)} "
            f"and target {size_text(t)}"
        )
    if (x.shape[0], *x.shape[2:]) != t.shape:
        raise ShapeError(
            f"{criterion.t7_typename}: input and target should be of same size; given input "
            f"{size_text(x)} and target {size_text(t)}"
        )
    return x, t.detach()


@torch_class("cudnn.SpatialCrossEntropyCriterion")
class SpatialCrossEntropyCriterion(Criterion):
    """SpatialLogSoftMax, then nn.SpatialClassNLLCriterion.

    Parameters
    ----------
    weights : Tensor, shape (classes,), optional

    Notes
    -----
    Input (N, classes, H, W), target (N, H, W).
    """

    slsm: SpatialLogSoftMax
    nll: SpatialClassNLLCriterion

    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__()
        self.slsm = SpatialLogSoftMax()
        self.nll = SpatialClassNLLCriterion(weights)
        self.sizeAverage = True

    def compute(self, input: Any, target: Any) -> Tensor:
        x, t = _batches(self, input, target, 4)
        self.nll.sizeAverage = self.sizeAverage
        return self.nll.compute(self.slsm(x), t)

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        x, t = _batches(self, input, target, 4)
        self.nll.sizeAverage = self.sizeAverage
        self.output = self.nll.updateOutput(self.slsm.updateOutput(x.detach()), t)
        return self.output

    def gradient(self, input: Any, target: Any) -> Any:
        x, t = _batches(self, input, target, 4)
        return self.slsm.updateGradInput(x, self.nll.updateGradInput(self.slsm.output, t))


@torch_class("cudnn.VolumetricCrossEntropyCriterion")
class VolumetricCrossEntropyCriterion(Criterion):
    """SpatialCrossEntropyCriterion with time and height made one.

    Parameters
    ----------
    weights : Tensor, shape (classes,), optional

    Notes
    -----
    Input (N, classes, T, H, W), target (N, T, H, W).
    """

    scec: SpatialCrossEntropyCriterion

    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__()
        self.scec = SpatialCrossEntropyCriterion(weights)

    def _folded(self, input: Any, target: Any) -> tuple[Tensor, Tensor]:
        x, t = _batches(self, input, target, 5)
        return ops.flatten(x, start=2, end=3), ops.flatten(t, start=1, end=2)

    def compute(self, input: Any, target: Any) -> Tensor:
        return self.scec.compute(*self._folded(input, target))

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        self.output = self.scec.updateOutput(*self._folded(input, target))
        return self.output

    def gradient(self, input: Any, target: Any) -> Any:
        return self.scec.updateGradInput(*self._folded(input, target)).reshape(input.shape)
