"""Tensor's methods that differentiate; the engine itself is core/autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import autograd
from ..autograd.hooks import Handle, Hooks
from ..autograd.node import Node
from ..autograd.views import View, keep_gradient, parent_of
from ..errors import UseError
from ..tensor import Tensor
from .methods import install_method


def backward(
    tensor: Tensor,
    gradient: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of this tensor with respect to every leaf into the leaf's `grad`.

    Parameters
    ----------
    gradient : array_like, optional
        Of this tensor's shape; a tensor of one element needs none.
    retain_graph, create_graph, inputs
        As of `autograd.backward`, which see.
    """
    autograd.backward(
        tensor, gradient, retain_graph=retain_graph, create_graph=create_graph, inputs=inputs
    )


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> Handle:
    """Call `hook` with the gradient of this tensor in every backward pass.

    Parameters
    ----------
    hook : callable
        Takes the gradient; what it returns, unless None, takes the gradient's place.

    Returns
    -------
    Handle
        Its `remove()` ends it.

    Raises
    ------
    UseError
        If the tensor requires no gradient.
    """
    parent = _required(tensor, "register_hook")
    if isinstance(parent, Node):
        hooks = parent.hooks = parent.hooks or Hooks()
        return Handle(hooks.before, hook)
    return Handle(_hooks_of(tensor).before, hook)


def register_post_accumulate_grad_hook(tensor: Tensor, hook: Callable[[Tensor], None]) -> Handle:
    """Call `hook` with this leaf after each backward pass that added to its `grad`.

    Parameters
    ----------
    hook : callable
        Takes the leaf; it may use up the gradient, and set `grad` to None. Returns None.

    Returns
    -------
    Handle
        Its `remove()` ends it.

    Raises
    ------
    UseError
        If the tensor is no leaf that requires a gradient.
    """
    if isinstance(_required(tensor, "register_post_accumulate_grad_hook"), Node):
        raise UseError(
            "register_post_accumulate_grad_hook needs a leaf: an operation made this tensor, whose "
            "gradient is not added up; register_hook sees it"
        )
    return Handle(_hooks_of(tensor).after, hook)


def retain_grad(tensor: Tensor) -> None:
    """Keep the gradient of this intermediate result in its `grad` too.

    Raises
    ------
    UseError
        If the tensor requires no gradient.
    """
    parent = _required(tensor, "retain_grad")
    if isinstance(parent, Node):
        keep_gradient(tensor, parent)


def detach_(tensor: Tensor) -> Tensor:
    """Forget how this tensor was computed, and return it.

    Raises
    ------
    UseError
        If it is a view, whose history follows that of its base.
    """
    if isinstance(tensor._node, View):
        raise UseError("detach_ would cut a view off from its base; detach() returns a tensor")
    tensor._node = None
    return tensor


def _hooks_of(leaf: Tensor) -> Hooks:
    if not hasattr(leaf, "_hooks"):
        leaf._hooks = Hooks()
    return leaf._hooks


def _required(tensor: Tensor, name: str) -> Any:
    parent = parent_of(tensor)
    if parent is None:
        raise UseError(f"{name} needs a tensor that requires gradients")
    return parent


for _function in (
    backward,
    detach_,
    register_hook,
    register_post_accumulate_grad_hook,
    retain_grad,
):
    install_method(_function.__name__, _function)
