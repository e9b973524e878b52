"""Functions of each element: nn.Square, Sqrt, Power, Abs, Exp, Log and Clamp."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .checks import fitted, left_behind, one_tensor
from .fields import given
from .module import Module, torch_class
from .stated_gradient import Gradients, StatedGradient
from .transfer import HardTanh


@torch_class("nn.Square")
class Square(Module):
    """x * x. Source: torch/nn Square.lua."""

    def compute(self, input: Any) -> Tensor:
        return ops.square(one_tensor(self, input))


@torch_class("nn.Sqrt")
class Sqrt(StatedGradient):
    """The square root; where it is 0, so is the gradient.

    Parameters
    ----------
    eps : float, default 0
        Kept for the gradient; the output has no part of it.

    Source: torch/nn Sqrt.lua, THNN Sqrt.c.
    """

    eps: float = 0

    def __init__(self, eps: float | None = None) -> None:
        super().__init__()
        self.eps = given(eps, 0)

    def compute(self, input: Any) -> Tensor:
        return ops.sqrt(one_tensor(self, input))

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        g = fitted(self, gradOutput, output, "output")
        zero = ops.equal(output, 0)
        return ops.where(zero, 0, g / (2 * ops.where(zero, 1, output))), ()


@torch_class("nn.Power")
class Power(Module):
    """x to a power.

    Parameters
    ----------
    p : float

    Source: torch/nn Power.lua, TH THTensorMath.c (pow: its 0.5 is the square root).
    """

    pow: float

    def __init__(self, p: float) -> None:
        super().__init__()
        self.pow = p

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        if self.pow == 0.5:
            return ops.sqrt(x)
        return ops.power(x, self.pow)


@torch_class("nn.Abs")
class Abs(StatedGradient):
    """The absolute value; its slope at 0 is 1. Source: torch/nn Abs.lua, THNN Abs.c."""

    def compute(self, input: Any) -> Tensor:
        return ops.abs(one_tensor(self, input))

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        g = fitted(self, gradOutput, input)
        return ops.where(input >= 0, g, -g), ()


@torch_class("nn.Exp")
class Exp(Module):
    """e to the power x. Source: torch/nn Exp.lua."""

    def compute(self, input: Any) -> Tensor:
        return ops.exp(one_tensor(self, input))

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        y, g = left_behind(self, "output", gradOutput)
        return g * y


@torch_class("nn.Log")
class Log(Module):
    """The natural logarithm. Source: torch/nn Log.lua."""

    def compute(self, input: Any) -> Tensor:
        return ops.log(one_tensor(self, input))


@torch_class("nn.Clamp")
class Clamp(HardTanh):
    """x limited to [min_value, max_value].

    Parameters
    ----------
    min_value : float, default -1
    max_value : float, default 1

    Source: torch/nn Clamp.lua.
    """

    def __init__(self, min_value: float | None = None, max_value: float | None = None) -> None:
        super().__init__(min_value, max_value)
