"""nn.SeqReverseSequence: a tensor turned around along one dimension."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..module import ArgumentError, Module, torch_class


@torch_class("nn.SeqReverseSequence")
class SeqReverseSequence(Module):
    """Reverses a tensor along a dimension.

    Parameters
    ----------
    dim : int
        1, 2 or 3.

    Source: Element-Research/rnn SeqReverseSequence.lua.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim not in (1, 2, 3):
            raise ArgumentError(
                "Dimension has to be no greater than 3 (Only supports up to a 3D Tensor); "
                f"given {dim!r}"
            )
        self.dim = dim

    def compute(self, input: Any) -> Tensor:
        return ops.flip(one_tensor(self, input), self.dim - 1)

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        return ops.flip(one_tensor(self, gradOutput), self.dim - 1)
