"""nn.Recurrent: the simple recurrent network of Mikolov and others."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core.checkpoint import Table
from rekindle.core.storage import Storage

from ..affine import Add
from ..branches import ParallelTable
from ..containers import Sequential
from ..fields import long_storage
from ..module import ArgumentError, Module, ModuleError, torch_class
from ..table_arithmetic import CAddTable
from ..transfer import Sigmoid
from .abstract_recurrent import AbstractRecurrent, everywhere
from .lstm import first


@torch_class("nn.Recurrent")
class Recurrent(AbstractRecurrent):
    """output(t) = transfer(merge(input(x(t)), feedback(output(t - 1)))).

    At the first step `start` stands for the feedback and the merge.

    Parameters
    ----------
    start : Module, int, list or Storage
        A size means nn.Add of it.
    input, feedback : Module
    transfer : Module, default nn.Sigmoid
    rho : int, default 99999
    merge : Module, default nn.CAddTable

    Source: Element-Research/rnn Recurrent.lua.
    """

    initialModule: Any

    def __init__(
        self,
        start: Any,
        input: Any,
        feedback: Any,
        transfer: Any = None,
        rho: int | None = None,
        merge: Any = None,
    ) -> None:
        super().__init__(rho)
        if isinstance(start, (int, float)):
            start = Add(int(start))
        elif isinstance(start, (Storage, Table, list, tuple)):
            start = Add(*long_storage([start]).tolist())
        elif not isinstance(start, Module):
            raise ArgumentError(
                "Recurrent : expecting arg 1 of type nn.Module, torch.LongStorage, number or "
                f"table; given {type(start).__name__}"
            )
        self.startModule, self.inputModule, self.feedbackModule = start, input, feedback
        self.transferModule = Sigmoid() if transfer is None else transfer
        self.mergeModule = CAddTable() if merge is None else merge
        self.modules = Table([start, input, feedback, self.transferModule, self.mergeModule])
        self.buildInitialModule()
        self.buildRecurrentModule()
        self.sharedClones[2] = self.recurrentModule

    def buildInitialModule(self) -> None:
        """Make the module of the first step."""
        self.initialModule = Sequential().add(self.inputModule.sharedClone())
        self.initialModule.add(self.startModule).add(self.transferModule.sharedClone())

    def buildRecurrentModule(self) -> None:
        """Make the module of the others."""
        both = ParallelTable().add(self.inputModule).add(self.feedbackModule)
        self.recurrentModule = Sequential().add(both).add(self.mergeModule)
        self.recurrentModule.add(self.transferModule)

    def compute_step(self, input: Any) -> Any:
        if self.step == 1:
            return self.initialModule.updateOutput(input)
        return self.module_now().updateOutput(Table([input, self.outputs[self.step - 1]]))

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = self.last_step(self.updateGradInputStep)
        if self.gradPrevOutput is not None:
            gradOutput = self.joined_gradient(step, self.gradPrevOutput, gradOutput)
        if step == 1:
            return self.initialModule.updateGradInput(input, gradOutput)
        given_input = Table([input, self.outputs[step - 1]])
        found = self.getStepModule(step).updateGradInput(given_input, gradOutput)
        self.gradPrevOutput = found[2]
        return found[1]

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        step = self.last_step(self.accGradParametersStep)
        if step != self.step - 1:
            gradOutput = first(self._gradOutputs.get(step), gradOutput)
        if step == 1:
            self.initialModule.accGradParameters(input, gradOutput, scale)
            return
        given_input = Table([input, self.outputs[step - 1]])
        self.getStepModule(step).accGradParameters(given_input, gradOutput, scale)

    def clones(self) -> list[Any]:
        return [*super().clones(), self.initialModule]

    def reinforce(self, reward: Any) -> None:
        if not isinstance(reward, Table):
            everywhere(self, lambda module: module.reinforce(reward))
            return
        for step, one in enumerate(reward.array(), 1):
            (self.initialModule if step == 1 else self.getStepModule(step)).reinforce(one)

    def _wrap(self, module: Any) -> Self:
        raise ModuleError(
            "Recurrent doesn't support maskZero as it uses a different module for the first "
            "time-step. Use nn.Recurrence instead."
        )

    def __repr__(self) -> str:
        def part(module: Any, margin: str) -> str:
            return repr(module).replace("\n", f"\n{margin}")

        ext, arrow = "    |    ", "    |`-> "
        steps = "".join(f" -> ({i})" for i in (1, 2, 3))
        return "\n".join(
            [
                f"{self.t7_typename} {{",
                f"  [{{input(t), output(t-1)}}{steps} -> output(t)]",
                "  (1):  {",
                "    input(t)",
                f"  {arrow}(t==0): {part(self.startModule, '  ' + ext)}",
                f"  {arrow}(t~=0): {part(self.inputModule, '  ' + ext)}",
                "    output(t-1)",
                f"  {arrow}{part(self.feedbackModule, '  ' + ext)}",
                "  }",
                f"  (2): {part(self.mergeModule, '  ')}",
                f"  (3): {part(self.transferModule, '  ')}",
                "}",
            ]
        )
