"""Gradient checkpointing: compute again in the backward pass instead of keeping values.

Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import RekindleError
from ..tensor import Tensor
from .modes import setting
from .node import Node, next_sequence
from .views import parent_of


def checkpoint(f: Callable[..., Any], *args: Any) -> Any:
    """Return `f(*args)`; what its operations save is forgotten and computed again when needed.

    Gradients flow to `args` and to whatever `f` closes over, to any order.

    Parameters
    ----------
    f : callable
        Computes the same when called again: it draws no random numbers and changes nothing.
    *args
        Tensors and other values.

    Returns
    -------
    Tensor or tuple
        What `f` returns.
    """
    start = next_sequence()
    value = f(*args)
    nodes = _made_since(start, value)
    region = _Region(f, args, len(nodes))
    for k, node in enumerate(nodes):
        node.saved, node.versions = _Forgotten(region, k), ()  # type: ignore[assignment]
    return value


def recall(node: Node) -> None:
    """Give a node back what it saved, if a checkpoint took it.

    Raises
    ------
    RuntimeError
        If a backward pass has freed it.
    """
    if isinstance(node.saved, _Forgotten):
        node.saved.region.restore(node)
    elif node.saved is None:
        raise GraphFreedError(
            f"a second backward pass through {node.name}, whose saved values the first one "
            "freed; pass retain_graph=True to the first"
        )


class GraphFreedError(RekindleError, RuntimeError):
    """A backward pass through a graph that an earlier one has used up."""


class _Forgotten:
    """In place of what node `k` of a region saved."""

    __slots__ = ("k", "region")

    def __init__(self, region: _Region, k: int) -> None:
        self.region = region
        self.k = k


class _Region:
    """The operations of one checkpointed call."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], count: int) -> None:
        self.f = f
        self.args = args
        self.count = count
        self.values: dict[int, tuple[Any, Any]] = {}

    def restore(self, node: Node) -> None:
        k = node.saved.k  # type: ignore[union-attr]
        if k not in self.values:
            start = next_sequence()
            with setting(grad=True):
                again = _made_since(start, self.f(*self.args))
            if len(again) != self.count:
                raise RuntimeError(
                    f"a checkpointed function recorded {self.count} operations at first and "
                    f"{len(again)} when it was computed again; it must do the same each time"
                )
            self.values = {i: (n.saved, n.versions) for i, n in enumerate(again)}
        node.saved, node.versions = self.values.pop(k)


def _made_since(start: int, value: Any) -> list[Node]:
    """Return the nodes behind `value` that were recorded after `start`, oldest first."""
    outputs = value if isinstance(value, (tuple, list)) else (value,)
    pending = [parent_of(y) for y in outputs if isinstance(y, Tensor)]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, Node) and node.sequence > start and node not in seen:
            seen.add(node)
            pending.extend(node.parents)
    return sorted(seen, key=lambda node: node.sequence)
