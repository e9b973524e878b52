"""torch-rnn's nn.LSTM, which has the name of another class of the package rnn."""

from __future__ import annotations

from collections.abc import Sequence

from rekindle.core.tensor import Tensor

from ..fields import set_field
from ..rnn.sequence_layer import States, lstm_step
from .layer import RememberingLayer


class LSTM(RememberingLayer):
    """An LSTM on sequences (N, T, input_dim), or {h0, x}, or {c0, h0, x}.

    Files call it nn.LSTM, as they call the LSTM of the package rnn; it is the one with fields
    `input_dim` and `hidden_dim`.

    Parameters
    ----------
    input_dim, hidden_dim : int

    Source: jcjohnson/torch-rnn LSTM.lua.
    """

    t7_typename = "nn.LSTM"
    t7_version = 1
    gates = 4
    state_fields = ("h0", "c0")
    cleared = ("cell", "gates", "buffer1", "buffer2", "buffer3", "grad_a_buffer")

    cell: Tensor

    def step(self, sums: Tensor, states: States, weights: Sequence[Tensor]) -> States:
        return lstm_step(sums, states, weights[0])

    def last_states(self) -> States:
        return self.output[:, -1], self.cell[:, -1]

    def keep_sequences(self, found: States) -> None:
        super().keep_sequences(found)
        set_field(self, "cell", self.time_first(found[1]))
