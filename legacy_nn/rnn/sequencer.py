"""nn.Sequencer: a module applied to each step of a sequence."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..clearing import clear
from ..module import as_input, as_torch, torch_class
from ..regularizing import MEDIUM
from ..values import replace_contents
from . import nested
from .abstract_sequencer import AbstractSequencer, as_recurrent, paired_steps, remembers, steps_of


@torch_class("nn.Sequencer")
class Sequencer(AbstractSequencer):
    """Runs its module on each element of a table, or each slice of a tensor (T, ...).

    Parameters
    ----------
    module : Module
        One that is not recurrent is put into an nn.Recursor.

    Attributes
    ----------
    tableoutput, tablegradinput : Table
        What the last sequence gave.

    Source: Element-Research/rnn Sequencer.lua.
    """

    module: Any
    tableoutput: Any = None
    _output: Any = None

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = as_recurrent("Sequencer", module)
        self.modules = Table([self.module])
        self.output = Table()
        self.tableoutput, self.tablegradInput = Table(), Table()
        self._output = Table()
        vars(self)["dpnn_mediumEmpty"] = Table([*MEDIUM, "_output"])
        self._remember = "neither"

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            steps = steps_of(input)
            self.module.maxBPTTstep(len(steps))
            if not remembers(self):
                self.module.forget()
            if isinstance(input, Tensor):
                self._run_rows(steps)
            elif self.train:
                self.tableoutput = Table([self.module.updateOutput(x) for x in steps])
                self.output = self.tableoutput
            else:
                self.output = self._evaluated(steps)
        return self.output

    def _run_rows(self, steps: list[Any]) -> None:
        outputs = []
        for x in steps:
            output = self.module.updateOutput(x)
            outputs.append(output if self.train else output.clone())
        if self.train:
            self.tableoutput = Table(outputs)
        old = self.output if isinstance(self.output, Tensor) else None
        self.output = replace_contents(old, ops.stack(outputs))

    def _evaluated(self, steps: list[Any]) -> Table:
        """Return copies of the outputs: in evaluation all steps have one module, and one output."""
        kept = self.tableoutput if isinstance(self.tableoutput, Table) else Table()
        spare = self._output.array() if isinstance(self._output, Table) else []
        for i, x in enumerate(steps, 1):
            old = kept.get(i)
            if old is None and spare:
                old = spare.pop(0)
            kept[i] = nested.copied(old, self.module.updateOutput(x))
        for i in range(len(steps) + 1, len(kept) + 1):
            spare.append(kept[i])
            kept[i] = None
        self._output, self.tableoutput = Table(spare), kept
        return kept

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            input = as_input(input)
            pairs = paired_steps(input, as_input(gradOutput), "gradOutput")
            found = [self.module.updateGradInput(x, g) for x, g in reversed(pairs)][::-1]
            self.tablegradinput = Table(found)
            if isinstance(input, Tensor):
                old = self.gradInput if isinstance(self.gradInput, Tensor) else None
                self.gradInput = replace_contents(old, ops.stack(found))
            else:
                self.gradInput = self.tablegradinput
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            pairs = paired_steps(as_input(input), as_input(gradOutput), "gradOutput")
            for x, g in reversed(pairs):
                self.module.accGradParameters(x, g, scale)

    def training(self) -> Self:
        if not self.train:
            self.forget()
            self._output = Table()
            vars(self).pop("tableoutput", None)
        return super().training()

    def evaluate(self) -> Self:
        if self.train:
            self.forget()
            self.tableoutput = Table()
        return super().evaluate()

    def clearState(self) -> Self:
        if isinstance(self.output, Tensor):
            clear(self, "output", "gradInput")
        else:
            self.output, self.gradInput = Table(), Table()
        self._output, self.tableoutput, self.tablegradinput = Table(), Table(), Table()
        self.module.clearState()
        return self

    def __repr__(self) -> str:
        return f"{self.t7_typename} @ {self.modules[1]!r}"
