"""ReLU, Tanh, Sigmoid and ClippedReLU of cudnn.

Source: soumith/cudnn.torch Pointwise.lua, ReLU.lua, Tanh.lua, Sigmoid.lua, ClippedReLU.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops

from ..checks import fitted, left_behind
from ..inplace import InPlace
from ..module import torch_class
from ..order import any_order


class Pointwise(InPlace):
    """An elementwise function.

    Parameters
    ----------
    inplace : bool
        Change the input itself; False by default.
    """

    scratch = ("_gradOutput",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = bool(inplace)


@torch_class("cudnn.ReLU")
class ReLU(Pointwise):
    """max(x, 0); nan stays nan. See Pointwise."""

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.relu(input)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return fitted(self, gradOutput, input) * ops.greater(input, 0)


@torch_class("cudnn.Tanh")
class Tanh(Pointwise):
    """The hyperbolic tangent; see Pointwise."""

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.tanh(input)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        return g * (1 - y * y)


@torch_class("cudnn.Sigmoid")
class Sigmoid(Pointwise):
    """1 / (1 + exp(-x)); see Pointwise."""

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.sigmoid(input)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        return g * (1 - y) * y


@torch_class("cudnn.ClippedReLU")
class ClippedReLU(Pointwise):
    """min(max(x, 0), ceiling).

    Parameters
    ----------
    ceiling : float
    inplace : bool
        Change the input itself; False by default.
    """

    reads_input = True

    ceiling: float

    def __init__(self, ceiling: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.ceiling = ceiling

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.clamp(input, min=0, max=self.ceiling)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        inside = (input > 0) & (input < self.ceiling)
        return fitted(self, gradOutput, input) * inside
