"""nn.LSTM: long short-term memory, one step at a time."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..affine import CMul
from ..branches import ConcatTable, ParallelTable
from ..clearing import clear
from ..containers import Sequential
from ..dropout import lazy_dropout
from ..fields import given
from ..flatten_table import FlattenTable
from ..linear import Linear
from ..module import ArgumentError, torch_class
from ..table import NarrowTable, SelectTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh
from .hidden_state import GatedRecurrent
from .linear_no_bias import LinearNoBias


@torch_class("nn.LSTM")
class LSTM(GatedRecurrent):
    """Long short-term memory; with `cell2gate`, gates see the cell through diagonal weights.

    Input (N, inputSize) or (inputSize,), output (N, outputSize) or (outputSize,).

    Parameters
    ----------
    inputSize : int
    outputSize : int, default inputSize
    rho : int, default 9999
        Steps that gradients can go back through.
    cell2gate : bool, default True
    p : float, default 0
        Probability of dropping inputs of gates, the same ones at each step of a sequence.
    mono : bool, default False
        Whether all samples of a batch drop the same.

    Attributes
    ----------
    cells, gradCells : Table of Tensor
        The state of the cells after each step, and the gradients for them.
    userPrevCell, userNextGradCell : Tensor, optional
        As `userPrevOutput` and `userNextGradOutput`, for the cells.

    Notes
    -----
    Files of torch-rnn have an nn.LSTM too, a layer over whole sequences: its fields tell it
    apart when it is read (torch_rnn.LSTM).

    Source: Element-Research/rnn LSTM.lua.
    """

    cell: Any = None
    userPrevCell: Any = None
    userNextGradCell: Any = None

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int | None = None,
        cell2gate: bool | None = None,
        p: float | None = None,
        mono: bool | None = None,
    ) -> None:
        super().__init__(given(rho, 9999))
        self.p = given(p, 0)
        self.mono = given(mono, False)
        self.inputSize = inputSize
        self.outputSize = given(outputSize, inputSize)
        self.cell2gate = given(cell2gate, True)
        self.adopt(self.buildModel())
        self.add_state_fields()

    def t7_restore(self, version: int, fields: Table) -> None:
        """Become the object that a file holds, which may be torch-rnn's."""
        if "recurrentModule" not in fields and "hidden_dim" in fields:
            from ..torch_rnn.lstm import LSTM as WholeSequence

            self.__class__ = WholeSequence  # type: ignore[assignment]  # its fields tell it apart
            WholeSequence.t7_restore(self, version, fields)
            return
        super().t7_restore(version, fields)

    # -- the module of a step -----------------------------------------------------------

    def buildGate(self) -> Any:
        """Return a gate of {input, output before, cell}."""
        gate = Sequential()
        if not self.cell2gate:
            gate.add(NarrowTable(1, 2))
        parts = self._affine()
        if self.cell2gate:
            parts.add(CMul(self.outputSize))
        return gate.add(parts).add(CAddTable()).add(Sigmoid())

    def _affine(self) -> ParallelTable:
        of_input = (
            Sequential()
            .add(lazy_dropout(self.p, self.mono))
            .add(Linear(self.inputSize, self.outputSize))
        )
        of_output = Sequential().add(lazy_dropout(self.p, self.mono))
        of_output.add(LinearNoBias(self.outputSize, self.outputSize))
        return ParallelTable().add(of_input).add(of_output)

    def buildInputGate(self) -> Any:
        """Make and return the input gate."""
        self.inputGate = self.buildGate()
        return self.inputGate

    def buildForgetGate(self) -> Any:
        """Make and return the forget gate."""
        self.forgetGate = self.buildGate()
        return self.forgetGate

    def buildHidden(self) -> Any:
        """Make and return what enters the cell."""
        hidden = Sequential().add(NarrowTable(1, 2)).add(self._affine())
        self.hiddenLayer = hidden.add(CAddTable()).add(Tanh())
        return self.hiddenLayer

    def buildCell(self) -> Any:
        """Make and return what computes the next cell."""
        self.inputGate = self.buildInputGate()
        self.forgetGate = self.buildForgetGate()
        self.hiddenLayer = self.buildHidden()
        forget = ConcatTable().add(self.forgetGate).add(SelectTable(3))
        entering = ConcatTable().add(self.inputGate).add(self.hiddenLayer)
        both = ConcatTable()
        both.add(Sequential().add(forget).add(CMulTable()))
        both.add(Sequential().add(entering).add(CMulTable()))
        self.cellLayer = Sequential().add(both).add(CAddTable())
        return self.cellLayer

    def buildOutputGate(self) -> Any:
        """Make and return the output gate."""
        self.outputGate = self.buildGate()
        return self.outputGate

    def buildModel(self) -> Any:
        """Return the module of a step: {input, output, cell} to the next {output, cell}."""
        self.cellLayer = self.buildCell()
        self.outputGate = self.buildOutputGate()
        model = Sequential().add(ConcatTable().add(NarrowTable(1, 2)).add(self.cellLayer))
        model.add(FlattenTable())
        shown = Sequential().add(SelectTable(3)).add(Tanh())
        output = Sequential().add(ConcatTable().add(self.outputGate).add(shown))
        output.add(CMulTable())
        return model.add(ConcatTable().add(output).add(SelectTable(3)))

    # -- steps --------------------------------------------------------------------------

    def _position(self, step: int | None, now: int) -> int:
        """Return a step, where nil is the last one and negative numbers count from there."""
        if step is None:
            return now - 1
        return now - step - 1 if step < 0 else step

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return {output, cell} after a step; step 0 is where a sequence begins."""
        step = self._position(step, self.step)
        output, cell = self.outputs.get(step), self.cells.get(step)
        if step == 0:
            output = first(self.userPrevOutput, output, self.zeroTensor)
            cell = first(self.userPrevCell, cell, self.zeroTensor)
            self.begin(input)
        return Table([output, cell])

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        step = self._position(step, self.step)
        self.outputs[step], self.cells[step] = two(self, hiddenState)

    def compute_step(self, input: Any) -> Any:
        output, cell = self.getHiddenState(self.step - 1, input).array()
        module = self.module_now()
        output, cell = module.updateOutput(Table([input, output, cell])).array()
        self.cells[self.step] = cell
        self.cell = cell
        return output

    def getGradHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return the gradients for {output, cell} after a step; zeros beyond the last."""
        step = self._position(step, self.updateGradInputStep or self.step)
        output, cell = self.gradOutputs.get(step), self.gradCells.get(step)
        if step == self.step - 1:
            output = first(self.userNextGradOutput, output, self.zeroTensor)
            cell = first(self.userNextGradCell, cell, self.zeroTensor)
        return Table([output, cell])

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        step = self._position(step, self.updateGradInputStep or self.step)
        self.gradOutputs[step], self.gradCells[step] = two(self, gradHiddenState)

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = self.last_step(self.updateGradInputStep)
        of_output, of_cell = two(self, self.getGradHiddenState(step))
        gradOutput = self.joined_gradient(step, of_output, gradOutput)
        found = self.getStepModule(step).updateGradInput(
            Table([input, *self.getHiddenState(step - 1).array()]), Table([gradOutput, of_cell])
        )
        self.setGradHiddenState(step - 1, Table([found[2], found[3]]))
        return found[1]

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        step = self.last_step(self.accGradParametersStep)
        of_output, of_cell = two(self, self.getGradHiddenState(step))
        self.getStepModule(step).accGradParameters(
            Table([input, *self.getHiddenState(step - 1).array()]),
            Table([first(self._gradOutputs.get(step), of_output), of_cell]),
            scale,
        )

    def clearState(self) -> Any:
        names = ("userPrevOutput", "userPrevCell", "userGradPrevOutput", "userGradPrevCell")
        clear(self, *names)
        return super().clearState()


def first(*values: Any) -> Any:
    """Return the first value that is not None."""
    return next((value for value in values if value is not None), None)


def two(owner: Any, states: Any) -> list[Any]:
    """Return the output and the cell of a table that must have both.

    Raises
    ------
    ArgumentError
        If it has not.
    """
    found = states.array() if isinstance(states, Table) else []
    if len(found) != 2:
        raise ArgumentError(
            f"{owner.t7_typename} has states of an output and a cell; given {states!r:.60}"
        )
    return found
