"""nn.Recurrence: a recurrent module made of one that takes {input, output before}."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros
from rekindle.core.errors import ShapeError
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from ..fields import given
from ..module import ArgumentError, Module, replace_contents, torch_class
from .abstract_recurrent import AbstractRecurrent
from .lstm import first


@torch_class("nn.Recurrence")
class Recurrence(AbstractRecurrent):
    """Runs its module on {input, output of the step before}; zeros come before the first.

    Parameters
    ----------
    recurrentModule : Module
        Takes {input, output before} and returns the next output.
    outputSize : int, list, Table or Storage
        Of one output; a table of sizes where outputs are tables.
    nInputDim : int
        Dimensions of one sample of the input, of the first tensor where it is a table.
    rho : int, default 9999

    Source: Element-Research/rnn Recurrence.lua.
    """

    module: Any
    typeTensor: Tensor
    zeroTensor: Any = None
    userPrevOutput: Any = None
    userNextGradOutput: Any = None

    def __init__(
        self, recurrentModule: Any, outputSize: Any, nInputDim: int, rho: int | None = None
    ) -> None:
        super().__init__(given(rho, 9999))
        if not isinstance(outputSize, (int, float, list, tuple, Table, Storage)):
            raise ArgumentError(f"Unsupported size type: {type(outputSize).__name__}")
        if not isinstance(nInputDim, (int, float)):
            raise ArgumentError(f"Expecting nInputDim number for arg 2; given {nInputDim!r:.60}")
        if not isinstance(recurrentModule, Module):
            raise ArgumentError("Expecting recurrenModule nn.Module for arg 3")
        if isinstance(outputSize, (int, float, list, tuple)):
            outputSize = _table(outputSize)
        self.outputSize, self.nInputDim = outputSize, nInputDim
        self.module = recurrentModule
        self.adopt(recurrentModule)
        self.typeTensor = empty(0, self.dtype)

    def _zeros(self, tensor: Any, size: Any, batch: tuple[int, ...]) -> Any:
        """Return `tensor`, or tables of tensors, filled with zeros of a size."""
        if isinstance(size, Table) and not isinstance(size.get(1), (int, float)):
            old = tensor if isinstance(tensor, Table) else Table()
            for i, part in enumerate(size.array(), 1):
                old[i] = self._zeros(old.get(i), part, batch)
            return old
        shape = size.array() if isinstance(size, Table) else size.tolist()
        return replace_contents(
            tensor, zeros((*batch, *(int(n) for n in shape)), self.typeTensor.dtype)
        )

    def getBatchSize(self, input: Any, nInputDim: int | None = None) -> int | None:
        """Return the number of samples of an input; None for a single one.

        Raises
        ------
        ShapeError
            If it is neither a sample nor a batch of them.
        """
        x = input
        while isinstance(x, Table):
            x = x[1]
        extra = x.ndim - given(nInputDim, self.nInputDim)
        if extra not in (0, 1):
            raise ShapeError(
                f"inconsitent tensor dims {x.ndim}: {self.t7_typename} takes samples of "
                f"{self.nInputDim} dimensions, or batches of them; given shape {x.shape}"
            )
        return x.shape[0] if extra else None

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return {output of a step, states of recurrent modules inside}."""
        number = given(step, self.step - 1)
        output = self.outputs.get(number)
        if number == 0:
            if input is not None:
                count = self.getBatchSize(input)
                batch = () if count is None else (count,)
                self.zeroTensor = self._zeros(self.zeroTensor, self.outputSize, batch)
            output = first(self.userPrevOutput, output, self.zeroTensor)
        return Table([output, self._inner_states("getHiddenState", step)])

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        self.outputs[given(step, self.step - 1)] = hiddenState[1]
        if (inner := hiddenState.get(2)) is not None:
            Module.setHiddenState(self, step, inner)

    def _inner_states(self, method: str, step: int | None) -> Table:
        found = ((i, getattr(m, method)(step)) for i, m in enumerate(self.inside(), 1))
        return Table({i: state for i, state in found if state is not None})

    def _before(self, step: int, input: Any = None) -> Any:
        """Return the output of a step, and not what modules inside have."""
        if step == 0:
            return self.getHiddenState(0, input)[1]
        return self.outputs.get(step)

    def compute_step(self, input: Any) -> Any:
        before = self._before(self.step - 1, input)
        return self.module_now().updateOutput(Table([input, before]))

    def getGradHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return {gradient for the output of a step, those of recurrent modules inside}."""
        number = given(step, self.step - 1)
        inner = self._inner_states("getGradHiddenState", step)
        return Table([self._gradient_after(number), inner])

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        self.gradOutputs[given(step, self.step - 1)] = gradHiddenState[1]
        if (inner := gradHiddenState.get(2)) is not None:
            Module.setGradHiddenState(self, step, inner)

    def _gradient_after(self, step: int) -> Any:
        found = self.gradOutputs.get(step)
        if step == self.step - 1:
            found = first(self.userNextGradOutput, found, self.zeroTensor)
        return found

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = self.last_step(self.updateGradInputStep)
        gradOutput = self.joined_gradient(step, self._gradient_after(step), gradOutput)
        given_input = Table([input, self._before(step - 1)])
        found = self.getStepModule(step).updateGradInput(given_input, gradOutput)
        self.gradOutputs[step - 1] = found[2]
        return found[1]

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        step = self.last_step(self.accGradParametersStep)
        g = first(self._gradOutputs.get(step), self._gradient_after(step))
        given_input = Table([input, self._before(step - 1)])
        self.getStepModule(step).accGradParameters(given_input, g, scale)

    def __repr__(self) -> str:
        return f"{self.t7_typename} @ {self.modules[1]!r}"


def _table(sizes: Any) -> Table:
    """Return sizes as a table: one number, or lists of lists."""
    if isinstance(sizes, (int, float)):
        return Table([sizes])
    return Table([_table(n) if isinstance(n, (list, tuple)) else n for n in sizes])
