"""nn.gModule: a network that is a graph of modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.registry import names_to_text

from ..branches import refill
from ..containers import Container, run_fresh, run_torch
from ..module import (
    ArgumentError,
    InputTypeError,
    ModuleError,
    as_input,
    both_protocols,
    torch_class,
)
from ..through_torch import call_through_torch, torch_only
from .build import check_used, nodes, split_inputs
from .graph import Graph, NnNode

Inputs = dict[int, Table]
"""The inputs of nodes in one run, by the identity of the node's `data`."""


@torch_class("nn.gModule")
class gModule(Container):
    """A graph of modules, each run when its inputs are there.

    Parameters
    ----------
    inputs, outputs : NnNode or sequence of NnNode
        Nodes made by calls such as `nn.Identity()()` and `nn.Linear(3, 4)(node)`.

    Attributes
    ----------
    forwardnodes : Table of NnNode
        The nodes in an order in which they can run.
    innode, outnode : NnNode
        The nodes whose inputs are those of the graph, and its outputs.
    nInputs : int
        Number of inputs; a single one is not in a table.
    modules : Table
        The modules of `forwardnodes`, in order.

    Source: torch/nngraph gmodule.lua.
    """

    fg: Graph
    bg: Graph
    forwardnodes: Table
    backwardnodes: Table
    innode: NnNode
    outnode: NnNode
    nInputs: int | None = None
    name: str | None = None

    def __init__(self, inputs: Any, outputs: Any) -> None:
        super().__init__()
        sources, results = nodes(inputs, "inputs"), nodes(outputs, "outputs")
        innode, outnode = NnNode({"input": Table()}), NnNode({"input": Table()})
        for node in results:
            outnode.connect(node)
        split_inputs(innode, sources)
        self.bg = outnode.graph()
        self.fg = self.bg.reverse()[0]
        roots = self.fg.roots()
        first = next((node for node in roots if node.data is innode.data), None)
        if first is None or len(roots) != 1:
            raise ArgumentError(
                f"a graph starts at its inputs; {len(roots)} nodes here have none, or the "
                "outputs do not depend on the inputs"
            )
        assert isinstance(first, NnNode)
        self.innode, self.outnode = first, outnode
        self.verbose = False
        self.nInputs = len(sources)
        self.forwardnodes = Table(self.fg.topsort())
        self.backwardnodes = Table(self.bg.topsort())
        check_used(self.forwardnodes.array())
        for node in self.forwardnodes.array():
            node.data["forwardNodeId"] = node.id
            if node.data.get("module") is not None:
                self.add(node.data.module)
        for name in ("output", "gradInput"):
            vars(self).pop(name, None)
        if len(outnode.children) > 1:
            self.output = outnode.data.input

    def upgrade(self, version: int) -> None:
        """List the modules, which files from before October 2015 do not."""
        nodes = vars(self).get("forwardnodes", Table()).array()
        for data in (vars(node).get("data") for node in nodes):
            if isinstance(data, Table):
                names_to_text(data)
        if "modules" not in vars(self):
            self.modules = Table([n.data.module for n in nodes if n.data.get("module") is not None])

    # -- forward ------------------------------------------------------------------------

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        inputs = self._run(as_input(input), run_torch)
        for node in self.forwardnodes.array():
            if (received := inputs.get(id(node.data))) is not None:
                node.data["input"] = refill(node.data.get("input"), received)
        self.output = self._result(self.outnode.data["input"])
        return self.output

    def _fresh(self, input: Any) -> Any:
        if torch_only(self):
            return call_through_torch(self, input)
        return self._flow(input, run_fresh)

    def _flow(self, input: Any, run: Callable[[Any, Any], Any]) -> Any:
        return self._result(self._run(input, run)[id(self.outnode.data)])

    def _result(self, outputs: Table) -> Any:
        return outputs[1] if len(self.outnode.children) == 1 else outputs

    def _run(self, input: Any, run: Callable[[Any, Any], Any]) -> Inputs:
        """Run all nodes and return what each received."""
        inputs: Inputs = {id(self.innode.data): self._listed(input)}
        for position, node in enumerate(self.forwardnodes.array(), 1):
            received = inputs.get(id(node.data), Table())
            try:
                output = _run_node(node.data, received, run)
                for child in node.children.array():
                    _send(output, node.data, child.data, inputs)
            except Exception as error:
                error.add_note(f"in forwardnodes[{position}] of {self!r}{_where(node)}")
                raise
        return inputs

    def _listed(self, input: Any) -> Table:
        """Return the inputs of the graph in a table.

        Raises
        ------
        InputTypeError
            If they are not as many as the graph has.
        """
        count = len(self.innode.children) if self.nInputs is None else self.nInputs
        if count <= 1:
            return Table([input])
        if not isinstance(input, Table) or len(input) != count:
            given = f"{len(input)} inputs" if isinstance(input, Table) else type(input).__name__
            raise InputTypeError(f"{self!r} takes a table of {count} inputs; given {given}")
        return Table(input.array())

    def __repr__(self) -> str:
        return self.name or self.t7_typename


def _run_node(data: Table, received: Table, run: Callable[[Any, Any], Any]) -> Any:
    """Return the output of the node of this `data` for what it received."""
    module, index = data.get("module"), data.get("selectindex")
    single = len(received) == 1
    if index is not None:
        if module is not None or not single or not isinstance(received[1], Table):
            raise ModuleError(
                f"a node that selects element {index} takes one table and has no module"
            )
        return received[1][index]
    value = received[1] if single else received
    output = value if module is None else run(module, value)
    count = data.get("nSplitOutputs")
    if count is not None and (not isinstance(output, Table) or len(output) != count):
        given = f"{len(output)} of them" if isinstance(output, Table) else type(output).__name__
        raise ModuleError(f"a node is split into {count} outputs; given {given}")
    return output


def _send(output: Any, source: Table, target: Table, inputs: Inputs) -> None:
    """Make `output` the input of a node that its `mapindex` says."""
    received = inputs.setdefault(id(target), Table())
    index = target.mapindex[source]
    if received.get(index) is not None:
        raise ModuleError(f"input {index} of a node comes from two nodes")
    received[index] = output


def _where(node: NnNode) -> str:
    """Return which node it is, in the words that its makers gave it."""
    annotations = node.data.get("annotations")
    if not isinstance(annotations, Table):
        return ""
    label = annotations.get("name") or annotations.get("_debugLabel")
    return f" ({label})" if label else ""
