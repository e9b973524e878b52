"""Views and writes in place: how history follows shared memory.

A write through a tensor is recorded as the out-of-place operation, whose result then takes
the written tensor's place. Where that tensor is a view, its base gets a new history ("the base
with this part replaced") and every other view of the base replays its way from there.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from .errors import InplaceError
from .hooks import Hooks
from .modes import MODE, setting
from .node import Leaf, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

Step = tuple[Any, tuple[Any, ...], dict[str, Any]]
"""One view operation: (op, args, params)."""


class View:
    """The history of a tensor that views another's memory.

    Attributes
    ----------
    base : Tensor
        The tensor that owns the memory; never a view itself.
    path : tuple or None
        The view operations that lead from `base` to this tensor: the last step, and the path
        before it. A list would be copied with every view of a view.
    node : Node or None
        The recorded history, right while the base's is `seen`.
    seen : Leaf, Node or None
    origin : str
        How the view was made if gradients cannot be kept through writes; else empty.
    """

    __slots__ = ("base", "node", "origin", "path", "seen")

    def __init__(self, base: Tensor, path: Any, node: Node | None, origin: str) -> None:
        self.base = base
        self.path = path
        self.node = node
        self.seen: Any = base._node
        self.origin = origin

    def steps(self) -> Sequence[Step]:
        """Return the view operations from the base to here, in order."""
        steps = []
        path = self.path
        while path is not None:
            path, step = path
            steps.append(step)
        return steps[::-1]


def view_of(parent: Tensor, step: Step, node: Node | None) -> View:
    """Return the history of a new view of `parent`, made by `step` and recorded in `node`."""
    above = parent._node
    if isinstance(above, View):
        base, path, origin = above.base, above.path, above.origin
    else:
        base, path, origin = parent, None, ""
    if not origin and not MODE.get().grad:
        origin = "was made inside no_grad()"
    return View(base, (path, step), node, origin)


def parent_of(tensor: Tensor) -> Any:
    """Return what a recorded operation has for this operand: a Node, the leaf, or None."""
    node = tensor._node
    if node is None or isinstance(node, Node):
        return node
    if isinstance(node, Leaf):
        return tensor
    if node.base._node is not node.seen:
        _follow(tensor, node)
    return node.node


def _follow(tensor: Tensor, view: View) -> None:
    """Bring a view's history up to date after its base got a new one."""
    base = view.base
    if not isinstance(base._node, Node) or base._version is not tensor._version:
        view.seen = base._node  # the base asks for gradients only now, or has other memory
        return
    if view.origin:
        raise InplaceError(
            f"a view {_which(view)} is used after a recorded write to the memory that it shares: "
            "what its gradient is cannot be told; clone() it first"
        )
    with setting(grad=True):
        current = base
        for op, args, params in view.steps():
            current = op(current, *args, **params)
    node = current._node
    new = node.node if isinstance(node, View) else node
    assert not isinstance(new, Leaf)
    _keep_on(tensor, view.node, new)
    view.node, view.seen = new, base._node


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
    if isinstance(node, View) and node.base._version is tensor._version:
        if node.origin:
            raise InplaceError(f"{name} writes into a view {_which(node)}; clone() it first")
        if isinstance(node.base._node, Leaf):
            raise InplaceError(
                f"{name} writes into a view of a leaf that requires gradients; do it inside "
                "no_grad(), or on a clone() of the leaf"
            )


def _which(view: View) -> str:
    return f"that {view.origin}"


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
    if isinstance(view, View) and view.base._version is tensor._version:
        base = view.base
        new = write_view.record((base, value), base, chain=view.steps())
        if new is not None:
            _keep_on(base, base._node, new)
            base._node = new
            _follow(tensor, view)
        return
    set_history(tensor, parent_of(value))


def set_history(tensor: Tensor, new: Any) -> None:
    """Give a tensor that is no view, and was just written, another history."""
    _keep_on(tensor, tensor._node, new)
    tensor._node = new


def keep_gradient(tensor: Tensor, node: Node) -> None:
    """Have the gradient of the output of `node` kept in the `grad` of `tensor`."""
    hooks = node.hooks = node.hooks or Hooks()
    hooks.kept_by = weakref.ref(tensor)


def _keep_on(tensor: Tensor, old: Any, new: Any) -> None:
    """Let a tensor that keeps its gradient do so in its new history too."""
    if (
        isinstance(old, Node)
        and old.hooks is not None
        and old.hooks.kept_by is not None
        and old.hooks.kept_by() is tensor
    ):
        old.hooks.kept_by = None
        if new is not None:
            keep_gradient(tensor, new)
