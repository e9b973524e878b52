"""Recurrent modules whose only state is their output."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros
from rekindle.core.tensor import Tensor

from ..clearing import clear
from ..conversion import Cache
from ..module import replace_contents
from .abstract_recurrent import AbstractRecurrent


class GatedRecurrent(AbstractRecurrent):
    """What nn.LSTM and nn.GRU share: sizes, and zeros where a sequence begins and ends.

    Attributes
    ----------
    zeroTensor : Tensor
        Zeros in the shape of a state.
    userPrevOutput : Tensor, optional
        Where sequences begin instead.
    userNextGradOutput : Tensor, optional
        The gradient for the output that comes from beyond the last step.
    """

    cells: Table
    gradCells: Table
    zeroTensor: Tensor
    inputSize: int
    outputSize: int
    userPrevOutput: Any = None
    userNextGradOutput: Any = None
    p: float = 0
    mono: bool = False

    def begin(self, input: Any) -> None:
        """Give `zeroTensor` the size of a state for this input."""
        if isinstance(input, Tensor):
            shape = (*input.shape[:-1], self.outputSize)
            self.zeroTensor = replace_contents(
                self.zeroTensor, zeros(shape, self.zeroTensor.dtype, input.device)
            )

    def add_state_fields(self) -> None:
        """Set the fields that stand for the ends of a sequence."""
        self.zeroTensor = empty(0, self.dtype)
        self.cells, self.gradCells = Table(), Table()

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self.forget()
        self.clearState()
        super().convert_fields(typename, cache)

    def clearState(self) -> Any:
        clear(self, "zeroTensor")
        return super().clearState()
