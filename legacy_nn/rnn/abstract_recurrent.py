"""nn.AbstractRecurrent: a module that is called once for each step of a sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..clearing import clear
from ..containers import Container
from ..fields import given
from ..module import ArgumentError, ModuleError, as_input, as_torch, torch_class
from ..tree import known
from . import nested

CLEARED = (
    *("_input", "_gradOutput", "_gradOutputs", "gradPrevOutput", "cell", "cells", "gradCells"),
    *("outputs", "gradInputs", "gradOutputs"),
)


@torch_class("nn.AbstractRecurrent")
class AbstractRecurrent(Container):
    """Each call of `updateOutput` is a step; going back, steps are asked in the opposite order.

    A step in training has a clone of `recurrentModule` of its own, which shares the parameters;
    in evaluation there is one module for all. Called as `module(x)` it is a step likewise.

    Parameters
    ----------
    rho : int, default 99999
        Steps that gradients can go back through; older clones are used again.

    Attributes
    ----------
    step : int
        The number, from 1, of the step that comes next.
    sharedClones : Table of Module
        The module of each step.
    outputs, gradInputs : Table
        What each step returned.

    Source: Element-Research/rnn AbstractRecurrent.lua.
    """

    dpnn_stepclone: ClassVar[bool] = True

    rho: int
    step: int
    recurrentModule: Any
    outputs: Table
    gradInputs: Table
    gradOutputs: Table
    _gradOutputs: Table
    sharedClones: Table
    nSharedClone: int | None = None
    updateGradInputStep: int | None = None
    accGradParametersStep: int | None = None
    gradPrevOutput: Any = None
    rmInSharedClones: bool = False
    inputSize: int | None = None
    outputSize: Any = None

    def __init__(self, rho: int | None = None) -> None:
        super().__init__()
        self.rho = given(rho, 99999)
        self.outputs, self.gradInputs = Table(), Table()
        self._gradOutputs, self.gradOutputs = Table(), Table()
        self.step = 1
        self.sharedClones = Table()
        self.reset()

    def adopt(self, module: Any) -> None:
        """Make `module` what runs at each step, and the clone of the first one."""
        self.recurrentModule = module
        self.modules[1] = module
        self.sharedClones[1] = module

    def getStepModule(self, step: int) -> Any:
        """Return the module of a step, cloned when it is first needed."""
        found = self.sharedClones.get(step)
        if found is None:
            found = known(self.recurrentModule).stepClone()
            self.sharedClones[step] = found
            self.nSharedClone = self.sharedClones.count()
        return found

    def maskZero(self, nInputDim: int) -> Self:
        """Have rows of zeros in the input give rows of zeros; return the module.

        Parameters
        ----------
        nInputDim : int
            Dimensions of one sample.
        """
        from .mask_zero import MaskZero

        return self._wrap(MaskZero(self.recurrentModule, nInputDim, True))

    def trimZero(self, nInputDim: int) -> Self:
        """Do what `maskZero` does, leaving such rows out of the computation."""
        from .trim_zero import TrimZero

        return self._wrap(TrimZero(self.recurrentModule, nInputDim, True))

    def _wrap(self, module: Any) -> Self:
        self.recurrentModule = module
        self.sharedClones = Table([module])
        self.modules[1] = module
        return self

    # -- one step -----------------------------------------------------------------------

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            output = self.compute_step(as_input(input))
            self.outputs[self.step] = output
            self.output = output
            self.step += 1
            self.drop("gradPrevOutput", "updateGradInputStep", "accGradParametersStep")
        return self.output

    def compute_step(self, input: Any) -> Any:
        """Return the output of this step."""
        raise ModuleError(f"{self.t7_typename} defines no forward pass")

    def module_now(self) -> Any:
        """Return the module that runs this step."""
        if not self.train:
            return known(self.recurrentModule)
        self.recycle()
        return known(self.getStepModule(self.step))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            if self.updateGradInputStep is None:
                self.updateGradInputStep = self.step
            if self.step < 2:
                raise ModuleError(
                    f"expecting at least one updateOutput: {self.t7_typename} has none to go "
                    "back through"
                )
            found = self._updateGradInput(as_input(input), as_input(gradOutput))
            self.gradInput = found
            self.updateGradInputStep -= 1
            self.gradInputs[self.updateGradInputStep] = found
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            before = self.updateGradInputStep
            if before is None or before >= self.step:
                raise ModuleError(
                    "Missing updateGradInput: the gradients of a step's parameters are asked for "
                    f"after its updateGradInput; {self.t7_typename} is at step {self.step}"
                )
            if self.accGradParametersStep is None:
                self.accGradParametersStep = self.step
            self._accGradParameters(as_input(input), as_input(gradOutput), given(scale, 1))
            self.accGradParametersStep -= 1

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Return the gradient for the input of the step before `updateGradInputStep`."""
        raise ModuleError(f"{self.t7_typename} does not say how gradients go back")

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        """Add the gradients of the parameters at the step before `accGradParametersStep`."""
        raise ModuleError(f"{self.t7_typename} does not say how gradients go back")

    def last_step(self, counter: int | None) -> int:
        """Return the step that is asked to go back, which must be one there was."""
        step = (counter or 0) - 1
        if step < 1:
            raise ModuleError(
                f"{self.t7_typename} has no step {step} to go back through: it was asked once "
                f"more than its {self.step - 1} steps forward"
            )
        return step

    def recycle(self, offset: int | None = None) -> Self:
        """Give this step the clone of one that is too long ago; return the module."""
        if self.nSharedClone is None:
            self.nSharedClone = self.sharedClones.count()
        oldest = self.step - max(self.rho + 1, self.nSharedClone)
        if self.sharedClones.get(self.step) is None:
            for table in (self.sharedClones, self._gradOutputs):
                table[self.step] = table.get(oldest)
                table[oldest] = None
        self.outputs[oldest - 1] = None
        self.gradInputs[oldest - 1] = None
        return self

    # -- memory -------------------------------------------------------------------------

    def forget(self, offset: int | None = None) -> Self:
        """Let the next input be the first of a sequence; return the module."""
        super().forget()
        if self.train:
            self.outputs, self.gradInputs, self.gradOutputs = Table(), Table(), Table()
            self.sharedClones = compact(self.sharedClones)
            self._gradOutputs = compact(self._gradOutputs)
            if "cells" in vars(self):
                vars(self).update(cells=Table(), gradCells=Table())
        self.step = 1
        if not self.rmInSharedClones:
            self._find_own_clone()
        return self

    def _find_own_clone(self) -> None:
        """Have the module be one of the clones: what evaluation runs is what was trained."""
        clones = list(self.sharedClones.items())
        if any(clone is self.recurrentModule for _, clone in clones):
            self.rmInSharedClones = True
        elif len(clones) > 1:
            self.recurrentModule = self.sharedClones[1]
            self.rmInSharedClones = True

    def setOutputStep(self, step: int) -> None:
        if (output := self.outputs.get(step)) is None:
            raise ModuleError(f"no output for step {step}: {self.t7_typename} is at {self.step}")
        self.output = output
        self.gradInput = self.gradInputs.get(step)

    def maxBPTTstep(self, rho: int) -> None:
        self.rho = rho

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        raise ModuleError(f"Not Implemented: {self.t7_typename} has no hidden state to return")

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        raise ModuleError(f"Not Implemented: {self.t7_typename} has no hidden state to set")

    def getGradHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        raise ModuleError(f"Not Implemented: {self.t7_typename} has no hidden state")

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        raise ModuleError(f"Not Implemented: {self.t7_typename} has no hidden state")

    def joined_gradient(self, step: int, found: Any, gradOutput: Any) -> Any:
        """Return the gradient of a step's output: what later steps give, and what is given."""
        self._gradOutputs[step] = nested.copied(self._gradOutputs.get(step), found)
        return nested.added(self._gradOutputs[step], gradOutput)

    def drop(self, *names: str) -> None:
        """Remove fields where they are."""
        for name in names:
            vars(self).pop(name, None)

    # -- clones, beside the modules -----------------------------------------------------

    def clones(self) -> list[Any]:
        """Return the modules of all steps, which Torch7's walks do not reach."""
        return list(self.sharedClones.values())

    def training(self) -> Self:
        everywhere(self, lambda module: module.training())
        self.train = True
        return self

    def evaluate(self) -> Self:
        everywhere(self, lambda module: module.evaluate())
        self.train = False
        return self

    def reinforce(self, reward: Any) -> None:
        """Hand out a reward: to all steps, or, of a table or rows, each to one of the last."""
        several = isinstance(reward, Table) or (isinstance(reward, Tensor) and reward.ndim >= 2)
        if not several:
            everywhere(self, lambda module: module.reinforce(reward))
            return
        rewards = reward.array() if isinstance(reward, Table) else list(reward)
        if len(rewards) >= self.step:
            raise ArgumentError(
                f"{self.t7_typename} is given {len(rewards)} rewards for {self.step - 1} steps"
            )
        for step, one in enumerate(rewards, self.step - len(rewards)):
            self.getStepModule(step).reinforce(one)

    def clearState(self) -> Self:
        self.forget()
        clear(self, *CLEARED)
        for clone in self.sharedClones.array():
            clone.clearState()
        self.recurrentModule.clearState()
        return super().clearState()

    def __repr__(self) -> str:
        if isinstance(self.inputSize, int) and isinstance(self.outputSize, int):
            return f"{self.t7_typename}({self.inputSize} -> {self.outputSize})"
        return self.t7_typename


def compact(table: Table) -> Table:
    """Return the values of a table as elements 1, 2, ..., in the order of their keys."""
    return Table([table[key] for key in sorted(table.keys())])


def everywhere(recurrent: Any, call: Callable[[Any], Any]) -> None:
    """Call a function with the modules inside, and with the clones of them for each step."""
    if isinstance(recurrent, AbstractRecurrent):
        clones = recurrent.clones()
    else:  # a class of Lua's that borrows methods from this one
        kept = vars(recurrent).get("sharedClones")
        clones = list(kept.values()) if isinstance(kept, Table) else []
    seen: set[int] = set()
    for module in [*recurrent.inside(), *clones]:
        if id(module) not in seen:
            seen.add(id(module))
            call(known(module))
