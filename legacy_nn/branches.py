"""Containers that return a table: nn.ConcatTable, ParallelTable and MapTable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from rekindle.core.checkpoint import Table

from .containers import Container, Step, known
from .going_back import Share, SideBySide, entry, summed
from .module import ArgumentError, InputTypeError, torch_class
from .texts import indented


def refill(table: Any, values: Table) -> Table:
    """Return `table` with the entries of `values` in place of its own; `values` if it is none."""
    if not isinstance(table, Table):
        return values
    for i in range(len(values) + 1, len(table) + 1):
        table[i] = None
    table.update(values)
    return table


def one_table(module: Any, input: Any) -> Table:
    """Return `input`, which must be a table.

    Raises
    ------
    InputTypeError
        If it is none.
    """
    if not isinstance(input, Table):
        raise InputTypeError(
            f"{module.t7_typename} takes a table; given {type(input).__name__} {input!r:.60}"
        )
    return input


@torch_class("nn.ConcatTable")
class ConcatTable(SideBySide, Container):
    """Gives every module the same input; the output is the table of theirs.

    Source: torch/nn ConcatTable.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.output = Table()

    def flow(self, input: Any, step: Step) -> Any:
        return Table([step(i, input) for i in range(1, len(self.modules) + 1)])

    def keep(self, input: Any, result: Any) -> Any:
        return refill(self.output, result)

    def shares(self, input: Any, gradOutput: Any) -> Iterator[Share]:
        for i in range(1, len(self.modules) + 1):
            yield i, input, entry(self, gradOutput, i, "gradOutput")

    def gather(self, input: Any, found: Iterator[Any]) -> Any:
        return summed(self.gradInput, input, found)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        return self.backward_at_once(input, gradOutput, scale)

    def __repr__(self) -> str:
        return self._branches()


@torch_class("nn.ParallelTable")
class ParallelTable(SideBySide, Container):
    """Gives module i the element i of the input table; the output is the table of theirs.

    Source: torch/nn ParallelTable.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.output = Table()
        self.gradInput = Table()

    def flow(self, input: Any, step: Step) -> Any:
        table, count = one_table(self, input), len(self.modules)
        if len(table) < count:
            raise InputTypeError(
                f"attempt to index local 'input' (a nil value): {self.t7_typename} has {count} "
                f"modules; given a table of {len(table)}"
            )
        return Table([step(i, table[i]) for i in range(1, count + 1)])

    def keep(self, input: Any, result: Any) -> Any:
        return refill(self.output, result)

    def shares(self, input: Any, gradOutput: Any) -> Iterator[Share]:
        for i in range(1, len(self.modules) + 1):
            yield i, entry(self, input, i, "input"), entry(self, gradOutput, i, "gradOutput")

    def gather(self, input: Any, found: Iterator[Any]) -> Any:
        table = self.gradInput if isinstance(self.gradInput, Table) else Table()
        for i, gradient in enumerate(found, 1):
            table[i] = gradient
        return table

    def __repr__(self) -> str:
        return self._branches()


@torch_class("nn.MapTable")
class MapTable(SideBySide, Container):
    """Gives a copy of its one module to each element of the input table.

    Parameters
    ----------
    module : Module, optional
        May also be given with `add`.
    shared : bool, default True
        Whether the copies share the memory of the parameters and their gradients.

    Attributes
    ----------
    module : Module
        The first of `modules`.

    Source: torch/nn MapTable.lua.
    """

    module: Any = None
    shared: bool = True
    sharedparams: Table = Table(["weight", "bias", "gradWeight", "gradBias"])

    def __init__(self, module: Any = None, shared: bool = True) -> None:
        super().__init__()
        self.shared = shared
        self.sharedparams = Table(["weight", "bias", "gradWeight", "gradBias"])
        self.output = Table()
        self.gradInput = Table()
        if module is not None:
            self.add(module)

    def add(self, module: Any) -> Self:
        """Take the one module and return the container.

        Raises
        ------
        ArgumentError
            If it has one.
        """
        if self.module is not None:
            raise ArgumentError("Single module required: nn.MapTable has one")
        self.module = self.modules[1] = module
        return self

    def resize(self, n: int) -> None:
        """Have `n` copies of the module, itself included."""
        self._extend(n)
        for i in range(n + 1, len(self.modules) + 1):
            self.modules[i] = None

    def _extend(self, count: int) -> None:
        module = self.modules[1] = known(self.module)
        names = self.sharedparams.array() if self.shared else []
        for i in range(len(self.modules) + 1, count + 1):
            self.modules[i] = module.clone(*names)

    def zeroGradParameters(self) -> None:
        if self.shared and self.module is not None:
            known(self.module).zeroGradParameters()
        else:
            super().zeroGradParameters()

    def updateParameters(self, learningRate: float) -> None:
        if self.shared and self.module is not None:
            known(self.module).updateParameters(learningRate)
        else:
            super().updateParameters(learningRate)

    def clearState(self) -> Self:
        """Empty what the last calls left, copies of the module too; return the container."""
        for i in range(2, len(self.modules) + 1):
            self.modules[i] = None
        return super().clearState()

    def flow(self, input: Any, step: Step) -> Any:
        table = one_table(self, input)
        self._extend(len(table))
        return Table([step(i, table[i]) for i in range(1, len(table) + 1)])

    def shares(self, input: Any, gradOutput: Any) -> Iterator[Share]:
        self._extend(count := len(one_table(self, input)))
        for i in range(1, count + 1):
            yield i, input[i], entry(self, gradOutput, i, "gradOutput")

    def gather(self, input: Any, found: Iterator[Any]) -> Any:
        return Table(list(found))

    def __repr__(self) -> str:
        if self.module is None:
            return f"{self.t7_typename} {{ }}"
        return f"{self.t7_typename} {{\n  {indented(self.module, '        ')}\n}}"
