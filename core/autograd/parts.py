"""Operations with several outputs: each output is a node of its own, that picks.

So every other node has one output and one gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .node import Node, new_node


class Parts:
    """Gradients of some outputs of a node, which go by the position of the output."""

    __slots__ = ("dtype", "shape", "values")

    def __init__(self, values: dict[int, Any], shape: Any, dtype: Any) -> None:
        self.values = values
        self.shape = shape
        self.dtype = dtype

    def __add__(self, other: Parts) -> Parts:
        values = dict(self.values)
        for position, g in other.values.items():  # a saved output is picked once more
            values[position] = values[position] + g if position in values else g
        return Parts(values, self.shape, self.dtype)


def pick(node: Node, position: int) -> Node:
    """Return a node for output `position` of `node`."""
    return new_node(PICK, (node,), node.shape[position], node.dtype[position], params=position)


class _Pick:
    name = "pick"
    computes_afresh = False

    def pullback_arrays(self, node: Node, g: Any) -> tuple[Parts]:
        parent = node.parents[0]
        return (Parts({node.params: g}, parent.shape, parent.dtype),)

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> tuple[Parts]:
        return self.pullback_arrays(node, g)

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        return None if tangents[0] is None else tangents[0][node.params]


PICK = _Pick()
