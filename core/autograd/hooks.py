"""Hooks: functions of the user that see gradients on their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType

if TYPE_CHECKING:
    from ..tensor import Tensor


class Hooks:
    """What happens at a node, or at a leaf, beside the rules.

    Attributes
    ----------
    before : list of callable
        Called with the gradient of the tensor; may replace it.
    ahead : list of callable
        At a node: called with the gradients of all outputs before its rules; may replace them.
    after : list of callable
        At a node: called with the gradients that leave and those that arrived; may replace the
        former. At a leaf: called with the leaf when its `grad` has been added to.
    kept_by : weak reference to Tensor, or None
        The tensor that keeps the gradient, because of `retain_grad`.
    """

    __slots__ = ("after", "ahead", "before", "kept_by")

    def __init__(self) -> None:
        self.before: list[Callable[[Tensor], Tensor | None]] = []
        self.ahead: list[Callable[..., Any]] = []
        self.after: list[Callable[..., Any]] = []
        self.kept_by: ReferenceType[Tensor] | None = None


class Handle:
    """A registered hook; `remove()` ends it."""

    __slots__ = ("_hook", "_hooks")

    def __init__(self, hooks: list[Callable[..., Any]], hook: Callable[..., Any]) -> None:
        hooks.append(hook)
        self._hooks = hooks
        self._hook = hook

    def remove(self) -> None:
        """Stop calling the hook; nothing happens if it was removed before."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)
