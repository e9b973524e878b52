"""nn.Recursor: any module as a recurrent one."""

from __future__ import annotations

from typing import Any, Self

from ..fields import given
from ..module import torch_class
from .abstract_recurrent import AbstractRecurrent


@torch_class("nn.Recursor")
class Recursor(AbstractRecurrent):
    """Runs its module at each step, so that gradients can go back through all of them.

    Parameters
    ----------
    module : Module
        Recurrent modules inside count the steps too.
    rho : int, default 9999999

    Source: Element-Research/rnn Recursor.lua.
    """

    module: Any

    def __init__(self, module: Any, rho: int | None = None) -> None:
        super().__init__(given(rho, 9999999))
        self.module = module
        self.adopt(module)

    def compute_step(self, input: Any) -> Any:
        return self.module_now().updateOutput(input)

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = self.last_step(self.updateGradInputStep)
        module = self.getStepModule(step)
        module.setOutputStep(step)
        return module.updateGradInput(input, gradOutput)

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        step = self.last_step(self.accGradParametersStep)
        module = self.getStepModule(step)
        module.setOutputStep(step)
        module.accGradParameters(input, gradOutput, scale)

    def maxBPTTstep(self, rho: int) -> None:
        self.rho = rho
        for module in self.inside():
            module.maxBPTTstep(rho)

    def _wrap(self, module: Any) -> Self:
        self.module = module
        return super()._wrap(module)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        return self.modules[1].getHiddenState(step, input)

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        self.modules[1].setHiddenState(step, hiddenState)

    def getGradHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        return self.modules[1].getGradHiddenState(step, input)

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        self.modules[1].setGradHiddenState(step, gradHiddenState)

    def __repr__(self) -> str:
        return f"{self.t7_typename} @ {self.modules[1]!r}"
