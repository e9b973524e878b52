"""nn.VanillaRNN: a recurrent layer with tanh."""

from __future__ import annotations

from collections.abc import Sequence

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..module import torch_class
from ..rnn.sequence_layer import States
from .layer import RememberingLayer


@torch_class("nn.VanillaRNN")
class VanillaRNN(RememberingLayer):
    """h(t) = tanh(x(t) Wx + h(t - 1) Wh + b) on sequences (N, T, input_dim), or {h0, x}.

    Parameters
    ----------
    input_dim, hidden_dim : int

    Source: jcjohnson/torch-rnn VanillaRNN.lua.
    """

    gates = 1
    forget_gate = False
    cleared = ("buffer1", "buffer2")

    def step(self, sums: Tensor, states: States, weights: Sequence[Tensor]) -> States:
        return (ops.tanh(sums + ops.matmul(states[0], weights[0])),)
