"""alias: the same values under a node of their own, where a differentiation begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .node import Node, next_sequence, position_of
from .views import parent_of


def alias(x: Tensor) -> Tensor:
    """Return a tensor on the memory of `x` that depends on `x` and on nothing else.

    Even a constant gets a node, so that derivatives with respect to the result exist.
    """
    node = Node()
    node.op, node.parents, node.sequence = _ALIAS, (parent_of(x),), next_sequence()
    position = position_of(x)
    if position:
        node.positions = (position,)
    node.saved = node.versions = ()
    node.shape = x.shape
    result = Tensor._wrap(x.array)
    result._storage, result._version, result._node = x.storage(), x._version, node
    return result


class _Alias:
    """What an alias's node has for its operation."""

    name, outputs = "alias", 1

    def pullback(self, node: Node, g: Any, graph: bool, wanted: set[int] | None) -> list[Any]:
        """Pass the gradient on."""
        return [g]

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        """Pass the tangent on."""
        return tangents[0]


_ALIAS = _Alias()


def zeros_for(x: Tensor) -> Tensor:
    """Return zeros of the shape, dtype and device of `x`."""
    xp = x.array.__array_namespace__()
    return Tensor._wrap(xp.zeros_like(x.array))
