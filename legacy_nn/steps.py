"""Backward through containers: their flow, run again with modules as single steps.

Going back, a container does not compute its modules again: each step of its flow stands for
the output that the module has, and pulling a gradient through it calls the module's own
method of Torch's protocol. What lies between the modules (joining, splitting, adding up) is
differentiated as recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core.autograd import Context, Function, backward, enable_grad
from rekindle.core.creation import zeros, zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.core.tensor import Tensor

from .values import map_tensors, paired, tensors_in

Method = Callable[[Any, Any, Any], Any]
"""Takes (module, input, gradOutput) and returns the gradient for the input."""


class _Step(Function):
    """One module of a flow."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        ctx.step, _, *_ = args  # type: ignore[attr-defined]  # contexts take any attribute
        module, _, _ = ctx.step  # type: ignore[attr-defined]
        return tuple(t.detach() for t in tensors_in(module.output))

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        module, input, method = ctx.step  # type: ignore[attr-defined]
        arrived = iter(gradients)

        def given(tensor: Tensor) -> Tensor:
            g = next(arrived)
            return zeros_like(tensor) if g is None else g

        gradOutput = map_tensors(given, module.output)
        found = list(tensors_in(method(module, input, gradOutput)))
        inputs = list(tensors_in(input))
        # What a module's gradInput holds is its own: the engine must not add to it.
        aligned = [
            g.detach()[...] if is_floating(x.dtype) and g.shape == x.shape else None
            for x, g in zip(inputs, found, strict=False)
        ]
        return (None, None, *aligned, *[None] * (len(inputs) - len(aligned)))


def pull_through(
    owner: Any, flow: Callable[[Any, Any], Any], input: Any, gradOutput: Any, method: Method
) -> Any:
    """Return the gradient for `input` of what `flow` computes, calling `method` on its modules.

    Parameters
    ----------
    owner : Module
        The container, for messages.
    flow : callable
        `flow(input, run)` computes the output; `run(module, x)` runs one module.
    input, gradOutput : Tensor or Table
    method : callable
        What each module is asked on the way back.
    """
    with enable_grad():
        # Modules whose inputs are integers, or constant, still have parameters to reach.
        token = zeros(()).requires_grad_()

        def run(module: Any, x: Any) -> Any:
            plain = map_tensors(lambda t: t.detach(), x)
            results = iter(_Step.apply((module, plain, method), token, *tensors_in(x)))
            return map_tensors(lambda _: next(results), module.output)

        leaves = map_tensors(lambda t: t.detach().requires_grad_(is_floating(t.dtype)), input)
        result = flow(leaves, run)
    if pairs := paired(owner, result, gradOutput):
        backward([y for y, _ in pairs], [g for _, g in pairs])
    return map_tensors(lambda t: zeros_like(t) if t.grad is None else t.grad, leaves)
