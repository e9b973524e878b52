"""Views and writes in place: how history follows shared memory.

A write through a tensor is recorded as the out-of-place operation, whose result then takes
the written tensor's place. Where that tensor is a view, its base gets a new history ("the base
with this part replaced") and every other view of the base replays its way from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import RekindleError
from .modes import MODE, setting
from .node import Leaf, Node, View

if TYPE_CHECKING:
    from ..tensor import Tensor


class InplaceError(RekindleError, RuntimeError):
    """A write in place that would make gradients wrong."""


def parent_of(tensor: Tensor) -> Any:
    """Return what a recorded operation has for this operand: a Node, the leaf, or None."""
    node = tensor._node
    if node is None or isinstance(node, Node):
        return node
    if isinstance(node, Leaf):
        return tensor
    if node.seen != tensor._version[0]:
        _replay(tensor, node)
    return node.node


def _replay(tensor: Tensor, view: View) -> None:
    """Bring a view's history up to date after writes to its base."""
    if view.base._node is None:
        view.node = None
    else:
        with setting(grad=True):
            current: Any = view.base
            for op, args, params in view.chain:
                current = op(current, *args, **params)
        node = current._node
        view.node = node.node if isinstance(node, View) else node
    view.seen = tensor._version[0]


def check_writable(tensor: Tensor, name: str) -> None:
    """Check that a recorded write to `tensor` leaves gradients right.

    Raises
    ------
    InplaceError
        For a leaf that requires gradients, a view of one, and views that cannot be rebased.
    """
    node = tensor._node
    if isinstance(node, Leaf):
        raise InplaceError(
            f"{name} writes into a leaf that requires gradients; do it inside no_grad(), or on a "
            "clone()"
        )
    if isinstance(node, View):
        if isinstance(node.base._node, Leaf):
            raise InplaceError(
                f"{name} writes into a view of a leaf that requires gradients; do it inside "
                "no_grad(), or on a clone() of the leaf"
            )
        if node.writable:
            raise InplaceError(f"{name} writes into a view {node.writable}; clone() it first")


def rebase(tensor: Tensor, value: Tensor, write_view: Any) -> None:
    """Give `tensor`, just written, the history of `value`, and its base the part it shares.

    Parameters
    ----------
    tensor : Tensor
        Its memory and version already tell of the write.
    value : Tensor
        The result of the out-of-place operation, recorded.
    write_view : Op
        The operation "a base with the part that a chain of views names replaced".
    """
    view = tensor._node
    node = parent_of(value)
    if not isinstance(view, View):
        if node is not None:
            _take(tensor, value)
        return
    base = view.base
    if node is None and base._node is None:
        view.seen = tensor._version[0]
        return
    base._node = write_view.record_on((base, value), base, chain=view.chain)
    _replay(tensor, view)


def _take(tensor: Tensor, value: Tensor) -> None:
    """Make the recorded history of `value` that of `tensor`."""
    node = parent_of(value)
    tensor._node = node if isinstance(node, Node) else None
    if hasattr(value, "_index"):
        tensor._index = value._index


def view_history(parent: Tensor, step: Any, node: Any, writable: str) -> View:
    """Return the history of a new view of `parent`, made by `step` = (op, args, params)."""
    above = parent._node
    if isinstance(above, View):
        base, chain = above.base, (*above.chain, step)
        writable = writable or above.writable
    else:
        base, chain = parent, (step,)
    if not writable and not MODE.get().grad:
        writable = "that was made inside no_grad()"
    return View(base, chain, node, 0, parent._version[0], writable)
