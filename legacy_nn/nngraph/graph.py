"""What a graph is made of in files: nodes, edges, and graphs that list them.

The attributes of an object are its fields. The same node stands in several graphs as several
Node objects, whose `data` is one table. Source: torch/graph, torch/nngraph node.lua.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table

from ..module import ModuleError
from ..values import Callee


class Node:
    """A node of a graph.

    Attributes
    ----------
    data : Table
        Shared by the copies of this node in other graphs.
    id : int
        The node's position in its graph, from 1.
    children : Table
        Nodes that edges lead to: 1, 2, ... are nodes, and each node is a key of its position.
    """

    data: Table
    id: int
    children: Table

    def __init__(self, data: Any = None) -> None:
        self.data = data
        self.id = 0
        self.children = Table()
        self.visited = self.marked = False

    def add(self, child: Node) -> None:
        """Let an edge lead to `child`, unless one does."""
        if child not in self.children:
            append(self.children, child)

    def graph(self) -> Graph:
        """Return the graph of all that can be reached from here, in breadth."""
        found = Graph()
        reached, pending = {self}, [self]
        for node in pending:
            for child in node.children.array():
                found.add(Edge(node, child))
                if child not in reached:
                    reached.add(child)
                    pending.append(child)
        return found

    def depth_first(self) -> Iterator[Node]:
        """Yield all that can be reached from here, each after all that it leads to."""
        visited = {self}
        stack = [(self, iter(self.children.array()))]
        while stack:
            node, children = stack[-1]
            child = next((c for c in children if c not in visited), None)
            if child is None:
                stack.pop()
                yield node
            else:
                visited.add(child)
                stack.append((child, iter(child.children.array())))


class NnNode(Node, Callee):
    """A node of a network.

    Its `data` may have the entries

    - `module`: what the node computes; the identity without;
    - `mapindex`: 1, 2, ... are the `data` of the nodes whose outputs are its inputs, in
      order, and each of those tables is a key of its position;
    - `selectindex`: the node passes on this element of the table that is its input;
    - `nSplitOutputs`: how many nodes do so with the output of this one;
    - `input`: the inputs of the last run.

    Source: torch/nngraph node.lua, gmodule.lua.
    """

    def __init__(self, data: Any = None, label: str = "") -> None:
        super().__init__(data if isinstance(data, Table) else Table(data or {}))
        for name in ("annotations", "mapindex", "reverseMap"):
            if self.data.get(name) is None:
                self.data[name] = Table()
        if self.data.annotations.get("_debugLabel") is None:
            self.data.annotations["_debugLabel"] = label

    def connect(self, source: NnNode) -> None:
        """Make the output of `source` the next input of this node.

        Raises
        ------
        ModuleError
            If it is one already.
        """
        mapindex, data = self.data.mapindex, source.data
        if data in mapindex:
            raise ModuleError("a node takes the output of each other node once; clone it first")
        self.add(source)
        append(mapindex, data)
        data.reverseMap[self] = True

    def split(self, noutput: int) -> Any:
        """Return a node for each element of the table that this node's output is.

        Parameters
        ----------
        noutput : int
            Number of elements, all of which must be used; a single one gives a single node.
        """
        label = self.data.annotations._debugLabel
        if noutput == 1:
            from .nesting import JustElement

            return JustElement()(self)
        middle = NnNode({"nSplitOutputs": noutput}, f"{label}-mnode")
        middle.connect(self)
        parts = []
        for i in range(1, noutput + 1):
            part = NnNode({"selectindex": i, "input": Table()}, f"{label}-{i}")
            part.connect(middle)
            parts.append(part)
        return parts

    def annotate(self, annotations: dict[str, Any] | Table) -> NnNode:
        """Keep remarks with the node; return the node."""
        self.data.annotations.update(annotations)
        return self

    def __sub__(self, module: Any) -> Any:
        """Return `module(self)`."""
        return module(self)


def append(table: Table, value: Any) -> None:
    """Add an element to a list that holds each element's position too."""
    position = len(table) + 1
    table[position] = value
    table[value] = position


class Edge:
    """An edge of a graph, from a node to another.

    Attributes
    ----------
    from : Node
        To be read with `getattr`, as the name is a word of Python.
    to : Node
    """

    to: Node

    def __init__(self, source: Node, target: Node) -> None:
        vars(self)["from"] = source
        self.to = target

    @property
    def source(self) -> Node:
        """The node that the edge comes from."""
        node: Node = vars(self)["from"]
        return node


class Graph:
    """A graph: its nodes and edges.

    Attributes
    ----------
    nodes, edges : Table
        1, 2, ... are the nodes or edges, and each is a key of its position.
    """

    nodes: Table
    edges: Table

    def __init__(self) -> None:
        self.nodes = Table()
        self.edges = Table()

    def add(self, edge: Edge) -> None:
        """Add an edge and its nodes, which get their positions as `id`."""
        if edge not in self.edges:
            append(self.edges, edge)
        for node in (edge.source, edge.to):
            if node not in self.nodes:
                append(self.nodes, node)
        edge.source.add(edge.to)
        edge.source.id = self.nodes[edge.source]
        edge.to.id = self.nodes[edge.to]

    def reverse(self) -> tuple[Graph, dict[Node, Node]]:
        """Return the graph with its edges turned round, and the new node of each node."""
        reversed_, copies = Graph(), dict[Node, Node]()
        for edge in self.edges.array():
            for node in (edge.source, edge.to):
                if node not in copies:
                    copies[node] = type(node)(node.data)
            reversed_.add(Edge(copies[edge.to], copies[edge.source]))
        return reversed_, copies

    def roots(self) -> list[Node]:
        """Return the nodes that no edge leads to."""
        targets = {edge.to for edge in self.edges.array()}
        return [node for node in self.nodes.array() if node not in targets]

    def topsort(self) -> list[Node]:
        """Return the nodes in an order in which every edge leads forwards.

        Raises
        ------
        ModuleError
            If there is a cycle.
        """
        turned, copies = self.reverse()
        originals = {copy: node for node, copy in copies.items()}
        start = Node()
        for root in turned.roots():
            start.add(root)
        ordered = [originals[node] for node in start.depth_first() if node in originals]
        if len(ordered) != len(self.nodes):
            raise ModuleError("the graph has cycles")
        return ordered


for _typename, _cls in (
    ("graph.Node", Node),
    ("nngraph.Node", NnNode),
    ("graph.Edge", Edge),
    ("graph.Graph", Graph),
):
    checkpoint.register(_typename, _cls)
