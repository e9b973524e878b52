"""nn.ArgMax and nn.TotalDropout."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.creation import empty, zeros_like
from rekindle.core.dtypes import int64
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..dropout import only_in_training
from ..fields import given
from ..module import ArgumentError, Module, torch_class
from ..stated_gradient import Gradients, StatedGradient
from ..torch7 import random


@torch_class("nn.ArgMax")
class ArgMax(StatedGradient):
    """Returns the position, from 1, of the largest element along a dimension.

    Parameters
    ----------
    dim : int, default 1
    nInputDim : int, default 9999
        Dimensions of one sample; batches have one more.
    asLong : bool, default True
        Whether the output is of integers.

    Source: Element-Research/dpnn ArgMax.lua.
    """

    def __init__(
        self, dim: int | None = None, nInputDim: int | None = None, asLong: bool | None = None
    ) -> None:
        super().__init__()
        self.dim, self.nInputDim = given(dim, 1), given(nInputDim, 9999)
        self.asLong = given(asLong, True)
        if self.asLong:
            self.output = empty(0, int64)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        axis = self.dim - (0 if x.ndim > self.nInputDim else 1)
        found = ops.argmax(x, axis=axis) + 1
        found = ops.reshape(found, (1,)) if found.ndim == 0 else found
        return found if self.asLong else ops.astype(found, x.dtype)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return zeros_like(input), ()


@torch_class("nn.TotalDropout")
class TotalDropout(Module):
    """In training, returns its input or only zeros, these with probability `p`.

    Parameters
    ----------
    p : float, default 0.5

    Source: Element-Research/dpnn TotalDropout.lua.
    """

    noise: Any = None

    def __init__(self, p: float | None = None) -> None:
        super().__init__()
        self.p = given(p, 0.5)
        self.train = True
        if not 0 <= self.p < 1:
            raise ArgumentError(
                f"<TotalDropout> illegal percentage, must be 0 <= p < 1; given {self.p}"
            )

    def prepare(self, input: Any) -> None:
        if self.train:
            self.noise = random.bernoulli(empty(1, self.dtype), 1 - self.p).item()

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return x * self.noise if self.train else x

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        only_in_training(self)
        gradient: Tensor = one_tensor(self, gradOutput) * self.noise
        return gradient

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.p:f})"
