"""nn.MuFuRu: a recurrent unit that mixes several operations on its state."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..branches import ConcatTable, MapTable, ParallelTable
from ..constant import MulConstant
from ..containers import Sequential
from ..elementwise import Abs, Sqrt
from ..fields import given
from ..layout import Transpose
from ..linear import Linear
from ..module import ArgumentError, ModuleError, torch_class
from ..reduce import Max, Min, Sum
from ..shape import Unsqueeze, View
from ..softmax import SoftMax
from ..table import JoinTable, NarrowTable, SelectTable
from ..table_arithmetic import CAddTable, CMulTable, CSubTable
from ..transfer import Sigmoid
from .gru import GRU

ALL = ("keep", "replace", "mul", "diff", "forget", "sqrt_diff", "max", "min")


def operation(name: str) -> Any:
    """Return the module of an operation: {old state, new features} to a state.

    Raises
    ------
    ArgumentError
        If there is no such operation.
    """
    if name in ("max", "min"):
        chosen = Max(1) if name == "max" else Min(1)
        stacked = Sequential().add(MapTable(Unsqueeze(1))).add(JoinTable(1))
        return stacked.add(chosen)
    if name in ("keep", "replace"):
        return SelectTable(1 if name == "keep" else 2)
    if name == "mul":
        return CMulTable()
    if name == "diff":
        return CSubTable()
    if name == "forget":
        return Sequential().add(SelectTable(1)).add(MulConstant(0.0))
    if name == "sqrt_diff":
        return Sequential().add(CSubTable()).add(Abs()).add(Sqrt()).add(MulConstant(0.25))
    raise ArgumentError(f"nn.MuFuRu knows the operations {', '.join(ALL)}; given {name!r}")


@torch_class("nn.MuFuRu")
class MuFuRu(GRU):
    """A multi-function recurrent unit.

    Parameters
    ----------
    inputSize, outputSize : int
    ops : Table or list of str, optional
        Operations; by default all of them.
    rho : int, default 9999

    Source: Element-Research/rnn Mufuru.lua; Weissenborn and Rocktaeschel 2016, "MuFuRU: The
    Multi-Function Recurrent Unit".
    """

    def __init__(
        self, inputSize: int, outputSize: int, ops: Any = None, rho: int | None = None
    ) -> None:
        names = given(ops, ALL)
        self.ops = names if isinstance(names, Table) else Table(names)
        self.num_ops = len(self.ops)
        self.operations = Table([operation(name) for name in self.ops.array()])
        super().__init__(inputSize, outputSize, rho)

    def buildModel(self) -> Any:
        size, both = self.outputSize, self.inputSize + self.outputSize
        maps = ParallelTable().add(Linear(self.inputSize, size)).add(Linear(size, size))
        reset = Sequential().add(maps).add(CAddTable()).add(Sigmoid())
        kept = Sequential().add(NarrowTable(2, 2)).add(CMulTable())
        features = Sequential().add(ConcatTable().add(SelectTable(1)).add(kept))
        features.add(JoinTable(2)).add(Linear(both, size)).add(Sigmoid())
        weights = Sequential().add(NarrowTable(1, 2)).add(JoinTable(2))
        weights.add(Linear(both, self.num_ops * size))
        weights.add(View(self.num_ops, size).setNumInputDims(1))
        weights.add(Transpose([1, 2])).add(SoftMax())
        states = ConcatTable()
        for module in self.operations.array():
            states.add(module)
        applied = Sequential().add(NarrowTable(1, 2)).add(states)
        applied.add(MapTable(Unsqueeze(1))).add(JoinTable(1, 3))
        mixed = Sequential().add(ConcatTable().add(applied).add(SelectTable(3)))
        mixed.add(CMulTable()).add(Sum(1, 3))
        begun = ConcatTable().add(SelectTable(1)).add(SelectTable(2)).add(reset)
        ready = ConcatTable().add(SelectTable(2)).add(features).add(weights)
        return Sequential().add(begun).add(ready).add(mixed)

    def migrate(self, params: Any) -> None:
        raise ModuleError("Migrate not supported for MuFuRu")

    def __repr__(self) -> str:
        names = "".join(f"{name} " for name in self.ops.array())
        return f"{self.t7_typename}({self.inputSize} -> {self.outputSize}) {{ {names}}}"
