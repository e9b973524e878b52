"""nn.SeqGRU: gated recurrent units over whole sequences."""

from __future__ import annotations

from collections.abc import Sequence

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..module import torch_class
from .gru import GRU
from .seq_layer import SeqLayer
from .sequence_layer import States


@torch_class("nn.SeqGRU")
class SeqGRU(SeqLayer):
    """Gated recurrent units on sequences (T, N, inputSize), or {h0, x}.

    Parameters
    ----------
    inputSize, outputSize : int

    Attributes
    ----------
    weight : Parameter, shape (inputSize + outputSize, 3 * outputSize)
        Reset gate, update gate, candidate.

    Source: Element-Research/rnn SeqGRU.lua.
    """

    gates = 3
    cleared = ("gates", "buffer1", "buffer2", "buffer3", "grad_a_buffer")

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        self.inputSize, self.outputSize = inputSize, outputSize
        self.seqLength = self.miniBatch = 1
        self.add_fields()
        self._remember = "neither"
        self.batchfirst = self.maskzero = False

    def sizes(self) -> tuple[int, int, int]:
        return self.inputSize, self.outputSize, self.outputSize

    def step(self, sums: Tensor, states: States, weights: Sequence[Tensor]) -> States:
        (h,), (weight, *_) = states, weights
        H = self.outputSize
        opened = ops.sigmoid(sums[:, : 2 * H] + ops.matmul(h, weight[:, : 2 * H]))
        r, u = opened[:, :H], opened[:, H:]
        candidate = ops.tanh(sums[:, 2 * H :] + ops.matmul(r * h, weight[:, 2 * H :]))
        return (candidate - u * candidate + u * h,)

    def toGRU(self) -> GRU:
        """Return an nn.GRU with copies of the weights and gradients."""
        D, H, _ = self.sizes()
        made = GRU(D, H)
        for target, weight, bias in (
            (made.parameters()[0], self.weight, self.bias),
            (made.parameters()[1], self.gradWeight, self.gradBias),
        ):
            both, b = ops.transpose(weight.detach(), 0, 1), bias.detach()
            gates, candidate = both[: 2 * H], both[2 * H :]
            parts = [gates[:, :D], b[: 2 * H], gates[:, D:]]
            parts += [candidate[:, :D], b[2 * H :], candidate[:, D:]]
            for own, value in zip(target, parts, strict=True):
                own.detach().copy_(value)
        return made
