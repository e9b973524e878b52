"""nn.FastLSTM: an LSTM whose gates are computed at once."""

from __future__ import annotations

from typing import Any

from ..affine import Add
from ..batch_normalization import BatchNormalization
from ..branches import ConcatTable, ParallelTable
from ..containers import Sequential
from ..fields import given, set_unless_nil
from ..flatten_table import FlattenTable
from ..identity import Identity
from ..module import ModuleError, torch_class
from ..nngraph import gModule
from ..shape import Reshape
from ..table import NarrowTable, SelectTable, SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh
from .gate_maps import both_maps
from .lstm import LSTM


@torch_class("nn.FastLSTM")
class FastLSTM(LSTM):
    """Long short-term memory without weights from the cell to gates.

    Parameters
    ----------
    inputSize : int
    outputSize : int, default inputSize
    rho : int, default 9999
    eps, momentum : float, optional
        Of the batch normalization, where there is one.
    affine : bool, default True
    p : float, default 0
    mono : bool, default False

    Attributes
    ----------
    bn : bool
        Of the class: whether new ones normalise the sums of gates and the cell over the batch.
    usenngraph : bool
        Of the class: whether the module of a step of new ones is a graph.
    i2g, o2g : Module
        The maps of the input and of the output before to the sums of the four gates.

    Source: Element-Research/rnn FastLSTM.lua.
    """

    bn: bool = False
    usenngraph: bool = False
    eps: float | None = None
    momentum: float | None = None

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int | None = None,
        eps: float | None = None,
        momentum: float | None = None,
        affine: bool | None = None,
        p: float | None = None,
        mono: bool | None = None,
    ) -> None:
        set_unless_nil(self, eps=eps, momentum=momentum)
        self.affine = given(affine, True)
        super().__init__(inputSize, outputSize, rho, None, p, mono)

    def buildModel(self) -> Any:
        sizes = self.inputSize, self.outputSize
        self.i2g, self.o2g = both_maps(*sizes, 4, self.p, self.mono)
        if self.usenngraph or self.bn:
            return self.nngraphModel()
        gates = Sequential().add(NarrowTable(1, 2))
        gates.add(ParallelTable().add(self.i2g).add(self.o2g)).add(CAddTable())
        gates.add(Reshape(4, self.outputSize)).add(SplitTable(1, 2))
        transfer = ParallelTable().add(Sigmoid()).add(Tanh()).add(Sigmoid()).add(Sigmoid())
        gates.add(transfer)
        model = Sequential().add(ConcatTable().add(gates).add(SelectTable(3))).add(FlattenTable())
        entering = Sequential().add(NarrowTable(1, 2)).add(CMulTable())
        kept = Sequential().add(ConcatTable().add(SelectTable(3)).add(SelectTable(5)))
        kept.add(CMulTable())
        cell = Sequential().add(ConcatTable().add(entering).add(kept)).add(CAddTable())
        model.add(ConcatTable().add(cell).add(SelectTable(4))).add(FlattenTable())
        shown = Sequential().add(SelectTable(1)).add(Tanh())
        output = Sequential().add(ConcatTable().add(shown).add(SelectTable(2))).add(CMulTable())
        return model.add(ConcatTable().add(output).add(SelectTable(1)))

    def nngraphModel(self) -> Any:
        """Return the module of a step as a graph."""
        x, before, cell = Identity()(), Identity()(), Identity()()
        size = self.outputSize
        if self.bn:
            of_input, of_output = self._normalization(4 * size), self._normalization(4 * size)
            of_cell = self._normalization(size)
            i2h = of_input(self.i2g(x).annotate({"name": "i2h"})).annotate({"name": "bn_wx"})
            h2h = of_output(self.o2g(before).annotate({"name": "h2h"})).annotate({"name": "bn_wh"})
            h2h = Add(4 * size)(h2h)
        else:
            i2h = self.i2g(x).annotate({"name": "i2h"})
            h2h = self.o2g(before).annotate({"name": "h2h"})
        sums = Reshape(4, size)(CAddTable()([i2h, h2h]))
        n1, n2, n3, n4 = SplitTable(2)(sums).split(4)
        enter, entering = Sigmoid()(n1), Tanh()(n2)
        forget, show = Sigmoid()(n3), Sigmoid()(n4)
        kept = CMulTable()([forget, cell])
        next_cell = CAddTable()([kept, CMulTable()([enter, entering])])
        seen = of_cell(next_cell).annotate({"name": "bn_c"}) if self.bn else next_cell
        return gModule([x, before, cell], [CMulTable()([show, Tanh()(seen)]), next_cell])

    def _normalization(self, size: int) -> BatchNormalization:
        made = BatchNormalization(size, self.eps, self.momentum, self.affine)
        made.weight.detach().fill_(0.1)
        return made

    def buildGate(self) -> Any:
        raise ModuleError("Not Implemented: nn.FastLSTM computes its gates at once")

    def buildCell(self) -> Any:
        raise ModuleError("Not Implemented: nn.FastLSTM computes its gates at once")

    buildInputGate = buildForgetGate = buildOutputGate = buildHidden = buildGate
