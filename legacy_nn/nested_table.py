"""Modules on tables of tables: nn.ZipTable, ZipTableOneToMany and CAddTensorTable."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .module import InputTypeError, Module, replace_contents, torch_class
from .table import elements


class _Zipping(Module):
    """A module that arranges elements anew, and gradients back: the tensors themselves."""

    aliases = True

    def __init__(self) -> None:
        super().__init__()
        self.output = Table()
        self.gradInput = Table()

    def check_input(self, input: Any) -> None:
        """Take every type, as Torch7 does."""

    def keep(self, input: Any, result: Any) -> Any:
        return result

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return result


@torch_class("nn.ZipTable")
class ZipTable(_Zipping):
    """Turns {{a1, a2}, {b1, b2}, ...} into {{a1, b1, ...}, {a2, b2, ...}}.

    Source: torch/nn ZipTable.lua.
    """

    def compute(self, input: Any) -> Table:
        return _zipped(self, input)

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        return _zipped(self, gradOutput)


def _zipped(module: Module, rows: Any) -> Table:
    columns = Table()
    for i, row in enumerate(elements(module, rows), 1):
        for j, element in enumerate(elements(module, row), 1):
            if j not in columns:
                columns[j] = Table()
            columns[j][i] = element
    return columns


@torch_class("nn.ZipTableOneToMany")
class ZipTableOneToMany(_Zipping):
    """Turns {v, {a, b, ...}} into {{v, a}, {v, b}, ...}.

    Attributes
    ----------
    gradInputEl : Tensor
        The last gradient of v.

    Source: torch/nn ZipTableOneToMany.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gradInputEl = empty(0, self.dtype)

    def compute(self, input: Any) -> Table:
        one, many = _one_and_many(self, input)
        return Table([Table([one, element]) for element in many])

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        one, _ = _one_and_many(self, input)
        total = zeros_like(one)
        for pair in elements(self, gradOutput):
            total = total + pair[1]
        return Table([total, Table([pair[2] for pair in gradOutput.array()])])

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        self.gradInputEl = replace_contents(self.gradInputEl, result[1])
        return Table([self.gradInputEl, result[2]])


@torch_class("nn.CAddTensorTable")
class CAddTensorTable(Module):
    """Adds the tensor v to each of the table: {v, {a, b, ...}} gives {a + v, b + v, ...}.

    Source: torch/nn CAddTensorTable.lua.
    """

    aliases = True

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = Table()

    def compute(self, input: Any) -> Table:
        one, many = _one_and_many(self, input)
        for i, tensor in enumerate(many, 1):
            if tensor.size != one.size:
                raise ShapeError(
                    f"nn.CAddTensorTable adds {one.shape} to tensors of as many elements; "
                    f"given, as element {i}, {tensor.shape}"
                )
        return Table([ops.reshape(tensor, one.shape) + one for tensor in many])

    def keep(self, input: Any, result: Any) -> Any:
        return result


def _one_and_many(module: Module, input: Any) -> tuple[Tensor, list[Any]]:
    """Return the tensor and the elements of the table that stand in a table of two."""
    if not isinstance(input, Table) or len(input) != 2 or not isinstance(input[2], Table):
        raise InputTypeError(
            f"input must be table of element and table: {module.t7_typename} is "
            f"given {type(input).__name__} {input!r:.60}"
        )
    return one_tensor(module, input[1]), elements(module, input[2])
