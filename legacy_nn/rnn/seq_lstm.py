"""nn.SeqLSTM and nn.SeqLSTMP: long short-term memory over whole sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.autograd import no_grad
from rekindle.core.tensor import Tensor

from ..fields import add_parameter, given
from ..module import ModuleError, torch_class
from ..torch7 import random
from .fast_lstm import FastLSTM
from .seq_layer import SeqLayer
from .sequence_layer import States, lstm_step


@torch_class("nn.SeqLSTM")
class SeqLSTM(SeqLayer):
    """An LSTM on sequences (T, N, inputsize), or {h0, x}, or {c0, h0, x}.

    Parameters
    ----------
    inputsize, hiddensize : int
    outputsize : int, optional
        Of nn.SeqLSTMP; by default `hiddensize`.

    Attributes
    ----------
    weight : Parameter, shape (inputsize + outputsize, 4 * hiddensize)
        Gates in the order input, forget, output, and what enters.

    Source: Element-Research/rnn SeqLSTM.lua.
    """

    gates = 4
    state_fields = ("h0", "c0")
    cleared = ("cell", "gates", "buffer1", "buffer2", "buffer3", "grad_a_buffer")

    hiddensize: int | None = None
    cell: Tensor
    userPrevCell: Any = None
    userNextGradCell: Any = None
    userGradPrevCell: Any = None

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int | None = None) -> None:
        super().__init__()
        self.inputsize, self.hiddensize = inputsize, hiddensize
        self.outputsize = given(outputsize, hiddensize)
        self._before_fields()
        self.add_fields()
        self._remember = "neither"
        self.batchfirst = self.maskzero = False

    def _before_fields(self) -> None:
        """Make further parameters, which are drawn with the others."""

    def sizes(self) -> tuple[int, int, int]:
        return self.inputsize, given(self.hiddensize, self.outputsize), self.outputsize

    def step(self, sums: Tensor, states: States, weights: Sequence[Tensor]) -> States:
        return lstm_step(sums, states, weights[0])

    def given_start(self, name: str) -> Tensor | None:
        return super().given_start(name) if name == "h0" else self.userPrevCell

    def last_states(self) -> States:
        return self._output[-1], self.cell[-1]

    def _forget_given(self) -> None:
        super()._forget_given()
        vars(self).pop("userPrevCell", None)

    def beyond(self, found: States) -> list[tuple[Tensor, Tensor]]:
        ends = super().beyond(found)
        if self.userNextGradCell is not None:
            ends.append((found[1][-1], self.userNextGradCell.detach()))
        return ends

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        super().backward(input, gradOutput, scale)
        vars(self).pop("userNextGradCell", None)
        self.userGradPrevCell = self.grad_c0
        return self.gradInput

    def toFastLSTM(self) -> FastLSTM:
        """Return an nn.FastLSTM with copies of the weights and gradients."""
        D, H, _ = self.sizes()
        made = FastLSTM(D, H)
        for target, (weight, bias) in (
            (made.parameters()[0], (self.weight, self.bias)),
            (made.parameters()[1], (self.gradWeight, self.gradBias)),
        ):
            i, f, o, g = (slice(n * H, (n + 1) * H) for n in range(4))
            rows = [weight.detach()[:, part] for part in (i, g, f, o)]
            both = ops.transpose(ops.concat(rows, axis=1), 0, 1)
            target[0].detach().copy_(both[:, :D])
            target[1].detach().copy_(ops.concat([bias.detach()[part] for part in (i, g, f, o)]))
            target[2].detach().copy_(both[:, D:])
        return made


@torch_class("nn.SeqLSTMP")
class SeqLSTMP(SeqLSTM):
    """A SeqLSTM whose output is a linear map of the hidden state, and smaller.

    Parameters
    ----------
    inputsize, hiddensize, outputsize : int

    Attributes
    ----------
    weightO : Parameter, shape (hiddensize, outputsize)

    Source: Element-Research/rnn SeqLSTMP.lua.
    """

    parameter_fields = (
        ("weight", "gradWeight"),
        ("bias", "gradBias"),
        ("weightO", "gradWeightO"),
    )
    shared_fields = ("weight", "bias", "weightO")
    shared_gradients = ("gradWeight", "gradBias", "gradWeightO")

    weightO: Any = None

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int) -> None:
        super().__init__(inputsize, hiddensize, outputsize)

    def _before_fields(self) -> None:
        shape = self.hiddensize or self.outputsize, self.outputsize
        add_parameter(self, "weightO", "gradWeightO", shape)

    def reset(self, stdv: float | None = None) -> Self:
        D, H, R = self.sizes()
        with no_grad():
            self.bias.zero_()
            self.bias[R : 2 * R] = 1
            random.normal(self.weight, 0, given(stdv, 1 / math.sqrt(H + D)))
            random.normal(self.weightO, 0, given(stdv, 1 / math.sqrt(R + H)))
        return self

    def step(self, sums: Tensor, states: States, weights: Sequence[Tensor]) -> States:
        weight, projection = weights
        hidden, cell = lstm_step(sums, states, weight)
        return ops.matmul(hidden, projection), cell

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise ModuleError("accUpdateGradParameters not implemented for SeqLSTMP")

    def toFastLSTM(self) -> FastLSTM:
        raise ModuleError("toFastLSTM not supported for SeqLSTMP")
