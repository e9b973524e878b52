"""nn.Repeater: a recurrent module that is given the same input several times."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..module import InputTypeError, ModuleError, as_input, as_torch, torch_class
from . import nested
from .abstract_sequencer import AbstractSequencer, as_recurrent


@torch_class("nn.Repeater")
class Repeater(AbstractSequencer):
    """Gives its module one input for `rho` steps; the output is the table of all outputs.

    Parameters
    ----------
    module : Module
    rho : int

    Source: Element-Research/rnn Repeater.lua.
    """

    module: Any

    def __init__(self, module: Any, rho: int) -> None:
        super().__init__()
        self.rho = rho
        self.module = as_recurrent("Repeater", module)
        self.module.maxBPTTstep(rho)
        self.modules[1] = self.module
        self.output = Table()

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self.module.forget()
            for step in range(1, self.rho + 1):
                output = self.module.updateOutput(input)
                self.output[step] = nested.copied(self.output.get(step), output)
        return self.output

    def _gradients(self, gradOutput: Any) -> list[Any]:
        """Return the gradients of the outputs, the last one first."""
        if self.module.step - 1 != self.rho:
            raise ModuleError(
                f"inconsistent rnn steps: {self.t7_typename} goes back through {self.rho} steps; "
                f"its module made {self.module.step - 1}"
            )
        found = gradOutput.array() if isinstance(gradOutput, Table) else []
        if len(found) != self.rho:
            raise InputTypeError(
                f"gradOutput should have rho elements: {self.t7_typename} takes a table of "
                f"{self.rho}; given {type(gradOutput).__name__} of {len(found)}"
            )
        return found[::-1]

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            input = as_input(input)
            for i, g in enumerate(self._gradients(as_input(gradOutput))):
                found = self.module.updateGradInput(input, g)
                join = nested.added if i else nested.copied
                self.gradInput = join(self.gradInput, found)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            for g in self._gradients(as_input(gradOutput)):
                self.module.accGradParameters(as_input(input), g, scale)

    def maxBPTTstep(self, rho: int) -> None:
        self.rho = rho
        self.module.maxBPTTstep(rho)

    def __repr__(self) -> str:
        arrows = "       V         V             V     "
        inside = repr(self.modules[1]).replace("\n", "\n  ")
        return "\n".join(
            [
                f"{self.t7_typename} {{",
                "  [  input,    input,  ...,  input  ]",
                arrows,
                f"  {inside}",
                arrows,
                f"  [output(1),output(2),...,output({self.rho})]",
                "}",
            ]
        )
