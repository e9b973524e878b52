"""The package nngraph: nodes and graphs of modules."""

from __future__ import annotations

from typing import Any

from ..toolbox import Toolbox


def load(tools: Toolbox) -> Any:
    """Return the tables of classes that `nngraph.lua` makes globals."""
    graph, nngraph = tools.table({}), tools.table({})
    tools.classes.publish_package("graph", graph)
    tools.classes.publish_package("nngraph", nngraph)
    return tools.raw_table({"graph": graph, "nngraph": nngraph})
