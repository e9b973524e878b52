"""What a graph is made of in files: nodes, edges, and graphs that list them.

The attributes of an object are its fields. The same node stands in several graphs as several
Node objects, whose `data` is one table. Source: torch/graph, torch/nngraph node.lua.
"""

from __future__ import annotations

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table


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


class NnNode(Node):
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


class Edge:
    """An edge of a graph, from a node to another.

    Attributes
    ----------
    from : Node
        To be read with `getattr`, as the name is a word of Python.
    to : Node
    """

    to: Node


class Graph:
    """A graph: its nodes and edges.

    Attributes
    ----------
    nodes, edges : Table
        1, 2, ... are the nodes or edges, and each is a key of its position.
    """

    nodes: Table
    edges: Table


for _typename, _cls in (
    ("graph.Node", Node),
    ("nngraph.Node", NnNode),
    ("graph.Edge", Edge),
    ("graph.Graph", Graph),
):
    checkpoint.register(_typename, _cls)
