"""Gradient checkpointing: compute again in the backward pass instead of keeping values.

Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ..generators import Generator, default_generator, using
from ..tensor import Tensor
from .errors import GraphError, GraphFreedError
from .modes import setting
from .node import Node
from .packing import Packed
from .versions import check_pairs, next_order
from .views import parent_of


def checkpoint(f: Callable[..., Any], *args: Any) -> Any:
    """Return `f(*args)`; what its operations save is forgotten and computed again when needed.

    Gradients flow to `args` and to whatever `f` closes over, to any order.

    Parameters
    ----------
    f : callable
        Computes the same when called again and changes nothing. Random numbers that it draws
        from the CPU's default generator are the same again; others it may not draw.
    *args
        Tensors and other values.

    Returns
    -------
    Tensor, tuple or list
        What `f` returns.

    Raises
    ------
    GraphError
        In the backward pass, if `f` does not record the same operations again.
    """
    for x in args:
        if isinstance(x, Tensor):
            parent_of(x)  # a view that has to catch up with its base does so outside
    generator = deepcopy(default_generator())
    start = next_order()
    value = f(*args)
    nodes = _made_since(start, value)
    region = _Region(f, args, nodes, generator)
    for k, node in enumerate(nodes):
        node.saved = _Forgotten(region, k, node)
    return value


def recall(node: Node) -> Packed | None:
    """Give a node back what it saved, if a checkpoint or a hook took it.

    Returns
    -------
    Packed or None
        What to put in the place of `saved` again if the graph is kept.

    Raises
    ------
    GraphFreedError
        If a backward pass has freed it.
    """
    while isinstance(node.saved, _Forgotten):
        check_pairs(node, node.saved.versions)
        node.saved.region.restore(node, node.saved.k)
    packed = node.saved
    if isinstance(packed, Packed):
        node.saved = packed.unpacked(node)
        return packed
    if packed is None:
        raise GraphFreedError(
            f"a second backward pass through {node.name}, whose saved values the first one "
            "freed; pass retain_graph=True to the first"
        )
    return None


class _Forgotten:
    """In place of what node `k` of a region saved."""

    __slots__ = ("k", "region", "versions")

    def __init__(self, region: _Region, k: int, node: Node) -> None:
        self.region = region
        self.k = k
        self.versions: tuple[Any, ...] = ()
        if isinstance(node.saved, _Forgotten):
            self.versions = node.saved.versions
        elif isinstance(node.saved, tuple) and node.versions:
            self.versions = node.saved[node.versions :]


class _Region:
    """The operations of one checkpointed call.

    Computed again, their values wait here for the node that asks for them. The nodes of the
    first call stay the graph: those of the second only lend what they saved.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        nodes: list[Node],
        generator: Generator,
    ) -> None:
        self.f = f
        self.args = args
        self.made = [*map(_described, nodes)]
        self.generator = generator
        self.values: dict[int, tuple[Any, int]] = {}

    def restore(self, node: Node, k: int) -> None:
        if k not in self.values:
            start = next_order()
            with setting(grad=True), using(deepcopy(self.generator)):
                again = _made_since(start, self.f(*self.args))
            made = [*map(_described, again)]
            if made != self.made:
                raise GraphError(
                    f"a checkpointed function recorded {', '.join(self.made)} at first, and when "
                    f"computed again {', '.join(made)}; it must do the same each time"
                )
            self.values = {i: (n.saved, n.versions) for i, n in enumerate(again)}
        node.saved, node.versions = self.values.pop(k)


def _described(node: Node) -> str:
    return f"{node.name} {node.shape}"


def _made_since(start: int, value: Any) -> list[Node]:
    """Return the nodes behind `value` that were recorded after `start`, oldest first."""
    outputs = value if isinstance(value, (tuple, list)) else (value,)
    pending = [parent_of(y) for y in outputs if isinstance(y, Tensor)]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, Node) and node.order < start and node not in seen:
            seen.add(node)
            pending.extend(node.parents)
    return sorted(seen, key=lambda node: -node.order)
