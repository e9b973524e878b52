"""ReLU, Tanh, Sigmoid and ClippedReLU of cudnn.

Source: soumith/cudnn.torch Pointwise.lua, ReLU.lua, Tanh.lua, Sigmoid.lua, ClippedReLU.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops

from ..module import Module, torch_class


class Pointwise(Module):
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

    def compute(self, input: Any) -> Any:
        return ops.relu(input)


@torch_class("cudnn.Tanh")
class Tanh(Pointwise):
    """The hyperbolic tangent; see Pointwise."""

    def compute(self, input: Any) -> Any:
        return ops.tanh(input)


@torch_class("cudnn.Sigmoid")
class Sigmoid(Pointwise):
    """1 / (1 + exp(-x)); see Pointwise."""

    def compute(self, input: Any) -> Any:
        return ops.sigmoid(input)


@torch_class("cudnn.ClippedReLU")
class ClippedReLU(Pointwise):
    """min(max(x, 0), ceiling).

    Parameters
    ----------
    ceiling : float
    inplace : bool
        Change the input itself; False by default.
    """

    ceiling: float

    def __init__(self, ceiling: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.ceiling = ceiling

    def compute(self, input: Any) -> Any:
        return ops.clamp(input, min=0, max=self.ceiling)
