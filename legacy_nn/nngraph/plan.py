"""How a graph of modules runs: forward and back, node by node.

A plan is what the tables of the nodes say about the edges, looked up once instead of at every
run; modules and the rest are read anew. Source: torch/nngraph gmodule.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from rekindle.core.autograd.versions import count_write
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.table import as_key, new_table
from rekindle.core.tensor import Tensor

from ..branches import refill
from ..errors import tell_place
from ..going_back import Ask, added_to
from ..gradients import refilled
from ..module import ModuleError
from ..returning import added, completed, fitting
from .graph import NnNode

Outputs = list[Any]
"""What each node computed in one run."""

Received = dict[Any, Any]
"""What one node received, by position."""

Add = Callable[[dict[Any, Any], Any, Any], Any]
"""`add(data, first, second)` returns the sum of two gradients that arrive at a node."""

Run = Callable[[Any, Any], Any]
"""`run(module, x)` returns a module's output."""


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
    sources : list of list of (int, key)
        For each node the nodes that its inputs come from, and the position here.
    places : list of tuple of int
        The same nodes in the order of their positions.
    last_used : list of list of int
        For each node those whose outputs nobody asks for after it.
    """

    def __init__(self, nodes: Sequence[NnNode], first: NnNode, last: NnNode) -> None:
        self.data = [node.data for node in nodes]
        place = {id(data): k for k, data in enumerate(self.data)}
        self.first, self.last = place[id(first.data)], place[id(last.data)]
        self.single = len(last.children) == 1
        self.sources: list[list[tuple[int, Any]]] = [[] for _ in self.data]
        for k, node in enumerate(nodes):
            for child in node.children.array():
                self.sources[place[id(child.data)]].append((k, child.data.mapindex[node.data]))
        self.places = [
            tuple(i for i, _ in sorted(sources, key=lambda source: source[1]))
            for sources in self.sources
        ]
        users = {source: k for k, sources in enumerate(self.sources) for source, _ in sources}
        self.last_used: list[list[int]] = [[] for _ in self.data]
        for source, k in users.items():
            if k != self.last:
                self.last_used[k].append(source)
        self._edges_in = [
            (k, data._map, sources)
            for k, (data, sources) in enumerate(zip(self.data, self.sources, strict=True))
        ]
        self._edges = [node.children._map for node in nodes]
        self._counts = [*map(len, self._edges)]

    def holds(self) -> bool:
        """Whether no edges came or went since."""
        return self._counts == [*map(len, self._edges)]

    # -- forward ------------------------------------------------------------------------

    def computed(self, inputs: Received, outputs: Outputs, k: int, run: Run) -> Any:
        """Return what node k computes from `outputs`, those of the nodes before it.

        Parameters
        ----------
        inputs : dict
            The inputs of the graph, by position.
        run : callable
        """
        value = _value(inputs) if k == self.first else self.value(outputs, k)
        entries = self.data[k]._map
        module = entries.get("module")
        if "selectindex" in entries:
            return _selected(value, entries["selectindex"], module)
        if module is not None:
            value = run(module, value)
        if "nSplitOutputs" in entries:
            check_split(value, entries["nSplitOutputs"])
        return value

    def received(self, outputs: Outputs, k: int) -> Received:
        """Return what a node received, by position."""
        found: Received = {}
        for source, position in self.sources[k]:
            if position in found:
                raise ModuleError(f"input {position} of a node comes from two nodes")
            if outputs[source] is not None:
                found[position] = outputs[source]
        return found

    def value(self, outputs: Outputs, k: int) -> Any:
        """Return the only thing that a node received, or the table of all."""
        sources = self.sources[k]
        if len(sources) == 1 and (value := outputs[sources[0][0]]) is not None:
            return value
        return _value(self.received(outputs, k))

    def keep_inputs(self, outputs: Outputs, inputs: Received) -> None:
        """Leave in the nodes' tables what they received, as Torch7 does."""
        for k, entries, sources in self._edges_in:
            kept = entries.get("input")
            before = kept._map if type(kept) is Table else {}
            if len(before) == len(sources) and k != self.first:
                for source, position in sources:
                    if position not in before or outputs[source] is None:
                        break
                    before[position] = outputs[source]
                else:
                    continue
            received = inputs if k == self.first else self.received(outputs, k)
            if before.keys() == received.keys():
                before.update(received)
            elif received:
                entries["input"] = refill(kept, new_table(received))

    def result(self, outputs: Outputs) -> Any:
        """Return the output of the graph."""
        received = self.received(outputs, self.last)
        return received[1] if self.single else new_table(dict(sorted(received.items())))

    # -- back ---------------------------------------------------------------------------

    def pull(
        self, outputs: Outputs, gradOutput: Any, ask: Ask, where: Any, add: Add | None = None
    ) -> Any:
        """Return the gradient for the inputs, as a table; None where none arrives.

        Parameters
        ----------
        outputs : list
            Of a run whose outputs are those that the modules have.
        gradOutput : Tensor or Table
            In the shape of the output.
        ask : callable
            `ask(k, input, gradOutput)` returns the gradient that the module of node k has for
            its input.
        where : callable
            `where(k)` describes node k, for errors.
        add : callable, optional
            What returns the sum of two gradients that arrive at a node; by default `summed`.
        """
        arrived: list[Any] = [None] * len(self.data)
        arrived[self.last] = gradOutput
        for k in range(len(self.data) - 1, -1, -1):
            if (g := arrived[k]) is not None and k != self.first:
                self.pull_node(k, g, outputs, arrived, ask, where, add or summed)
        return arrived[self.first]

    def pull_node(
        self,
        k: int,
        g: Any,
        outputs: Outputs,
        arrived: list[Any],
        ask: Ask,
        where: Any,
        add: Add,
    ) -> None:
        """Add what node k has for the nodes that its inputs come from to what arrived there."""
        data, sources = self.data[k]._map, self.sources[k]
        module, index = data.get("module"), data.get("selectindex")
        if index is not None:
            g = new_table({as_key(index): g})
        elif module is not None:
            value = self.value(outputs, k)
            try:
                g = ask(k, value, completed(g, module.output))
            except Exception as error:
                tell_place(error, where(k))
                raise
            g = fitting(g, value)
        if g is None:
            return
        single = len(sources) == 1 or len(self.received(outputs, k)) == 1
        for source, position in sources:
            part = g if single else g._map.get(position)
            if part is None:
                continue
            if (before := arrived[source]) is None:
                arrived[source] = part
            elif index is None:
                arrived[source] = add(self.data[source]._map, before, part)
            else:
                arrived[source] = added(before, part)


def summed(entries: dict[Any, Any], first: Any, second: Any) -> Any:
    """Return the sum of two gradients that arrive at a node, in the node's `gradOutputBuffer`."""
    kept = entries.get("gradOutputBuffer")
    if type(kept) is type(first) is type(second) is Tensor:
        out, a, b = kept._array, first._array, second._array
        if (
            type(out) is type(a) is type(b) is ndarray
            and out.shape == a.shape == b.shape
            and out.dtype is a.dtype is b.dtype
            and out.flags.carray
        ):
            np.add(a, b, out)
            count_write(kept._version, "copy_")
            return kept
    if kept is None or kept is not first:
        kept = entries["gradOutputBuffer"] = refilled(kept, first)
    return added_to(kept, second)


def summed_before(entries: dict[Any, Any], first: Any, second: Any) -> Any:
    """Return the sum that `updateGradInput` has left there, which nngraph reads again, too.

    Where the node's module works in place, its gradient for its input stands there by now.
    """
    kept = entries.get("gradOutputBuffer")
    return summed(entries, first, second) if kept is None else kept


def _value(received: Received) -> Any:
    """Return the only thing that a node received, or the table of all."""
    return received[1] if len(received) == 1 else new_table(received)


def _selected(value: Any, index: Any, module: Any) -> Any:
    if module is not None or not isinstance(value, Table):
        raise ModuleError(f"a node that selects element {index} takes one table and has no module")
    return value[index]


def check_split(output: Any, count: int) -> None:
    """Check that what is split into several outputs is a table of as many."""
    if not isinstance(output, Table) or len(output) != count:
        given = f"{len(output)} of them" if isinstance(output, Table) else type(output).__name__
        raise ModuleError(f"a node is split into {count} outputs; given {given}")
