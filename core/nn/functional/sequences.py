"""LSTM and GRU layers as one recorded step for all times.

What `recurrent.py` composes of operations for every time is one kernel here, forward and
backward; the gradient of the recurrent weights is one product instead of one for each time.
Where the backward pass is itself recorded, the composition computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd import Context, Function, grad, is_grad_enabled
from ...autograd.alias import alias
from ...kernels import recurrent as kernels
from ...tensor import Tensor

Composed = Callable[..., tuple[Tensor, ...]]
"""Computes the layer from the same operands, made of operations."""


class _Layer(Function):
    """What both have: the backward pass that is recorded."""

    @staticmethod
    def recorded(ctx: Any, operands: Any, gradients: Any) -> list[Tensor | None]:
        """Return the gradients of the operands, made of operations."""
        # Of operands that depend on each other, each has the gradient of its own use only.
        leaves = [None if x is None else alias(x) for x in operands]
        asked: list[Any] = [
            x for x, wanted in zip(leaves, ctx.needs_input_grad, strict=False) if wanted
        ]
        outputs = ctx.composed(*leaves)
        found = iter(grad(outputs, asked, gradients, create_graph=True, allow_unused=True))
        return [next(found) if wanted else None for wanted in ctx.needs_input_grad[: len(leaves)]]


class LSTMLayer(_Layer):
    """`apply(sums, weight, h, c, reverse, composed)` returns all h and the last c."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        """Compute all times."""
        sums, weight, h, c, reverse, composed = args
        state: Any = ctx
        state.reverse, state.composed = reverse, composed
        xp = sums.array.__array_namespace__()
        arrays = [x.array for x in (sums, weight, h, c)]
        hs, cs, gates = kernels.lstm_layer(xp, *arrays, reverse=reverse)
        state.made = cs, gates
        outputs = Tensor._wrap(hs)
        ctx.save_for_backward(sums, weight, h, c, outputs)
        return outputs, Tensor._wrap(cs[0 if reverse else -1].copy())

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """Return the gradients of the operands."""
        state: Any = ctx
        *operands, hs = ctx.saved_tensors
        if is_grad_enabled():
            return (*_Layer.recorded(ctx, operands, gradients), None, None)
        _, weight, h, c = (x.array for x in operands if x is not None)
        xp = weight.__array_namespace__()
        arriving = [g.array for g in gradients]
        given = (*arriving, weight, h, c, hs.array if hs is not None else None)
        found = kernels.lstm_layer_gradient(xp, *given, *state.made, reverse=state.reverse)
        return (*map(Tensor._wrap, found), None, None)


class GRULayer(_Layer):
    """`apply(sums, weight, bias, h, reverse, composed)` returns all h."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        """Compute all times."""
        sums, weight, bias, h, reverse, composed = args
        state: Any = ctx
        state.reverse, state.composed = reverse, composed
        xp = sums.array.__array_namespace__()
        arrays = [x if x is None else x.array for x in (sums, weight, bias, h)]
        hs, gates, hidden = kernels.gru_layer(xp, *arrays, reverse=reverse)
        state.made = gates, hidden
        outputs = Tensor._wrap(hs)
        ctx.save_for_backward(sums, weight, bias, h, outputs)
        return outputs

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """Return the gradients of the operands."""
        state: Any = ctx
        *operands, hs = ctx.saved_tensors
        if is_grad_enabled():
            return (*_Layer.recorded(ctx, operands, gradients), None, None)
        _, weight, bias, h = (None if x is None else x.array for x in operands)
        assert weight is not None
        assert hs is not None
        xp = weight.__array_namespace__()
        found = kernels.gru_layer_gradient(
            xp, gradients[0].array, weight, h, hs.array, *state.made, reverse=state.reverse
        )
        g_sums, g_weight, g_bias, g_h = map(Tensor._wrap, found)
        return g_sums, g_weight, None if bias is None else g_bias, g_h, None, None
