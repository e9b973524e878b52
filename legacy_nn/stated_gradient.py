"""Modules whose gradient in Torch7 is not the derivative of their output.

Some add a small number to a denominator, some reverse the gradient or leave it out: what
counts is what models were trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rekindle.core.autograd import Context, Function
from rekindle.core.tensor import Tensor

from .errors import not_stated
from .module import Module
from .through_torch import torch_only
from .values import tensors_in

Gradients = tuple[Any, Sequence[Tensor | None]]
"""The gradient for the input, of its shape or a Table, and that of each parameter."""


class StatedGradient(Module):
    """A module that states its gradients beside its output; both protocols use them."""

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        """Return the gradients for `input` and for each parameter that the module has.

        Made of operations, so that it can be differentiated again.

        Parameters
        ----------
        input : Tensor or Table
        output : Tensor
            What `compute` returned for it, or what another call left in the field.
        gradOutput : Tensor, shape of `output`
        """
        raise not_stated(self, "gradients")

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return self.gradients(input, self.output, gradOutput)[0]

    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        found = iter(self.gradients(input, self.output, gradOutput)[1])
        return [
            None if getattr(self, name, None) is None else next(found)
            for name, _ in self.parameter_fields
        ]

    def _fresh(self, input: Any) -> Any:
        if torch_only(self):
            return super()._fresh(input)
        return _Stated.apply(self, input, *tensors_in(input), *self.parameters()[0])


class _Stated(Function):
    """The call of a module that states its gradients."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        module, input, *_ = args
        output = module._evaluate(input)
        ctx.call = module, input  # type: ignore[attr-defined]  # contexts take any attribute
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        module, input = ctx.call  # type: ignore[attr-defined]
        (output,) = ctx.saved_tensors
        (gradOutput,) = gradients
        found, of_parameters = module.gradients(input, output, gradOutput)
        return (None, None, *tensors_in(found), *of_parameters)
