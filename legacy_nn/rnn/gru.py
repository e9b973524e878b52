"""nn.GRU: gated recurrent units, one step at a time."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..branches import ConcatTable, ParallelTable
from ..containers import Sequential
from ..dropout import lazy_dropout
from ..fields import given
from ..flatten_table import FlattenTable
from ..identity import Identity
from ..linear import Linear
from ..module import ArgumentError, torch_class
from ..shape import Reshape
from ..table import NarrowTable, SelectTable, SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh
from .gate_maps import both_maps
from .hidden_state import GatedRecurrent
from .linear_no_bias import LinearNoBias
from .lstm import first
from .small import SAdd


@torch_class("nn.GRU")
class GRU(GatedRecurrent):
    """Gated recurrent units: a reset gate and an update gate.

    Input (N, inputSize) or (inputSize,), output (N, outputSize) or (outputSize,).

    Parameters
    ----------
    inputSize, outputSize : int
    rho : int, default 9999
        Steps that gradients can go back through.
    p : float, default 0
        Probability of dropping inputs of gates, the same ones at each step of a sequence.
    mono : bool, default False

    Source: Element-Research/rnn GRU.lua.
    """

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        rho: int | None = None,
        p: float | None = None,
        mono: bool | None = None,
    ) -> None:
        super().__init__(given(rho, 9999))
        self.p = given(p, 0)
        self.mono = given(mono, False)
        self.inputSize, self.outputSize = inputSize, outputSize
        self.adopt(self.buildModel())
        self.add_state_fields()

    def buildModel(self) -> Any:
        """Return the module of a step: {input, output} to the next output."""
        sizes = self.inputSize, self.outputSize
        self.i2g, self.o2g = both_maps(*sizes, 2, self.p, self.mono)
        gates = Sequential().add(ParallelTable().add(self.i2g).add(self.o2g)).add(CAddTable())
        gates.add(Reshape(2, self.outputSize)).add(SplitTable(1, 2))
        gates.add(ParallelTable().add(Sigmoid()).add(Sigmoid()))
        model = Sequential().add(ConcatTable().add(Identity()).add(gates)).add(FlattenTable())
        # now input, output, reset, update; the output is needed once more at the end
        model.add(ConcatTable().add(NarrowTable(1, 4)).add(SelectTable(2))).add(FlattenTable())
        of_input = Sequential().add(SelectTable(1))
        of_output = Sequential().add(NarrowTable(2, 2)).add(CMulTable())
        if self.p != 0:
            of_input.add(lazy_dropout(self.p, self.mono))
            of_output.add(lazy_dropout(self.p, self.mono))
        of_input.add(Linear(self.inputSize, self.outputSize))
        of_output.add(LinearNoBias(self.outputSize, self.outputSize))
        candidate = Sequential().add(ConcatTable().add(of_input).add(of_output))
        candidate.add(CAddTable()).add(Tanh())
        share = Sequential().add(SelectTable(4)).add(SAdd(-1, True))
        kept = Sequential().add(NarrowTable(4, 2)).add(CMulTable())
        new = Sequential().add(ConcatTable().add(candidate).add(share)).add(CMulTable())
        return model.add(Sequential().add(ConcatTable().add(new).add(kept)).add(CAddTable()))

    # -- steps --------------------------------------------------------------------------

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return the output of a step; step 0 is where a sequence begins."""
        number = given(step, self.step - 1)
        output = self.outputs.get(number)
        if number == 0:
            output = first(self.userPrevOutput, output, self.zeroTensor)
            self.begin(input)
        return output

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        self.outputs[given(step, self.step - 1)] = hiddenState

    def compute_step(self, input: Any) -> Any:
        before = self.getHiddenState(self.step - 1, input)
        return self.module_now().updateOutput(Table([input, before]))

    def getGradHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """Return the gradient for the output of a step from later ones; zeros after the last."""
        number = given(step, self.step - 1)
        found = self.gradOutputs.get(number)
        if number == self.step - 1:
            found = first(self.userNextGradOutput, found, self.zeroTensor)
        return found

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        self.gradOutputs[given(step, self.step - 1)] = gradHiddenState

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = self.last_step(self.updateGradInputStep)
        gradOutput = self.joined_gradient(step, self.getGradHiddenState(step), gradOutput)
        given_input = Table([input, self.getHiddenState(step - 1)])
        found = self.getStepModule(step).updateGradInput(given_input, gradOutput)
        self.setGradHiddenState(step - 1, found[2])
        return found[1]

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        step = self.last_step(self.accGradParametersStep)
        g = first(self._gradOutputs.get(step), self.getGradHiddenState(step))
        given_input = Table([input, self.getHiddenState(step - 1)])
        self.getStepModule(step).accGradParameters(given_input, g, scale)

    def migrate(self, params: Any) -> None:
        """Take over the parameters of a GRU without dropout.

        Raises
        ------
        ArgumentError
            If this one has no dropout either, or there are not six of them.
        """
        given_ones = params.array() if isinstance(params, Table) else list(params)
        own = [p.detach() for p in self.parameters()[0]]
        if self.p == 0 or len(given_ones) != 6 or len(own) != 9:
            raise ArgumentError(
                f"only support for BGRUs: {self!r} has {len(own)} parameters and p = {self.p}; "
                f"given {len(given_ones)}, of 6"
            )
        w, b, u, *rest = given_ones
        n = self.outputSize
        parts = [w[:n], b[:n], w[n:], b[n:], u[:n], u[n:], *rest]
        for target, value in zip(own, parts, strict=True):
            target.copy_(value.detach())

    def __repr__(self) -> str:
        return f"{self.t7_typename}({self.inputSize} -> {self.outputSize}, {self.p:.2f})"
