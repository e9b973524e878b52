"""nn.SeqBRNN: two nn.SeqLSTM, one in each direction."""

from __future__ import annotations

from typing import Any

from rekindle.core.creation import empty

from ..branches import ConcatTable
from ..containers import Sequential
from ..decorator import Wrapper
from ..layout import Transpose
from ..module import torch_class
from ..table_arithmetic import CAddTable
from .reverse_sequence import SeqReverseSequence
from .seq_lstm import SeqLSTM


@torch_class("nn.SeqBRNN")
class SeqBRNN(Wrapper):
    """Runs one SeqLSTM forwards and another backwards, and merges their outputs.

    Parameters
    ----------
    inputDim, hiddenDim : int
    batchFirst : bool, optional
        Whether input and output are (N, T, ...) and not (T, N, ...).
    merge : Module, default nn.CAddTable
        Gets {forward outputs, backward outputs}.

    Source: Element-Research/rnn SeqBRNN.lua.
    """

    def __init__(
        self, inputDim: int, hiddenDim: int, batchFirst: bool | None = None, merge: Any = None
    ) -> None:
        super().__init__()
        self.forwardModule = SeqLSTM(inputDim, hiddenDim)
        self.backwardModule = SeqLSTM(inputDim, hiddenDim)
        self.merge = CAddTable() if merge is None else merge
        self.dim = 1
        turned = Sequential().add(SeqReverseSequence(1)).add(self.backwardModule)
        turned.add(SeqReverseSequence(1))
        both = ConcatTable().add(self.forwardModule).add(turned)
        self.module = Sequential().add(both).add(self.merge)
        if batchFirst:
            self.module.insert(Transpose([1, 2]), 1)
            self.module.insert(Transpose([1, 2]))
        self.modules[1] = self.module
        self.output, self.gradInput = empty(0, self.dtype), empty(0, self.dtype)

    def __repr__(self) -> str:
        return f"{self.t7_typename} @ {self.module!r}"
