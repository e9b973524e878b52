"""nngraph.nest: a node of all the nodes in nested tables.

Source: torch/nngraph nest.lua.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..identity import Identity
from ..lualib import tostring
from ..module import ModuleError
from .graph import NnNode
from .nesting import JustTable


def nest(input: Any, *more: Any) -> NnNode:
    """Return a node whose output is nested as its inputs are: `{a, {b, c}}`, or `a` itself.

    Parameters
    ----------
    input : NnNode or Table
        Tables have nodes and tables at 1, 2, ...

    Raises
    ------
    ModuleError
        For anything else, and for several inputs.
    """
    if more:
        raise ModuleError(f"nest takes one table of the inputs; given {1 + len(more)} arguments")
    if isinstance(input, NnNode):
        return input
    if not isinstance(input, Table) or not len(input):
        raise ModuleError(f"nest takes nodes and tables of them; given {tostring(input)}")
    if len(input) == 1:
        single: NnNode = JustTable()(input)
        return single
    node: NnNode = Identity()(Table([nest(part) for part in input.array()]))
    return node
