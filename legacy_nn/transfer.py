"""Smooth, limiting and shrinking transfer functions, element by element.

Source: torch/nn, the file of each class and lib/THNN/generic.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops

from .checks import fitted, in_place_flag, left_behind, one_tensor
from .inplace import InPlace
from .module import ArgumentError, Module, replace_contents, share_memory, torch_class
from .order import any_order
from .stated_gradient import Gradients, StatedGradient


@torch_class("nn.Tanh")
class Tanh(Module):
    """The hyperbolic tangent.

    Source: torch/nn Tanh.lua.
    """

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.tanh(input)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        return g * (1 - y * y)


@torch_class("nn.TanhShrink")
class TanhShrink(Module):
    """x - tanh(x).

    Source: torch/nn TanhShrink.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tanh = Tanh()

    def compute(self, input: Any) -> Any:
        tanh = ops.tanh(input)
        return ops.subtract(input, tanh), tanh

    def keep_extras(self, *extras: Any) -> None:
        self.tanh.output = replace_contents(self.tanh.output, extras[0])

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return gradOutput - self.tanh.updateGradInput(input, gradOutput)


@torch_class("nn.Sigmoid")
class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    Source: torch/nn Sigmoid.lua.
    """

    @any_order
    def compute(self, input: Any) -> Any:
        return ops.sigmoid(input)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        y, g = left_behind(self, "output", gradOutput)
        return g * (1 - y) * y


@torch_class("nn.LogSigmoid")
class LogSigmoid(Module):
    """log(1 / (1 + exp(-x))), without overflow.

    Source: torch/nn LogSigmoid.lua, lib/THNN/generic/LogSigmoid.c.
    """

    scratch = ("buffer",)

    buffer: Any = None

    def compute(self, input: Any) -> Any:
        largest = ops.maximum(-one_tensor(self, input), 0)
        total = ops.exp(-largest) + ops.exp(-input - largest)
        return -(largest + ops.log(total)), total

    def keep_extras(self, *extras: Any) -> None:
        self.buffer = replace_contents(self.buffer, extras[0])

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        total, g = left_behind(self, "buffer", gradOutput)
        slope = (total - 1) / total
        return g * ops.where(fitted(self, input, total) < 0, 1 - slope, slope)


@torch_class("nn.HardTanh")
class HardTanh(InPlace):
    """x limited to [min_value, max_value].

    Parameters
    ----------
    min_value : float, default -1
    max_value : float, default 1
    inplace : bool, default False
        Change the input itself; nan then stays nan, as in Torch7, and becomes `max_value`
        otherwise.

    Source: torch/nn HardTanh.lua, lib/THNN/generic/HardTanh.c.
    """

    reads_input = True

    min_val: float = -1
    max_val: float = 1

    def __init__(
        self, min_value: float | None = None, max_value: float | None = None, inplace: bool = False
    ) -> None:
        super().__init__()
        self.min_val = -1 if min_value is None else min_value
        self.max_val = 1 if max_value is None else max_value
        self.inplace = in_place_flag(self, inplace)
        if not self.max_val > self.min_val:
            raise ArgumentError(
                f"max_value must be larger than min_value: {self.t7_typename} is given "
                f"{self.min_val}, {self.max_val}"
            )

    @any_order
    def compute(self, input: Any) -> Any:
        limit = ops.clamp if self.inplace else ops.hardtanh
        return limit(input, min=self.min_val, max=self.max_val)

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        outside = (input <= self.min_val) | (input >= self.max_val)
        return ops.where(outside, 0, fitted(self, gradOutput, input))


class _Shrink(Module):
    """A function with one parameter, the field that Lua calls `lambda`."""

    def __init__(self, lambd: float | None = None) -> None:
        super().__init__()
        setattr(self, "lambda", 0.5 if lambd is None else lambd)


@torch_class("nn.HardShrink")
class HardShrink(_Shrink):
    """x where its size exceeds `lambd`, else 0.

    Parameters
    ----------
    lambd : float, default 0.5

    Source: torch/nn HardShrink.lua, lib/THNN/generic/HardShrink.c.
    """

    def compute(self, input: Any) -> Any:
        return ops.hardshrink(input, lambd=getattr(self, "lambda"))


@torch_class("nn.SoftShrink")
class SoftShrink(_Shrink):
    """x moved towards 0 by `lambd`, and 0 where it would pass it.

    Parameters
    ----------
    lambd : float, default 0.5

    Source: torch/nn SoftShrink.lua, lib/THNN/generic/SoftShrink.c.
    """

    def compute(self, input: Any) -> Any:
        return ops.softshrink(input, lambd=getattr(self, "lambda"))


@torch_class("nn.SoftPlus")
class SoftPlus(StatedGradient):
    """log(1 + exp(beta x)) / beta, a smooth ReLU.

    Parameters
    ----------
    beta : float, default 1
        How sharp the bend is.

    Source: torch/nn SoftPlus.lua, lib/THNN/generic/SoftPlus.c.
    """

    beta: float
    threshold: float = 20

    def __init__(self, beta: float | None = None) -> None:
        super().__init__()
        self.beta = 1 if beta is None else beta
        self.threshold = 20

    def compute(self, input: Any) -> Any:
        return ops.softplus(input, beta=self.beta, threshold=self.threshold)

    def gradients(self, input: Any, output: Any, gradOutput: Any) -> Gradients:
        g = fitted(self, gradOutput, output, "output")
        z = ops.exp(output * self.beta)
        return ops.where(output * self.beta > self.threshold, g, g * (z - 1) / z), ()


@torch_class("nn.SoftSign")
class SoftSign(Module):
    """x / (1 + |x|).

    Source: torch/nn SoftSign.lua.
    """

    scratch = ("temp", "tempgrad")

    def compute(self, input: Any) -> Any:
        return ops.divide(input, ops.abs(input) + 1)

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        left_behind(self, "output", gradOutput)
        return fitted(self, gradOutput, input) / ops.square(ops.abs(input) + 1)


@torch_class("nn.GradientReversal", version=2)
class GradientReversal(StatedGradient):
    """The input as it is; only the gradient is turned round, and multiplied by `lambd`.

    Parameters
    ----------
    lambd : float, default 1

    Source: torch/nn GradientReversal.lua; Ganin and Lempitsky 2015, "Unsupervised Domain
    Adaptation by Backpropagation".
    """

    def __init__(self, lambd: float | None = None) -> None:
        super().__init__()
        self.setLambda(1 if lambd is None else lambd)

    def setLambda(self, lambd: float) -> None:
        """Set the factor of the gradient."""
        setattr(self, "lambda", lambd)

    def compute(self, input: Any) -> Any:
        return input

    def gradients(self, input: Any, output: Any, gradOutput: Any) -> Gradients:
        return gradOutput * -getattr(self, "lambda"), ()

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, input)

    def upgrade(self, version: int) -> None:
        if version < 2:
            self.setLambda(1)
