"""The graph: nodes, each a recorded call of an operation, and leaves.

A tensor's `_node` is None (no gradient), `LEAF` (a gradient is wanted here), a `Node`
(an operation made it) or a `View` (it shares memory with a base whose history can change;
see views.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from .anomaly import users_lines
from .hooks import Handle, Hooks
from .modes import MODE
from .packing import Packed
from .versions import Cell, next_order, version_of

if TYPE_CHECKING:
    from ..tensor import Tensor


class Leaf:
    """The type of `LEAF`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "LEAF"


LEAF: Final = Leaf()
"""Marks a tensor that asks for its gradient and was made by no recorded operation."""


class Operation(Protocol):
    """What a node asks of the operation that it recorded a call of.

    Gradients are arrays, or tensors where the pass is itself recorded (`graph`); that of a
    node with several outputs is `Parts`. None stands for zero.
    """

    computes_afresh: bool
    """Whether gradients that are not what arrived, nor saved, are known to nobody else."""

    @property
    def name(self) -> str:
        """For messages."""

    def pullback_arrays(self, node: Node, g: Any) -> Sequence[Any]:
        """Return the gradient of each operand for the arrays of an ordinary backward pass."""

    def pullback(self, node: Node, g: Any, graph: bool, through: set[int] | None) -> Sequence[Any]:
        """Return the gradient of each operand, of those in `through` (ids) if that is given."""

    def pushforward(self, node: Node, tangents: Sequence[Any]) -> Any:
        """Return the tangent of the output, a list for several, for those of the operands."""


class Node:
    """One recorded call of an operation.

    Attributes
    ----------
    op : Operation
    x, y : Node, Tensor or None
        For each of two operands the node that made it, the leaf it is, or None if it is constant.
    many : tuple of the same, or None
        Of one operand, or of more than two. Two need no tuple: objects that live as long as the
        graph are what recording costs most, and Python's collector looks at each.
    saved : tuple or None
        What the rules asked for, then alternating version cell and count for each saved array of
        a tensor; None once a backward pass has used it.
    versions : int
        Where in `saved` the versions begin; 0 if no array of a tensor was saved.
    params : dict
        The call's metadata; not set for operations that have none.
    order : int
        Smaller than that of every node made before; see `versions.next_order`.
    shape, dtype
        Of the output; tuples of them for several.
    hooks : Hooks or None
    """

    __slots__ = (
        "__weakref__",
        "_trace",
        "dtype",
        "hooks",
        "many",
        "op",
        "order",
        "params",
        "saved",
        "shape",
        "versions",
        "x",
        "y",
    )

    op: Operation
    x: Any
    y: Any
    many: tuple[Any, ...] | None
    saved: Any
    versions: int
    params: Any
    order: int
    shape: Any
    dtype: Any
    hooks: Hooks | None
    _trace: str

    @property
    def name(self) -> str:
        """Name of the operation."""
        return self.op.name

    @property
    def parents(self) -> tuple[Any, ...]:
        """For each operand the node that made it, the leaf it is, or None if it is constant."""
        return (self.x, self.y) if self.many is None else self.many

    def called_at(self) -> str:
        """Return the lines of the user's program that the call came from, where known."""
        trace = getattr(self, "_trace", None)
        if trace is None:
            return f"(inside detect_anomaly() this would say where {self.name} was called)"
        return f"{self.name} was called at\n{trace}"

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(input_gradients, output_gradients)` in each backward pass through here.

        Parameters
        ----------
        hook : callable
            Takes two tuples: the gradients of the operands that this node has computed and
            those of its outputs that it was given, None for one that there is none of. What
            it returns, unless None, takes the place of the first.

        Returns
        -------
        Handle
            Its `remove()` ends it.
        """
        hooks = self.hooks = self.hooks or Hooks()
        return Handle(hooks.after, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(output_gradients)` in each backward pass that goes on from here.

        Parameters
        ----------
        hook : callable
            Takes a tuple: the gradients of the outputs, None for one that there is none of.
            What it returns, unless None, takes their place. Runs after the hooks of tensors.

        Returns
        -------
        Handle
            Its `remove()` ends it.
        """
        hooks = self.hooks = self.hooks or Hooks()
        return Handle(hooks.ahead, hook)

    def __repr__(self) -> str:
        return f"<{self.name} node {-self.order}>"


def new_node(
    op: Operation,
    parents: tuple[Any, ...],
    shape: Any,
    dtype: Any,
    saved: Any = (),
    versions: tuple[Any, ...] = (),
    params: Any = None,
) -> Node:
    """Return a node that is newer than all others; see Node.

    A function, because fast.py makes nodes without it, and a class without `__init__` is
    quicker to call.
    """
    node = Node()
    node.op, node.params = op, params
    if len(parents) == 2:
        node.x, node.y = parents
        node.many = None
    else:
        node.many = parents
    node.shape, node.dtype = shape, dtype
    node.saved, node.versions = (*saved, *versions), len(saved) if versions else 0
    node.order = next_order()
    node.hooks = None
    mode = MODE.get()
    if mode.watched:
        if mode.anomaly:
            node._trace = users_lines()
        if mode.packing is not None and versions:
            node.saved = Packed(saved, mode.packing)  # which writes to the tensors do not reach
    return node


def saved_version(tensor: Tensor) -> tuple[Cell, int]:
    """Return what `Node.saved` has of versions for a tensor saved now."""
    cell = tensor._version
    return cell, version_of(cell)
