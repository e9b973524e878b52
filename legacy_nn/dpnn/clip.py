"""nn.Clip: values kept between two bounds."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..module import share_memory, torch_class
from ..stated_gradient import Gradients, StatedGradient


@torch_class("nn.Clip")
class Clip(StatedGradient):
    """Replaces smaller values by `minval` and larger ones by `maxval`.

    The gradient passes all of them.

    Parameters
    ----------
    minval, maxval : float

    Source: Element-Research/dpnn Clip.lua.
    """

    minval: float
    maxval: float

    def __init__(self, minval: float, maxval: float) -> None:
        super().__init__()
        self.minval = minval
        self.maxval = maxval

    def compute(self, input: Any) -> Tensor:
        return ops.clamp(one_tensor(self, input), min=self.minval, max=self.maxval)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return one_tensor(self, gradOutput), ()

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return share_memory(self.gradInput, result)
