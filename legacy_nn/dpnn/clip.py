"""nn.Clip: values kept between two bounds."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..module import Module, torch_class


@torch_class("nn.Clip")
class Clip(Module):
    """Replaces smaller values by `minval` and larger ones by `maxval`.

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
