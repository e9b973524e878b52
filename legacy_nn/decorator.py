"""Containers around one module: nn.Decorator and nn.Bottle."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .containers import Container
from .fields import given
from .module import share_memory, torch_class


@torch_class("nn.Decorator")
class Decorator(Container):
    """Does what the one module inside does; the base of classes that do a little more.

    Parameters
    ----------
    module : Module

    Source: torch/nn Decorator.lua.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.modules[1] = module

    def flow(self, input: Any, step: Callable[[int, Any], Any]) -> Any:
        return step(1, input)

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

    def flow(self, input: Any, step: Callable[[int, Any], Any]) -> Any:
        x = one_tensor(self, input)
        extra = x.ndim - self.nInputDim
        if extra <= 0:
            return step(1, x)
        merged = math.prod(x.shape[: extra + 1])
        y = step(1, ops.reshape(x, (merged, *x.shape[extra + 1 :])))
        outer = x.shape[:extra]
        if not isinstance(y, Tensor) or y.ndim != self.nOutputDim:
            raise ShapeError(
                f"nn.Bottle expects {self.nOutputDim} dimensions of its module; "
                f"it returned {y.shape if isinstance(y, Tensor) else type(y).__name__}"
            )
        return ops.reshape(y, (*outer, y.shape[0] // math.prod(outer), *y.shape[1:]))

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)
