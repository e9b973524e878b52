"""nn.LookupTableMaskZero: a table of rows in which index 0 is zeros."""

from __future__ import annotations

from typing import Any

from rekindle.core.tensor import Tensor

from ..lookup import LookupTable
from ..module import torch_class
from ..stated_gradient import Gradients
from ..values import replace_contents


@torch_class("nn.LookupTableMaskZero")
class LookupTableMaskZero(LookupTable):
    """Returns the rows that the input names, from 1, and zeros for 0.

    Parameters
    ----------
    nIndex, nOutput : int
        Rows beside the one of zeros, and numbers in a row.

    Source: Element-Research/rnn LookupTableMaskZero.lua.
    """

    _MOVED = "__input"

    def __init__(self, nIndex: int, nOutput: int) -> None:
        super().__init__(nIndex + 1, nOutput)

    def prepare(self, input: Any) -> None:
        self.weight.detach()[0] = 0
        moved = vars(self)
        moved[self._MOVED] = replace_contents(moved.get(self._MOVED), input + 1)
        super().prepare(input + 1)

    def compute(self, input: Any) -> Tensor:
        return super().compute(input + 1)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return super().gradients(input + 1, output, gradOutput)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        # Torch7 reads the indices of the last forward pass.
        moved = vars(self).get(self._MOVED)
        super().accGradParameters(input + 1 if moved is None else moved, gradOutput, scale)

    def convert_fields(self, typename: str, cache: Any) -> None:
        vars(self).pop(self._MOVED, None)
        super().convert_fields(typename, cache)
