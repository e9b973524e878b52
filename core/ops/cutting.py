"""One gradient for a tensor that was cut into parts: theirs, side by side.

Each part alone would give one of the whole tensor's size, most of it zeros, to be added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.node import Node, new_node
from ..autograd.parts import Parts, pick
from ..autograd.views import View, parent_of
from ..backend import Batched
from ..tensor import Tensor
from .namespaces import TENSORS, array_namespace


class _Cut:
    """What the node of a tensor that was cut does; its `params` is the dimension."""

    name = "split"
    computes_afresh = True

    def pullback_arrays(self, node: Node, g: Parts) -> tuple[Any]:
        return self.pullback(node, g, False, None)

    def pullback(self, node: Node, g: Parts, graph: bool, through: set[int] | None) -> tuple[Any]:
        like = next(iter(g.values.values()))
        xp: Any = TENSORS if graph else array_namespace(like)
        parts = [
            g.values[i] if i in g.values else xp.zeros_of(like, shape)
            for i, shape in enumerate(node.shape)
        ]
        return (xp.concat(parts, axis=node.params),)

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        if tangents[0] is None:
            return None
        lengths = [shape[node.params] for shape in node.shape]
        starts = [sum(lengths[:i]) for i in range(len(lengths))]
        return [
            TENSORS.narrow(tangents[0], node.params, start, length)
            for start, length in zip(starts, lengths, strict=True)
        ]


_CUT = _Cut()


def cut_together(x: Tensor, parts: Sequence[Tensor], axis: int) -> None:
    """Give parts, which are all of x along `axis` and were recorded one by one, one history.

    Writes into them are followed as before: a view knows which operation it was made by.
    """
    if len(parts) < 2 or type(x._array) is Batched:
        return
    parent = parent_of(x)
    if any(parent_of(part) is None for part in parts):
        return
    shapes, dtypes = tuple(p.shape for p in parts), tuple(p.dtype for p in parts)
    node = new_node(_CUT, (parent,), shapes, dtypes, params=axis)
    for i, part in enumerate(parts):
        history = part._node
        if isinstance(history, View):
            history.node = pick(node, i)
        else:
            part._node = pick(node, i)
