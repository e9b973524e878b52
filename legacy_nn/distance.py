"""Lengths and distances: nn.Normalize, PairwiseDistance, CosineDistance, Cosine, Euclidean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import arange, empty
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import fitted, left_behind, one_tensor
from .fields import add_parameter, empty_pair, given, uniform_bound
from .matrix import rows_of_two
from .module import ArgumentError, Module, as_torch, torch_class
from .stated_gradient import Gradients, StatedGradient
from .torch7 import random


@torch_class("nn.Normalize")
class Normalize(StatedGradient):
    """Divides a vector, or each row of a matrix, by its p-norm.

    Parameters
    ----------
    p : float
        Above 0; inf is the largest magnitude.
    eps : float, default 1e-10
        Added to the sum of powers before the root, or to the largest magnitude.

    Source: torch/nn Normalize.lua.
    """

    scratch = ("_output", "_indices", "_gradInput", "buffer", "norm", "normp", "cross")
    not_converted = ("_indices",)

    eps: float = 1e-10

    def __init__(self, p: float, eps: float | None = None) -> None:
        super().__init__()
        if not p > 0:
            raise ArgumentError(f"{p}-norm not supported: nn.Normalize takes a p above 0")
        self.p = p
        self.eps = given(eps, 1e-10)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 1, 2, says="only 1d layer supported")
        return x / self._norm(x)[1]

    def _norm(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of powers and the norm of each row, both with `eps` in them."""
        if self.p == math.inf:
            norm = ops.norm(x, p=math.inf, axis=-1, keepdims=True) + self.eps
            return norm, norm
        powers = ops.square(x) if self.p == 2 else ops.power(ops.abs(x), self.p)
        total = ops.sum(powers, axis=-1, keepdims=True) + self.eps
        return total, ops.sqrt(total) if self.p == 2 else ops.power(total, 1 / self.p)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        g = fitted(self, gradOutput, input)
        total, norm = self._norm(input)
        across = ops.sum(input * g, axis=-1, keepdims=True)
        return (total * g - self._slope(input, norm) * across) / (total * norm), ()

    def _slope(self, x: Tensor, norm: Tensor) -> Tensor:
        """Return 1/p times the derivative of the sum of powers, as Torch7 computes it."""
        if self.p == math.inf:
            largest = ops.argmax(ops.abs(x), axis=-1, keepdims=True)
            there = ops.equal(arange(x.shape[-1], device=x.device), largest)
            return ops.where(there, x / norm, 0)
        if self.p == 2:
            return x
        # Below 2 the power is negative, and Torch7 avoids dividing by 0.
        size = ops.abs(x) + self.eps if self.p < 2 else ops.abs(x)
        return ops.power(size, self.p - 2) * x

    def __repr__(self) -> str:
        p = f"{self.p:d}" if float(self.p).is_integer() else f"{self.p:f}"
        return f"{self.t7_typename}({p})"


@torch_class("nn.PairwiseDistance")
class PairwiseDistance(StatedGradient):
    """The p-norm of the difference of two vectors, or of the rows of two matrices.

    Parameters
    ----------
    p : float, default 2

    Source: torch/nn PairwiseDistance.lua.
    """

    scratch = ("diff", "outExpand", "grad", "ones")

    norm: float

    def __init__(self, p: float | None = None) -> None:
        super().__init__()
        self.gradInput = Table()
        self.diff = empty(0, self.dtype)
        self.norm = given(p, 2)

    def compute(self, input: Any) -> Tensor:
        a, b = rows_of_two(self, input)
        return ops.norm(a - b, p=self.norm, axis=1)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        a, b = rows_of_two(self, input)
        difference = a - b
        g = ops.reshape(fitted(self, gradOutput, output, "output"), (-1, 1))
        if self.norm == 1:
            slope = _signs(difference)
        else:
            # For 1 < p < 2 Torch7 leaves the power of the difference out.
            power = ops.power(ops.abs(difference), self.norm - 2) if self.norm > 2 else 1
            distance = ops.reshape(output, (-1, 1)) + 1e-6
            slope = difference * power * ops.power(distance, 1 - self.norm)
        found = ops.reshape(slope * g, input[1].shape)
        return Table([found, -found]), ()


@torch_class("nn.CosineDistance")
class CosineDistance(Module):
    """The cosine of the angle of two vectors, or of the rows of two matrices.

    Source: torch/nn CosineDistance.lua.
    """

    scratch = ("buffer", "w1", "w22", "w", "w32", "ones")

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> Tensor:
        a, b = rows_of_two(self, input)
        inverse_a = 1 / (ops.sum(a * a, axis=1) + 1e-12)
        inverse_b = 1 / (ops.sum(b * b, axis=1) + 1e-12)
        return ops.sum(a * b, axis=1) * ops.sqrt(inverse_a * inverse_b)


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

    def compute(self, input: Any) -> Tensor:
        x = _features(self, input, self.weight.shape[1])
        length = ops.norm(x, axis=-1, keepdims=True) + 1e-12
        return ops.linear(x, self.weight, None) / (ops.norm(self.weight, axis=1) + 1e-12) / length

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        super().accGradParameters(input, gradOutput, scale)
        if input.ndim == 1 and scale != 1:
            # Torch7 scales only the part that stands for the direction of the vector.
            with as_torch():
                lengths = ops.norm(self.weight, axis=1, keepdims=True) + 1e-12
                y, g = (ops.unsqueeze(x, 1) for x in left_behind(self, "output", gradOutput))
                self.gradWeight.add_(self.weight * (g * y / ops.square(lengths)) * (scale - 1))


@torch_class("nn.Euclidean")
class Euclidean(StatedGradient):
    """The distance of the input from each of a set of learned points.

    Parameters
    ----------
    inputSize, outputSize : int

    Attributes
    ----------
    weight : Parameter, shape (inputSize, outputSize)

    Source: torch/nn Euclidean.lua.
    """

    scratch = (
        *("_input", "_output", "_gradOutput", "_weight", "_div", "_sum", "_expand", "_expand2"),
        *("_expand3", "_repeat", "_repeat2"),
    )
    not_converted = scratch

    fastBackward: bool = True

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (inputSize, outputSize))
        self.gradInput = empty(inputSize, self.dtype)
        self.output = empty(outputSize, self.dtype)
        self.fastBackward = True
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw new points, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.weight.shape[0])
        random.uniform(self.weight, -bound, bound)

    def compute(self, input: Any) -> Tensor:
        x = _features(self, input, self.weight.shape[0])
        return ops.norm(ops.unsqueeze(x, x.ndim) - self.weight, axis=-2)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        difference = ops.unsqueeze(input, input.ndim) - self.weight
        along = difference * _over_distance(self, input, output, gradOutput)
        return ops.sum(along, axis=-1), [-_over_batch(along)]


@torch_class("nn.WeightedEuclidean")
class WeightedEuclidean(StatedGradient):
    """Euclidean with a learned weight for each coordinate of each point.

    Parameters
    ----------
    inputSize, outputSize : int

    Attributes
    ----------
    weight, diagCov : Parameter, shape (inputSize, outputSize)

    Source: torch/nn WeightedEuclidean.lua.
    """

    parameter_fields = (("weight", "gradWeight"), ("diagCov", "gradDiagCov"))

    fastBackward: bool = False
    diagCov: Tensor
    gradWeight: Tensor
    gradDiagCov: Tensor

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (inputSize, outputSize))
        add_parameter(self, "diagCov", "gradDiagCov", (inputSize, outputSize))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw new points, uniformly with deviation `stdv`; all weights become 1."""
        bound = uniform_bound(stdv, self.weight.shape[0])
        random.uniform(self.weight, -bound, bound)
        self.diagCov.detach().fill_(1)

    def compute(self, input: Any) -> Tensor:
        x = _features(self, input, self.weight.shape[0])
        return ops.norm((ops.unsqueeze(x, x.ndim) - self.weight) * self.diagCov, axis=-2)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return self._gradients(input, output, gradOutput)

    def _gradients(
        self, input: Any, output: Tensor, gradOutput: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        factor = _over_distance(self, input, output, gradOutput)
        difference = ops.unsqueeze(input, input.ndim) - self.weight
        along = difference * ops.square(self.diagCov) * factor
        of_weights = ops.square(difference) * self.diagCov * factor
        return ops.sum(along, axis=-1), (-_over_batch(along), _over_batch(of_weights))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            of_points, of_weights = self._gradients(input, self.output, gradOutput)[1]
            self.gradWeight.add_(of_points * scale)
            # Torch7 does not scale this one for a single sample.
            self.gradDiagCov.add_(of_weights * scale if input.ndim == 2 else of_weights)


def _signs(x: Tensor) -> Tensor:
    """Return the signs of x; those of zeros are drawn, as nn.PairwiseDistance does."""
    zero = x.to("cpu").numpy() == 0
    signs = np.sign(x.to("cpu").numpy())
    signs[zero] = 2 * random.random(empty(int(zero.sum()), x.dtype), 2).numpy() - 3
    return Tensor(signs, device=x.device)


def _over_distance(
    module: Euclidean | WeightedEuclidean, input: Tensor, output: Tensor, gradOutput: Any
) -> Tensor:
    """Return gradOutput divided by the distances, (..., 1, outputSize)."""
    if not module.fastBackward:
        output = module.compute(input)
    # The small number stands against a distance of 0.
    ratio = fitted(module, gradOutput, output, "output") / (output + 1e-7)
    return ops.unsqueeze(ratio, ratio.ndim - 1)


def _over_batch(x: Tensor) -> Tensor:
    return ops.sum(x, axis=0) if x.ndim == 3 else x


def _features(module: Module, input: Any, size: int) -> Tensor:
    says = "" if isinstance(module, Cosine) else "1D or 2D input expected"
    x = one_tensor(module, input, 1, 2, says=says)
    if x.shape[-1] != size:
        raise ShapeError(f"{module.t7_typename} takes {size} features; given shape {x.shape}")
    return x
