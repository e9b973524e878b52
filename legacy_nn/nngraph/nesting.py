"""Modules with which graphs wrap and unwrap tables: nngraph.JustElement and JustTable."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..branches import one_table
from ..module import InputTypeError, Module, torch_class


class _Passing(Module):
    """Passes tensors on as they are."""

    aliases = True

    def check_input(self, input: Any) -> None:
        """Take any type."""

    def keep(self, input: Any, result: Any) -> Any:
        return result


@torch_class("nngraph.JustElement")
class JustElement(_Passing):
    """Returns the element of a table of one.

    Source: torch/nngraph JustElement.lua.
    """

    def compute(self, input: Any) -> Any:
        table = one_table(self, input)
        if len(table) != 1:
            raise InputTypeError(f"{self.t7_typename} takes one element; given {len(table)}")
        return table[1]


@torch_class("nngraph.JustTable")
class JustTable(_Passing):
    """Returns a table of one element, its input.

    Source: torch/nngraph JustTable.lua.
    """

    def compute(self, input: Any) -> Any:
        return Table([input])
