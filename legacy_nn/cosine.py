"""Cosines of angles: nn.CosineDistance and nn.Cosine.

Going back, both use the lengths that the last forward pass found, as Torch7 does.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full
from rekindle.core.tensor import Tensor

from .checks import features, fitted, left_behind, remembered
from .fields import add_parameter, empty_pair, set_field, uniform_bound
from .matrix import rows_of_two
from .module import Module, ModuleError, as_torch, torch_class
from .torch7 import random


@torch_class("nn.CosineDistance")
class CosineDistance(Module):
    """The cosine of the angle of two vectors, or of the rows of two matrices.

    Source: torch/nn CosineDistance.lua.
    """

    scratch = ("buffer", "w1", "w22", "w", "w32", "ones")

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> tuple[Tensor, ...]:
        a, b = rows_of_two(self, input)
        dot = ops.sum(a * b, axis=1, keepdims=True)
        of_a = 1 / (ops.sum(a * a, axis=1, keepdims=True) + 1e-12)
        of_b = 1 / (ops.sum(b * b, axis=1, keepdims=True) + 1e-12)
        scale = ops.sqrt(of_a * of_b)
        return ops.reshape(dot * scale, (-1,)), dot, of_a, of_b, scale

    def keep_extras(self, *extras: Any) -> None:
        for name, value in zip(("w1", "w22", "w32", "w"), extras, strict=True):
            set_field(self, name, value)

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        a, b = rows_of_two(self, input)
        dot, of_a, of_b, scale = remembered(self, "w1", "w22", "w32", "w")
        factor = scale * ops.reshape(fitted(self, gradOutput, self.output, "output"), (-1, 1))
        shape = input[1].shape
        found = (b - dot * of_a * a) * factor, (a - dot * of_b * b) * factor
        return Table([ops.reshape(g, shape) for g in found])


@torch_class("nn.Cosine")
class Cosine(Module):
    """The cosine of the angle between the input and each of a set of learned vectors.

    Parameters
    ----------
    inputSize, outputSize : int

    Attributes
    ----------
    weight : Parameter, shape (outputSize, inputSize)

    Source: torch/nn Cosine.lua.
    """

    scratch = ("_input", "_weight", "_gradOutput", "_sum", "_inputNorm", "_weightNorm")
    not_converted = scratch

    gradWeight: Tensor

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (outputSize, inputSize))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw new vectors, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.weight.shape[0])
        random.uniform(self.weight, -bound, bound)

    def compute(self, input: Any) -> tuple[Tensor, ...]:
        x = features(self, input, self.weight.shape[1])
        length = ops.norm(x, axis=-1, keepdims=True) + 1e-12
        lengths = ops.norm(self.weight, axis=1, keepdims=True) + 1e-12
        y = ops.linear(x, self.weight, None) / ops.reshape(lengths, (-1,)) / length
        return y, lengths, length

    def keep_extras(self, *extras: Any) -> None:
        lengths, length = extras
        set_field(self, "_weightNorm", lengths)
        if length.ndim == 1:
            vars(self)["__norm"] = length.item()
        else:
            set_field(self, "_inputNorm", length)

    def _left(self, input: Tensor, gradOutput: Any) -> tuple[Tensor, ...]:
        """Return rows of input, output, gradOutput; their lengths; those of the weight."""
        (lengths,) = remembered(self, "_weightNorm")
        y, g = left_behind(self, "output", gradOutput)
        if input.ndim == 2:
            return input, y, g, remembered(self, "_inputNorm")[0], lengths
        if (length := vars(self).get("__norm")) is None:
            raise ModuleError(f"{self.t7_typename} has no __norm: call updateOutput first")
        x, y, g = (ops.unsqueeze(t, 0) for t in (input, y, g))
        return x, y, g, full((1, 1), length, input.dtype, input.device), lengths

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        x, y, g, length, lengths = self._left(input, gradOutput)
        towards = ops.matmul(g / ops.transpose(lengths, 0, 1), self.weight)
        along = ops.sum(g * y, axis=1, keepdims=True) * x / length
        return ops.reshape((towards - along) / length, input.shape)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            x, y, g, length, lengths = self._left(input, gradOutput)
            towards = ops.matmul(ops.transpose(g, 0, 1), x / length) / lengths
            each = ops.reshape(ops.sum(g * y, axis=0), (-1, 1)) / ops.square(lengths)
            if input.ndim == 2:  # where Torch7 scales nothing
                self.gradWeight.add_(towards - self.weight * each)
            else:  # it scales the first part, and reads a weight that this may have changed
                self.gradWeight.add_(towards * scale).sub_(self.weight * each)
