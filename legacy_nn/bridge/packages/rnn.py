"""The package rnn: its classes, and the functions on nested tables beside them."""

from __future__ import annotations

from typing import Any

from ...rnn import nested
from ..toolbox import Toolbox
from . import publish_part

FUNCTIONS = (
    *("recursiveCopy", "recursiveResizeAs", "recursiveAdd", "recursiveSet", "recursiveFill"),
    *("recursiveNormal", "recursiveSum", "recursiveNew", "recursiveTensorEq"),
)


def load(tools: Toolbox) -> Any:
    """Return the tables that `rnn.lua` merges into `nn` and makes global."""
    module = tools.table({})
    publish_part(tools, "rnn", module)
    functions = tools.table({name: getattr(nested, name) for name in FUNCTIONS})
    return tools.raw_table({"classes": module, "rnn": functions})
