"""What graphs know of a tensor: its gradient, whether one is wanted, and what made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, cast

from . import backend
from .autograd.node import LEAF, Leaf, Node
from .autograd.parts import PICK
from .autograd.views import View, parent_of
from .dtypes import Dtype, DtypeError, is_floating
from .errors import UseError

if TYPE_CHECKING:
    from .tensor import Tensor

# Only tensors are Differentiable.
_parent_of = cast("Callable[[Differentiable], Any]", parent_of)


class Differentiable:
    """The part of Tensor that says how it stands to gradients."""

    __slots__ = ("_grad", "_node")

    _grad: Tensor | None
    _node: Leaf | Node | View | None

    if TYPE_CHECKING:  # what Tensor has beside this
        _array: Any

        @property
        def dtype(self) -> Dtype:
            """Type of the elements."""

        def _share_storage(self, other: Any) -> None:
            """Take the storage of another tensor on the same memory."""

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up; None before the first.

        They write into the tensor that is there.
        """
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def requires_grad(self) -> bool:
        """Whether gradients with respect to this tensor are wanted.

        Raises
        ------
        DtypeError
            When set on a tensor that is not floating.
        UseError
            When changed on a tensor that an operation made, or set inside vmap on one that has
            no samples.
        """
        return _parent_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value == self.requires_grad:
            return
        if value:
            check_differentiable(self.dtype)
            self._check_own_samples()
        if not self.is_leaf:
            raise UseError(
                "requires_grad of a tensor that an operation made cannot change; detach() it"
            )
        self._share_storage(self)  # a view has it from its history, which ends here
        self._node = LEAF if value else None

    def requires_grad_(self, value: bool = True) -> Self:
        """Set `requires_grad` and return this tensor."""
        self.requires_grad = value
        return self

    def _check_own_samples(self) -> None:
        """Check that a leaf made inside vmap has a gradient for each sample."""
        own = backend.levels_of(self._array)
        if any(level not in own for level in backend.OPEN.get()):
            raise UseError(
                "inside vmap a tensor that all samples share cannot begin to ask for gradients: "
                "func.grad differentiates by it, for each sample"
            )

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return not isinstance(_parent_of(self), Node)

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made this tensor, or None."""
        node = _parent_of(self)
        if not isinstance(node, Node):
            return None
        made: Node = node.parents[0] if node.op is PICK else node
        return made


def check_differentiable(dtype: Dtype) -> None:
    """Check that tensors of a dtype can have gradients.

    Raises
    ------
    DtypeError
        If it is not floating.
    """
    if not is_floating(dtype):
        raise DtypeError(f"only floating tensors have gradients; this one is {dtype}")
