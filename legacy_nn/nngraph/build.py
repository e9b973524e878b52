"""Building graphs: calls of modules on nodes, and nn.gModule of the result."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rekindle.core.checkpoint import Table

from ..module import ArgumentError
from ..values import Nothing
from .graph import NnNode

PACKAGE = str(Path(__file__).parents[1])


def connect(module: Any, input: Any) -> NnNode:
    """Return a node that computes `module` on the outputs of other nodes.

    Parameters
    ----------
    module : Module
    input : NnNode, sequence of NnNode or NOTHING
        Without input the node is one of the graph's own inputs.

    Raises
    ------
    ArgumentError
        If something else than nodes is given, or an empty list.
    """
    node = NnNode({"module": module}, _caller())
    if isinstance(input, Nothing):
        return node
    for source in nodes(input, "inputs"):
        node.connect(source)
    return node


def nodes(value: Any, what: str) -> list[NnNode]:
    """Return one node or several as a list, after checking them."""
    if isinstance(value, NnNode):
        return [value]
    listed = value.array() if isinstance(value, Table) else list(value)
    if not listed:
        raise ArgumentError(f"a graph needs {what}; leave the argument out where there are none")
    for i, node in enumerate(listed, 1):
        if not isinstance(node, NnNode):
            raise ArgumentError(
                f"{what}[{i}] is no node of a graph but a {type(node).__name__}; call a module, "
                "as in nn.Identity()(), to make one"
            )
    return listed


def _caller() -> str:
    """Return where the graph is being built, as Torch7 labels nodes."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"[{Path(frame.f_code.co_filename).name}]:{frame.f_lineno}_{frame.f_code.co_name}"


def split_inputs(innode: NnNode, inputs: Sequence[NnNode]) -> None:
    """Lead the graph's inputs from `innode` to the nodes that they are for.

    Raises
    ------
    ArgumentError
        If one of several inputs has inputs of its own.
    """
    if len(inputs) == 1:
        inputs[0].connect(innode)
        return
    if any(len(node.children) for node in inputs):
        raise ArgumentError("an input of a graph has no inputs of its own")
    for node, part in zip(inputs, innode.split(len(inputs)), strict=True):
        node.connect(part)


def check_used(forwardnodes: Iterable[NnNode]) -> None:
    """Check that what was built leads to the outputs.

    Raises
    ------
    ArgumentError
        For outputs of a split, or nodes, that nothing uses.
    """
    ordered = list(forwardnodes)
    data = {id(node.data) for node in ordered}
    for node in ordered:
        label = node.data.annotations.get("_debugLabel", "")
        count = node.data.get("nSplitOutputs")
        if count is not None and count != len(node.children):
            raise ArgumentError(
                f"{count - len(node.children)} of split({count}) outputs from the node declared "
                f"at {label} are unused"
            )
        for successor in node.data.reverseMap:
            if id(successor.data) not in data:
                where = successor.data.annotations.get("_debugLabel", "")
                raise ArgumentError(f"node declared on {where} does not connect to gmodule output")
