"""The graph: nodes that remember an operation, leaves, and the history of views.

A tensor's `_node` is None (no gradient), `LEAF` (a gradient is wanted here), a `Node`
(an operation made it) or a `View` (it shares memory with a base whose history can change).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..errors import RekindleError

if TYPE_CHECKING:
    from ..tensor import Tensor

next_sequence = itertools.count().__next__
"""Numbers nodes in the order of their creation; a parent's number is below its child's."""


class Leaf:
    """The type of `LEAF`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "LEAF"


LEAF: Final = Leaf()
"""Marks a tensor that asks for its gradient and was made by no recorded operation."""


class Node:
    """One recorded call of an operation.

    Attributes
    ----------
    op : Op
        Has `name` and `pullback(node, g, graph, needed)`.
    parents : tuple of Node, Tensor or None
        For each operand the node that made it, the leaf it is, or None if it is constant.
    positions : tuple of int or None
        Which output of its parent each operand was; None where all were the first.
    saved : tuple or None
        What the rules asked for; None once a backward pass has used it.
    versions : tuple
        Alternating version cell and count, for each saved array.
    params : dict or tuple or None
        The call's metadata.
    shape : tuple
        Shape of the output; a tuple of shapes for several.
    hooks : dict or None
        Functions that see, and may replace, the gradient of an output.
    trace : str or None
        Where the call was, under `detect_anomaly`.
    """

    # The rest is rare: it lives in a __dict__ that only those nodes have that need one.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "op",
        "parents",
        "saved",
        "sequence",
        "shape",
        "versions",
    )

    op: Any
    parents: tuple[Any, ...]
    saved: tuple[Any, ...] | None
    versions: tuple[Any, ...]
    sequence: int
    shape: Any
    positions: tuple[int, ...] | None = None
    params: Any = None
    hooks: dict[int, list[Callable[[Any], Any]]] | None = None
    trace: str | None = None

    @property
    def name(self) -> str:
        """Name of the operation."""
        name: str = self.op.name
        return name

    def __repr__(self) -> str:
        return f"<{self.name} node {self.sequence}>"


def position_of(value: Any) -> int:
    """Return which output of its node a tensor is; 0 for anything else."""
    position: int = getattr(value, "_index", 0)
    return position


class View:
    """The history of a tensor that views another's memory.

    Attributes
    ----------
    base : Tensor
        The tensor that owns the memory; never a view itself.
    chain : tuple of (op, args, params)
        The view operations that lead from `base` to this tensor.
    node : Node or None
        The recorded history, right while `seen` is the memory's version.
    seen : int
    writable : str
        Why gradients cannot be kept through a write to this view; empty where they can.
    """

    __slots__ = ("base", "chain", "node", "position", "seen", "writable")

    def __init__(
        self,
        base: Tensor,
        chain: tuple[tuple[Any, tuple[Any, ...], dict[str, Any]], ...],
        node: Node | None,
        position: int,
        seen: int,
        writable: str,
    ) -> None:
        self.base = base
        self.chain = chain
        self.node = node
        self.position = position
        self.seen = seen
        self.writable = writable


class VersionError(RekindleError, RuntimeError):
    """A value that a backward pass needs was overwritten in place."""


def check_versions(node: Node) -> None:
    """Check that nothing that `node` saved was written to since.

    Raises
    ------
    VersionError
        Names the operation that needs the value and the write that spoilt it.
    """
    versions = node.versions
    for i in range(0, len(versions), 2):
        cell = versions[i]
        if cell[0] != versions[i + 1]:
            where = f" (called at {node.trace})" if node.trace else ""
            raise VersionError(
                f"the gradient of {node.name}{where} needs a value that {cell[1]} has since "
                f"overwritten in place: it is at version {cell[0]}, version {versions[i + 1]} was "
                "saved; use the operation that returns a new tensor, or clone() the value first"
            )
