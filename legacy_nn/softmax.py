"""SoftMax and its kin. Source: torch/nn, the file of each class and lib/THNN/generic."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import left_behind, one_tensor
from .module import Module, torch_class


def feature_axis(module: Module, input: Tensor) -> int:
    """Return the axis of the features: 0 of a vector or image, 1 of a batch of them.

    Raises
    ------
    InputTypeError
        If the input is no tensor.
    ShapeError
        If it has more than four dimensions, or none.

    Source: torch/nn lib/THNN/generic/SoftMax.c.
    """
    if not 1 <= one_tensor(module, input).ndim <= 4:
        raise ShapeError(
            f"1D, 2D, 3D or 4D tensor expected: "
            f"{module.t7_typename} takes a vector, an image (3-D) or a batch of either (2-D, "
            f"4-D); given shape {input.shape}"
        )
    return 1 - input.ndim % 2


def _gradient(module: Module, gradOutput: Any) -> Tensor:
    """Return the gradient of softmax where its output is the module's."""
    y, g = left_behind(module, "output", gradOutput)
    return y * (g - ops.sum(g * y, axis=feature_axis(module, y), keepdims=True))


@torch_class("nn.SoftMax")
class SoftMax(Module):
    """exp(x) / sum(exp(x)) over the features.

    Source: torch/nn SoftMax.lua.
    """

    def compute(self, input: Any) -> Any:
        return ops.softmax(input, axis=feature_axis(self, input))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return _gradient(self, gradOutput)


@torch_class("nn.SoftMin")
class SoftMin(Module):
    """SoftMax of -x.

    Source: torch/nn SoftMin.lua.
    """

    scratch = ("mininput",)

    def compute(self, input: Any) -> Any:
        axis = feature_axis(self, input)
        return ops.softmax(-input, axis=axis)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return -_gradient(self, gradOutput)


@torch_class("nn.LogSoftMax")
class LogSoftMax(Module):
    """The logarithm of SoftMax.

    Source: torch/nn LogSoftMax.lua.
    """

    def compute(self, input: Any) -> Any:
        return ops.log_softmax(input, axis=feature_axis(self, input))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        return g - ops.exp(y) * ops.sum(g, axis=feature_axis(self, y), keepdims=True)


@torch_class("nn.SpatialSoftMax")
class SpatialSoftMax(SoftMax):
    """SoftMax over the features of each place of an image; today the same as SoftMax.

    Source: torch/nn SpatialSoftMax.lua.
    """


@torch_class("nn.SpatialLogSoftMax")
class SpatialLogSoftMax(LogSoftMax):
    """LogSoftMax over the features of each place of an image; today the same as LogSoftMax.

    Source: torch/nn SpatialLogSoftMax.lua.
    """
