"""How a graph of modules runs: forward and back, node by node.

A plan is what the tables of the nodes say about the edges, looked up once instead of at every
run; modules and the rest are read anew. Source: torch/nngraph gmodule.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.table import new_table

from ..going_back import Ask
from ..module import ModuleError
from ..returning import added, completed, fitting
from .graph import NnNode

Received = list[dict[Any, Any]]
"""What each node received, by position, in one run."""


class Plan:
    """The edges of a graph.

    Parameters
    ----------
    nodes : sequence of NnNode
        In an order in which they can run.
    first, last : NnNode
        The nodes of the graph's inputs and outputs.

    Attributes
    ----------
    data : list of Table
        What each node computes and how: `module`, `selectindex`, `nSplitOutputs`.
    targets : list of list of (int, key)
        For each node the nodes that its output goes to, and the position there.
    sources : list of list of (int, key)
        For each node the nodes that its inputs come from, and the position here.
    """

    def __init__(self, nodes: Sequence[NnNode], first: NnNode, last: NnNode) -> None:
        self.data = [node.data for node in nodes]
        place = {id(data): k for k, data in enumerate(self.data)}
        self.first, self.last = place[id(first.data)], place[id(last.data)]
        self.single = len(last.children) == 1
        self.targets: list[list[tuple[int, Any]]] = []
        for node in nodes:
            children = node.children.array()
            self.targets.append([(place[id(c.data)], c.data.mapindex[node.data]) for c in children])
        self.sources: list[list[tuple[int, Any]]] = [[] for _ in self.data]
        for k, targets in enumerate(self.targets):
            for target, position in targets:
                self.sources[target].append((k, position))
        self._edges = [node.children._map for node in nodes]
        self._counts = [*map(len, self._edges)]

    def holds(self) -> bool:
        """Whether no edges came or went since."""
        return self._counts == [*map(len, self._edges)]

    # -- forward ------------------------------------------------------------------------

    def run(
        self, inputs: Table, run: Callable[[Any, Any], Any], where: Any, *, keep: bool = True
    ) -> Received:
        """Run all nodes and return what each received.

        Parameters
        ----------
        inputs : Table
            The inputs of the graph.
        run : callable
            `run(module, x)` returns a module's output.
        where : callable
            `where(k)` describes node k, for errors.
        keep : bool
            Whether to return what the inner nodes received too; else it can be freed early.
        """
        received: Received = [{} for _ in self.data]
        received[self.first] = dict(inputs.items())
        for k, data in enumerate(self.data):
            try:
                targets = self.targets[k]
                output = self._computed(data, _value(received[k]), run)
                for target, position in targets:
                    into = received[target]
                    if position in into:
                        raise ModuleError(f"input {position} of a node comes from two nodes")
                    if output is not None:
                        into[position] = output
            except Exception as error:
                error.add_note(where(k))
                raise
            if not keep and k != self.last:
                received[k] = {}
                del output
        return received

    def _computed(self, data: Table, value: Any, run: Callable[[Any, Any], Any]) -> Any:
        """Return the output of the node of this `data`."""
        entries = data._map
        module, index = entries.get("module"), entries.get("selectindex")
        if index is not None:
            if module is not None or not isinstance(value, Table):
                raise ModuleError(
                    f"a node that selects element {index} takes one table and has no module"
                )
            return value[index]
        output = value if module is None else run(module, value)
        count = entries.get("nSplitOutputs")
        if count is not None and (not isinstance(output, Table) or len(output) != count):
            given = f"{len(output)} of them" if isinstance(output, Table) else type(output).__name__
            raise ModuleError(f"a node is split into {count} outputs; given {given}")
        return output

    def result(self, received: Received) -> Any:
        """Return the output of the graph."""
        outputs = received[self.last]
        return outputs[1] if self.single else new_table(dict(sorted(outputs.items())))

    # -- back ---------------------------------------------------------------------------

    def pull(self, received: Received, gradOutput: Any, ask: Ask) -> Any:
        """Return the gradient for the inputs, as a table; None where none arrives.

        Parameters
        ----------
        received : list of dict
            Of a run whose outputs are those that the modules have.
        gradOutput : Tensor or Table
            In the shape of the output.
        ask : callable
            `ask(k, input, gradOutput)` returns the gradient that the module of node k has for
            its input.
        """
        arrived: list[Any] = [None] * len(self.data)
        arrived[self.last] = gradOutput
        for k in range(len(self.data) - 1, -1, -1):
            g = arrived[k]
            if g is None or k == self.first:
                continue
            data, value = self.data[k]._map, _value(received[k])
            module, index = data.get("module"), data.get("selectindex")
            if index is not None:
                g = Table({index: g})
            elif module is not None:
                g = fitting(ask(k, value, completed(g, module.output)), value)
            if g is None:
                continue
            for source, position in self.sources[k]:
                part = g if len(received[k]) == 1 else g._map.get(position)
                if part is not None:
                    arrived[source] = added(arrived[source], part)
        return arrived[self.first]


def _value(received: dict[Any, Any]) -> Any:
    """Return the only thing that a node received, or the table of all."""
    return received[1] if len(received) == 1 else new_table(received)
