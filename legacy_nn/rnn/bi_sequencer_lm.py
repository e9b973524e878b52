"""nn.BiSequencerLM: both directions around each element of a sequence, for language models."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..containers import Sequential
from ..dpnn.reverse_table import ReverseTable
from ..module import InputTypeError, as_input, as_torch, torch_class
from ..nested_table import ZipTable
from . import nested
from .abstract_recurrent import AbstractRecurrent
from .abstract_sequencer import AbstractSequencer
from .bi_sequencer import backward_of, merge_of, module_of
from .sequencer import Sequencer


@torch_class("nn.BiSequencerLM")
class BiSequencerLM(AbstractSequencer):
    """The output of an element comes from those before it and those after it, not from itself.

    Zeros stand for the forward output of the first and the backward output of the last.

    Parameters
    ----------
    forward : Module
        Recurrent, or one that takes sequences.
    backward : Module, optional
        By default a copy of `forward` with new parameters.
    merge : Module or int, optional
        As of nn.BiSequencer.

    Source: Element-Research/rnn BiSequencerLM.lua.
    """

    _firstStep: Any = None
    _lastStep: Any = None
    _mergeInput: Any = None
    _mergeGradInput: Any = None

    def __init__(self, forward: Any, backward: Any = None, merge: Any = None) -> None:
        super().__init__()
        self.forwardModule = module_of("BiSequencerLM", forward, 1)
        self.backwardModule = backward_of("BiSequencerLM", forward, backward)
        self.mergeModule = merge_of("BiSequencerLM", merge)
        self.fwdSeq, self.bwdSeq = map(_on_sequences, (self.forwardModule, self.backwardModule))
        self.mergeSeq = Sequencer(self.mergeModule)
        self._fwd = self.fwdSeq
        self._bwd = Sequential().add(ReverseTable()).add(self.bwdSeq).add(ReverseTable())
        self._merge = Sequential().add(ZipTable()).add(self.mergeSeq)
        self.modules = Table([self._fwd, self._bwd, self._merge])
        self.output, self.gradInput = Table(), Table()

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            before, after = _halves(as_input(input))
            forwards = self._fwd.updateOutput(before).array()
            backwards = self._bwd.updateOutput(after).array()
            self._firstStep = nested.resized(self._firstStep, forwards[0])
            self._lastStep = nested.resized(self._lastStep, backwards[0])
            self._mergeInput = Table(
                [Table([self._firstStep, *forwards]), Table([*backwards, self._lastStep])]
            )
            self.output = self._merge.updateOutput(self._mergeInput)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            before, after = _halves(as_input(input))
            self._mergeGradInput = self._merge.updateGradInput(
                self._mergeInput, as_input(gradOutput)
            )
            of_forward, of_backward = self._gradients()
            forwards = self._fwd.updateGradInput(before, of_forward).array()
            backwards = self._bwd.updateGradInput(after, of_backward).array()
            if not isinstance(self.gradInput, Table):
                self.gradInput = Table()
            last = len(forwards) + 1
            for i in range(2, last):
                total = nested.copied(self.gradInput.get(i), forwards[i - 1])
                self.gradInput[i] = nested.added(total, backwards[i - 2])
            self.gradInput[1], self.gradInput[last] = forwards[0], backwards[-1]
            for i in range(last + 1, len(self.gradInput) + 1):
                self.gradInput[i] = None
        return self.gradInput

    def _gradients(self) -> tuple[Table, Table]:
        of_forward, of_backward = (part.array() for part in self._mergeGradInput.array())
        return Table(of_forward[1:]), Table(of_backward[:-1])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            before, after = _halves(as_input(input))
            self._merge.accGradParameters(self._mergeInput, as_input(gradOutput), scale)
            of_forward, of_backward = self._gradients()
            self._fwd.accGradParameters(before, of_forward, scale)
            self._bwd.accGradParameters(after, of_backward, scale)

    def __repr__(self) -> str:
        parts = (("(  fwd  )", self._fwd), ("(  bwd  )", self._bwd), ("( merge )", self._merge))
        lines = [f"  {name}: " + repr(m).replace("\n", "\n    |    ") for name, m in parts]
        return "\n".join([f"{self.t7_typename} {{", *lines, "}"])


def _on_sequences(module: Any) -> Any:
    return Sequencer(module) if isinstance(module, AbstractRecurrent) else module


def _halves(input: Any) -> tuple[Table, Table]:
    """Return all elements but the last, and all but the first."""
    steps = input.array() if isinstance(input, Table) else []
    if len(steps) < 2:
        raise InputTypeError(
            f"Expecting at least 2 elements in table: nn.BiSequencerLM takes a sequence as a "
            f"table; given {type(input).__name__} {input!r:.60}"
        )
    return Table(steps[:-1]), Table(steps[1:])
