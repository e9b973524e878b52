"""Containers around one module: nn.Decorator and nn.Bottle."""

from __future__ import annotations

import math
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty, tensor
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .containers import Container, Step
from .fields import given
from .going_back import Ask
from .module import share_memory, torch_class


class Wrapper(Container):
    """A container that does what its first module does."""

    def flow(self, input: Any, step: Step) -> Any:
        return step(1, input)

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        return ask(1, input, gradOutput)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return result


@torch_class("nn.Decorator")
class Decorator(Wrapper):
    """Does what the one module inside does; the base of classes that do a little more.

    Parameters
    ----------
    module : Module

    Source: torch/nn Decorator.lua.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.modules[1] = module

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """Let the module take a step; it is given what the decorator is, as in Torch7."""
        self.modules[1].accUpdateGradParameters(input, gradOutput, lr)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """Let the module take a step where parameters are shared."""
        self.modules[1].sharedAccUpdateGradParameters(input, gradOutput, lr)

    def __repr__(self) -> str:
        return f"{self.t7_typename} @ {self.modules[1]!r}"


@torch_class("nn.Bottle")
class Bottle(Decorator):
    """Runs its module on inputs of more dimensions than that takes, by merging the first ones.

    Parameters
    ----------
    module : Module
    nInputDim : int, default 2
        Dimensions that the module takes, the batch included.
    nOutputDim : int, optional
        Dimensions that it returns; by default as many.

    Source: torch/nn Bottle.lua.
    """

    def __init__(
        self, module: Any, nInputDim: int | None = None, nOutputDim: int | None = None
    ) -> None:
        super().__init__(module)
        self.nInputDim = given(nInputDim, 2)
        self.nOutputDim = given(nOutputDim, self.nInputDim)
        self.dimDelta = self.nInputDim - self.nOutputDim
        self.inShape = empty(self.nInputDim, self.dtype)
        self.outShape = empty(self.nOutputDim, self.dtype)

    def flow(self, input: Any, step: Step) -> Any:
        x = one_tensor(self, input)
        extra = x.ndim - self.nInputDim
        if extra <= 0:
            return step(1, x)
        merged = math.prod(x.shape[: extra + 1])
        y = step(1, ops.reshape(x, (merged, *x.shape[extra + 1 :])))
        outer = x.shape[:extra]
        if not isinstance(y, Tensor) or y.ndim != self.nOutputDim:
            raise ShapeError(
                f"Wrong number of output dims on module. Expected: {self.nOutputDim} but got "
                f"{y.ndim if isinstance(y, Tensor) else type(y).__name__}: {self.t7_typename} is "
                f"around {self.modules[1]!r}"
            )
        return ops.reshape(y, (*outer, y.shape[0] // math.prod(outer), *y.shape[1:]))

    def keep(self, input: Any, result: Any) -> Any:
        if input.ndim > self.nInputDim:
            extra = input.ndim - self.nInputDim
            merged = (math.prod(input.shape[: extra + 1]), *input.shape[extra + 1 :])
            self.inShape = tensor(merged, self.inShape.dtype)
            self.outShape = tensor(self.modules[1].output.shape, self.outShape.dtype)
        return share_memory(self.output, result)

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        x, g = one_tensor(self, input), one_tensor(self, gradOutput)
        extra = x.ndim - self.nInputDim
        if extra <= 0:
            return ask(1, x, g)
        merged = ops.reshape(x, (math.prod(x.shape[: extra + 1]), *x.shape[extra + 1 :]))
        found = ask(1, merged, ops.reshape(g, self.modules[1].output.shape))
        return None if found is None else ops.reshape(found, x.shape)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return share_memory(self.gradInput, result)
