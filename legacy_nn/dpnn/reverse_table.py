"""nn.ReverseTable: the elements of a table in the opposite order."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..branches import refill
from ..module import InputTypeError, Module, torch_class


@torch_class("nn.ReverseTable")
class ReverseTable(Module):
    """Returns the elements of a table, the last one first.

    Source: Element-Research/dpnn ReverseTable.lua.
    """

    aliases = True

    def __init__(self) -> None:
        super().__init__()
        self.output, self.gradInput = Table(), Table()

    def compute(self, input: Any) -> Table:
        if not isinstance(input, Table):
            raise InputTypeError(f"Expecting table at arg 1; given {type(input).__name__}")
        return Table(input.array()[::-1])

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        return Table(gradOutput.array()[::-1])

    def check_input(self, input: Any) -> None:
        """Take every type, as Torch7 does."""

    def keep(self, input: Any, result: Any) -> Any:
        return refill(self.output, result)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return refill(self.gradInput, result)
