"""What torch-rnn's layers share: sequences (N, T, D), states that are remembered."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..fields import set_field
from ..rnn.sequence_layer import SequenceLayer, States


class RememberingLayer(SequenceLayer):
    """A layer on sequences (N, T, input_dim), with output (N, T, hidden_dim).

    Attributes
    ----------
    remember_states : bool
        Whether a sequence starts where the one before ended.
    """

    input_dim: int
    hidden_dim: int
    remember_states: bool = False

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.input_dim, self.hidden_dim = input_dim, hidden_dim
        self.add_fields()
        self.remember_states = False

    def sizes(self) -> tuple[int, int, int]:
        return self.input_dim, self.hidden_dim, self.hidden_dim

    def time_first(self, x: Any) -> Tensor:
        return ops.transpose(x, 0, 1)

    def goes_on(self) -> bool:
        return self.remember_states

    def last_states(self) -> States:
        return (self.output[:, -1],)

    def keep_sequences(self, found: States) -> None:
        set_field(self, "output", self.time_first(found[0]))

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.input_dim} -> {self.hidden_dim})"
