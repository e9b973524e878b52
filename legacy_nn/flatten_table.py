"""nn.FlattenTable: the leaves of a table of tables.

Source: torch/nn FlattenTable.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from .conversion import Cache
from .module import torch_class
from .table import AnyType, check_table


@torch_class("nn.FlattenTable")
class FlattenTable(AnyType):
    """Gives the leaves of a table of tables in one flat table, depth first.

    Attributes
    ----------
    input_map : Table
        The shape of the last input, with the position in the output at each leaf.

    Source: torch/nn FlattenTable.lua.
    """

    scratch = ("input_map",)

    aliases = True
    not_converted = ("output", "gradInput", "input_map")

    input_map: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.output = Table()
        self.input_map = Table()
        self.gradInput = Table()

    def type(self, type: str | None = None, tensorCache: Cache | None = None) -> Any:
        """Empty the tables, whose tensors are others', and return the module.

        Its own type stays what it is, as in Torch7. Without `type`, return that.
        """
        return self._type if type is None else self.clearState()

    def compute(self, input: Any) -> Any:
        check_table(self, input)
        leaves: list[Any] = []
        input_map = _flatten(input, leaves)
        if self._is_output(leaves) and _same_map(self.input_map, input_map):
            input_map = self.input_map
        return Table(leaves), input_map

    def keep_extras(self, *extras: Any) -> None:
        (self.input_map,) = extras

    def keep(self, input: Any, result: Any) -> Any:
        return self.output if self._is_output(result.array()) else result

    def _is_output(self, leaves: list[Any]) -> bool:
        before = self.output.array() if isinstance(self.output, Table) else []
        return len(before) == len(leaves) and all(map(_is, before, leaves))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return _arranged(self.input_map, gradOutput)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return self.gradInput if _same(self.gradInput, result) else result


def _is(a: Any, b: Any) -> bool:
    return a is b


def _arranged(input_map: Any, leaves: Any) -> Any:
    """Return the leaves in the shape of a table of their positions."""
    if isinstance(input_map, Table):
        return Table([_arranged(part, leaves) for part in input_map.array()])
    return leaves.get(input_map)


def _same_map(a: Any, b: Any) -> bool:
    """Whether two tables of tables have the same positions at their leaves."""
    if isinstance(a, Table) and isinstance(b, Table):
        return len(a) == len(b) and all(map(_same_map, a.array(), b.array()))
    return not isinstance(a, Table) and not isinstance(b, Table) and bool(a == b)


def _same(a: Any, b: Any) -> bool:
    """Whether two tables of tables have the same objects as their leaves."""
    if isinstance(a, Table) and isinstance(b, Table):
        return len(a) == len(b) and all(map(_same, a.array(), b.array()))
    return a is b


def _flatten(value: Any, leaves: list[Any]) -> Any:
    """Append the leaves of `value`; return the table of their positions, like it in shape."""
    if isinstance(value, Table):
        return Table([_flatten(element, leaves) for element in value.array()])
    leaves.append(value)
    return len(leaves)
