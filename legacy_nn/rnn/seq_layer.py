"""What nn.SeqLSTM and nn.SeqGRU share: modes of remembering, the batch first, masks."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..conversion import Cache
from ..fields import set_field
from ..values import replace_contents
from .abstract_sequencer import checked_mode, remembers
from .sequence_layer import SequenceLayer, States


class SeqLayer(SequenceLayer):
    """A sequence layer of the package rnn: input (T, N, D), output (T, N, R).

    Attributes
    ----------
    batchfirst : bool
        Whether input and output are (N, T, ...).
    maskzero : bool
        Whether steps of zeros end a sequence: their states are zeros.
    userPrevOutput : Tensor, optional
        Where the next sequence starts.
    gradPrevOutput : Tensor, optional
        The gradient for the last output that comes from beyond it.
    """

    batchfirst: bool = False
    maskzero: bool = False
    _remember: str = "neither"
    _output: Any = None
    userPrevOutput: Any = None
    gradPrevOutput: Any = None
    userGradPrevOutput: Any = None

    def time_first(self, x: Tensor) -> Tensor:
        return ops.transpose(x, 0, 1) if self.batchfirst else x

    def masks(self) -> bool:
        return self.maskzero

    def goes_on(self) -> bool:
        return remembers(self)

    def given_start(self, name: str) -> Tensor | None:
        found: Tensor | None = self.userPrevOutput if name == "h0" else None
        return found

    def last_states(self) -> States:
        return (self._output[-1],)

    def keep_sequences(self, found: States) -> None:
        self._output = replace_contents(self._output, found[0])
        if "cell" in self.cleared:
            set_field(self, "cell", found[1])
        self.output = self.time_first(self._output)
        self._forget_given()

    def _forget_given(self) -> None:
        """Let go of what a program has set for this sequence."""
        vars(self).pop("userPrevOutput", None)

    def beyond(self, found: States) -> list[tuple[Tensor, Tensor]]:
        if self.gradPrevOutput is None:
            return []
        return [(found[0][-1], self.gradPrevOutput.detach())]

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        super().backward(input, gradOutput, scale)
        vars(self).pop("gradPrevOutput", None)
        self.userGradPrevOutput = self.grad_h0
        return self.gradInput

    def maskZero(self) -> None:
        """Have steps of zeros in the input give states of zeros."""
        self.maskzero = True

    def remember(self, remember: str | None = None) -> Self:
        """Say in which modes a sequence goes on where the last one ended; return the module."""
        self._remember = checked_mode(self, remember)
        return self

    def forget(self) -> Self:
        """Let the next sequence start from zeros."""
        self.resetStates()
        return self

    def training(self) -> Self:
        if not self.train:
            self.forget()
        return super().training()

    def evaluate(self) -> Self:
        if self.train:
            self.forget()
        return super().evaluate()

    def clearState(self) -> Self:
        super().clearState()
        for name in ("_grad_x", "_output", "gradInput", "zeroMask", "_zeroMask"):
            vars(self).pop(name, None)
        return self

    def convert_fields(self, typename: str, cache: Cache) -> None:
        for name in ("zeroMask", "_zeroMask", "_maskbyte", "_maskindices"):
            vars(self).pop(name, None)
        super().convert_fields(typename, cache)
