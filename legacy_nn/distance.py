"""Lengths and distances: nn.Normalize, PairwiseDistance, CosineDistance, Cosine, Euclidean."""

from __future__ import annotations

import math
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .fields import add_parameter, empty_pair, given, uniform_bound
from .matrix import rows_of_two
from .module import ArgumentError, Module, torch_class
from .torch7 import random


@torch_class("nn.Normalize")
class Normalize(Module):
    """Divides a vector, or each row of a matrix, by its p-norm.

    Parameters
    ----------
    p : float
        Above 0; inf is the largest magnitude.
    eps : float, default 1e-10
        Added to the sum of powers before the root, or to the largest magnitude.

    Source: torch/nn Normalize.lua.
    """

    eps: float = 1e-10

    def __init__(self, p: float, eps: float | None = None) -> None:
        super().__init__()
        if not p > 0:
            raise ArgumentError(f"nn.Normalize takes a p above 0; given {p}")
        self.p = p
        self.eps = given(eps, 1e-10)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 1, 2)
        if self.p == math.inf:
            return x / (ops.norm(x, p=math.inf, axis=-1, keepdims=True) + self.eps)
        powers = ops.square(x) if self.p == 2 else ops.power(ops.abs(x), self.p)
        total = ops.sum(powers, axis=-1, keepdims=True) + self.eps
        return x / (ops.sqrt(total) if self.p == 2 else ops.power(total, 1 / self.p))

    def __repr__(self) -> str:
        p = f"{self.p:d}" if float(self.p).is_integer() else f"{self.p:f}"
        return f"{self.t7_typename}({p})"


@torch_class("nn.PairwiseDistance")
class PairwiseDistance(Module):
    """The p-norm of the difference of two vectors, or of the rows of two matrices.

    Parameters
    ----------
    p : float, default 2

    Source: torch/nn PairwiseDistance.lua.
    """

    norm: float

    def __init__(self, p: float | None = None) -> None:
        super().__init__()
        self.gradInput = Table()
        self.diff = empty(0, self.dtype)
        self.norm = given(p, 2)

    def compute(self, input: Any) -> Tensor:
        a, b = rows_of_two(self, input)
        return ops.norm(a - b, p=self.norm, axis=1)


@torch_class("nn.CosineDistance")
class CosineDistance(Module):
    """The cosine of the angle of two vectors, or of the rows of two matrices.

    Source: torch/nn CosineDistance.lua.
    """

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


@torch_class("nn.Euclidean")
class Euclidean(Module):
    """The distance of the input from each of a set of learned points.

    Parameters
    ----------
    inputSize, outputSize : int

    Attributes
    ----------
    weight : Parameter, shape (inputSize, outputSize)

    Source: torch/nn Euclidean.lua.
    """

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


@torch_class("nn.WeightedEuclidean")
class WeightedEuclidean(Module):
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

    diagCov: Tensor

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


def _features(module: Module, input: Any, size: int) -> Tensor:
    x = one_tensor(module, input, 1, 2)
    if x.shape[-1] != size:
        raise ShapeError(f"{module.t7_typename} takes {size} features; given shape {x.shape}")
    return x
