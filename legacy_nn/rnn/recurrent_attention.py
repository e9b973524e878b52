"""nn.RecurrentAttention: a recurrent module that chooses where it looks."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros, zeros_like

from ..checks import one_tensor
from ..module import InputTypeError, ModuleError, as_input, as_torch, torch_class
from ..values import replace_contents
from . import nested
from .abstract_sequencer import AbstractSequencer, as_recurrent


@torch_class("nn.RecurrentAttention")
class RecurrentAttention(AbstractSequencer):
    """At each step `action` says where, from the last output; `rnn` gets {input, action}.

    Parameters
    ----------
    rnn : Module
        Takes {input, action} and returns the output of a step.
    action : Module
        Takes the output of a step and returns an action; it learns from rewards.
    nStep : int
    hiddenSize : Table or list of int
        Of an output.

    Attributes
    ----------
    actions : Table of Tensor
    forwardActions : bool, default False
        Whether outputs are tables {output, action}.

    Source: Element-Research/rnn RecurrentAttention.lua; Mnih et al. 2014, "Recurrent Models of
    Visual Attention".
    """

    _initInput: Any = None
    _gradAction: Any = None

    def __init__(self, rnn: Any, action: Any, nStep: int, hiddenSize: Any) -> None:
        super().__init__()
        self.rnn = as_recurrent("RecurrentAttention", rnn)
        self.action = as_recurrent("RecurrentAttention", action)
        self.hiddenSize = hiddenSize if isinstance(hiddenSize, Table) else Table(hiddenSize)
        self.nStep = nStep
        self.modules = Table([self.rnn, self.action])
        self.output, self.actions, self.gradHidden = Table(), Table(), Table()
        self.forwardActions = False

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            x = one_tensor(self, input)
            self.rnn.forget()
            self.action.forget()
            sizes = (x.shape[0], *(int(n) for n in self.hiddenSize.array()))
            start = zeros(sizes, x.dtype, x.device)
            self._initInput = replace_contents(self._initInput, start)
            for step in range(1, self.nStep + 1):
                action = self.action.updateOutput(self._before(step))
                self.actions[step] = action
                output = self.rnn.updateOutput(Table([x, action]))
                self.output[step] = Table([output, action]) if self.forwardActions else output
        return self.output

    def _before(self, step: int) -> Any:
        """Return what the action of a step is chosen from."""
        return self._initInput if step == 1 else self.output[step - 1]

    def _gradients(self, gradOutput: Any) -> list[Any]:
        if self.rnn.step - 1 != self.nStep:
            raise ModuleError(
                f"inconsistent rnn steps: {self.t7_typename} goes back through {self.nStep} "
                f"steps; its module made {self.rnn.step - 1}"
            )
        found = gradOutput.array() if isinstance(gradOutput, Table) else []
        if len(found) != self.nStep:
            raise InputTypeError(
                f"gradOutput should have nStep elements: {self.nStep}; given {len(found)}"
            )
        return found

    def _of_step(self, g: Any) -> tuple[Any, Any]:
        """Return the gradients of a step's output and of its action."""
        if self.forwardActions:
            return g[1], g[2]
        self._gradAction = replace_contents(self._gradAction, zeros_like(self.action.output))
        return g, self._gradAction

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            found = self._gradients(as_input(gradOutput))
            for step in range(self.nStep, 0, -1):
                of_output, of_action = self._of_step(found[step - 1])
                join = nested.copied if step == self.nStep else nested.added
                self.gradHidden[step] = join(self.gradHidden.get(step), of_output)
                g = self.action.updateGradInput(self._before(step), of_action)
                if step > 1:
                    self.gradHidden[step - 1] = nested.copied(self.gradHidden.get(step - 1), g)
                seen = Table([input, self.actions[step]])
                of_input = self.rnn.updateGradInput(seen, self.gradHidden[step])[1]
                if step == self.nStep:
                    self.gradInput = replace_contents(self.gradInput, of_input)
                else:
                    self.gradInput.add_(of_input)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            found = self._gradients(as_input(gradOutput))
            for step in range(self.nStep, 0, -1):
                _, of_action = self._of_step(found[step - 1])
                self.action.accGradParameters(self._before(step), of_action, scale)
                seen = Table([input, self.actions[step]])
                self.rnn.accGradParameters(seen, self.gradHidden[step], scale)

    def __repr__(self) -> str:
        action, rnn = (repr(m).replace("\n", "\n    |    ") for m in (self.action, self.rnn))
        return f"{self.t7_typename} {{\n  action : {action}\n  rnn     : {rnn}\n}}"
