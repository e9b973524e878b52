"""alias: the same values under a node of their own, where a differentiation begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .node import Node, new_node
from .views import parent_of


def alias(x: Tensor) -> Tensor:
    """Return a tensor on the memory of `x` that depends on `x` and on nothing else.

    Even a constant gets a node, so that derivatives with respect to the result exist.
    """
    result = x.detach()
    result._node = new_node(ALIAS, (parent_of(x),), x.shape, x.dtype)
    return result


class _Alias:
    name = "alias"
    computes_afresh = False

    def pullback_arrays(self, node: Node, g: Any) -> tuple[Any]:
        return (g,)

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> tuple[Any]:
        return (g,)

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        return tangents[0]


ALIAS = _Alias()


def zeros_for(x: Tensor) -> Tensor:
    """Return zeros of the shape, dtype and device of `x`."""
    xp = x.array.__array_namespace__()
    return Tensor._wrap(xp.zeros_like(x.array))
