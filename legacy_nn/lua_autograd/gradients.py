"""Where a differentiated function begins and ends: its arguments, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.autograd import Context, Function, enable_grad, grad, once_differentiable
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor

from .calls import marked


class AutogradError(RekindleError, ValueError):
    """A function that cannot be differentiated as it is asked."""


class _Same(Function):
    """An argument of an inner function, told apart from the outer value that it is."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        return args[0].clone()

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        return gradients[0]


def leaf(value: Any, node: bool) -> Tensor:
    """Return a tensor, or a number, as what gradients are asked for.

    Parameters
    ----------
    value : Tensor or float
    node : bool
        Whether it is that of a node, whose history goes on.
    """
    if node:
        with enable_grad():
            same: Tensor = _Same.apply(value)
            return same
    begun = value.detach() if isinstance(value, Tensor) else tensor(float(value), "float64")
    return begun.requires_grad_()


def gradients(result: Any, leaves: Table, partial: Any, again: bool) -> tuple[Any, ...]:
    """Return the gradients of a function's result, with what each is to Lua.

    Parameters
    ----------
    result : Tensor or float
        A number, unless `partial` is given.
    leaves : Table of Tensor
    partial : Tensor or float, optional
        The gradient of something with respect to the result.
    again : bool
        Whether the gradients will be differentiated.

    Raises
    ------
    AutogradError
        If the result is no number, and there is no `partial`.
    """
    if partial is None and isinstance(result, Tensor) and result.ndim:
        raise AutogradError(
            "Autograd only supports scalar return values. Output is not scalar: its first value is "
            f"a tensor of shape {result.shape}"
        )
    targets = leaves.array()
    if not (isinstance(result, Tensor) and result.requires_grad):
        return marked(tuple(_zeros(t) for t in targets))
    if isinstance(partial, Tensor) and partial.shape != result.shape:
        partial = ops.reshape(partial, result.shape)
    elif isinstance(partial, (int, float)):
        partial = tensor(np.full(result.shape, partial), result.dtype)
    with enable_grad():
        found = grad(result, targets, partial, create_graph=again, allow_unused=True)
    each = [_zeros(t) if g is None else g for t, g in zip(targets, found, strict=True)]
    return marked(tuple(each if again else _own(each, partial)))


def _own(found: list[Tensor], partial: Any) -> list[Tensor]:
    """Return gradients that may be written to: each has memory of its own."""
    taken: list[np.ndarray[Any, Any]] = []
    if isinstance(partial, Tensor):
        taken.append(partial.detach().numpy())
    own = []
    for g in found:
        array = g.detach().numpy()
        if not array.flags.writeable or any(np.may_share_memory(array, t) for t in taken):
            g = g.detach().clone()
            array = g.numpy()
        taken.append(array)
        own.append(g)
    return own


class _Ruled(Function):
    """A call of a Lua function with gradients of its own."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        ctx.gradient, value = args[0], args[1]  # type: ignore[attr-defined]  # contexts take any
        ctx.result = value  # type: ignore[attr-defined]
        return value.clone() if isinstance(value, Tensor) else tensor(float(value), "float64")

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, *gradients: Any) -> Any:
        g = gradients[0].detach()
        count = len(ctx.needs_input_grad) - 2
        found: list[Any] = [None] * count
        for i in range(count):
            if ctx.needs_input_grad[i + 2]:
                found[i] = ctx.gradient(i + 1, g if g.ndim else g.item(), ctx.result)  # type: ignore[attr-defined]
                if isinstance(found[i], (int, float)):
                    found[i] = tensor(float(found[i]), "float64")
        return (None, None, *found)


def call_rule(value: Any, gradient: Any, operands: Table) -> tuple[Any, ...]:
    """Call a Lua function that has gradients of its own.

    Parameters
    ----------
    value : callable
        Returns the result: a tensor or a number.
    gradient : callable
        Given the position of an operand, the gradient and the result, returns the operand's.
    operands : Table of Tensor
        The nodes among the arguments.
    """
    result = value()
    with enable_grad():
        return marked(_Ruled.apply(gradient, result, *operands.array()))


def _zeros(target: Tensor) -> Any:
    return ops.zeros_of(target.detach(), target.shape)
