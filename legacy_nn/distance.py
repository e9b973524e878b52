"""Distances: nn.PairwiseDistance, Euclidean and WeightedEuclidean.

Going back, they use the distances that the last forward pass left in `output`; the last two
use its differences as well, as Torch7 does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.tensor import Tensor

from .checks import features, fitted, remembered
from .conversion import Cache
from .fields import add_parameter, given, set_field, uniform_bound
from .matrix import rows_of_two
from .module import Module, as_torch, torch_class
from .stated_gradient import Gradients, StatedGradient
from .torch7 import random


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

    fastBackward: bool = True
    gradWeight: Tensor

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (inputSize, outputSize))
        self.gradInput = empty(inputSize, self.dtype)
        self.output = empty(outputSize, self.dtype)
        self.fastBackward = True
        self.reset()

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self.clearState()
        super().convert_fields(typename, cache)

    def reset(self, stdv: float | None = None) -> None:
        """Draw new points, uniformly with deviation `stdv`."""
        bound = uniform_bound(stdv, self.weight.shape[0])
        random.uniform(self.weight, -bound, bound)

    def compute(self, input: Any) -> tuple[Tensor, Tensor]:
        x = features(self, input, self.weight.shape[0], "1D or 2D input expected")
        difference = ops.unsqueeze(x, x.ndim) - self.weight
        return ops.norm(difference, axis=-2), difference

    def keep_extras(self, *extras: Any) -> None:
        set_field(self, "_repeat", extras[0])

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        difference = ops.unsqueeze(input, input.ndim) - self.weight
        along = difference * _over_distance(self, output, gradOutput)
        return ops.sum(along, axis=-1), [-_over_batch(along)]

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        if not self.fastBackward:
            self.updateOutput(input)
        (difference,) = remembered(self, "_repeat")
        set_field(self, "_repeat2", difference * _over_distance(self, self.output, gradOutput))
        return ops.reshape(ops.sum(vars(self)["_repeat2"], axis=-1), input.shape)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """Add `scale` times the gradients that the last `updateGradInput` found."""
        with as_torch():
            (along,) = remembered(self, "_repeat2", method="updateGradInput")
            self.gradWeight.add_(_over_batch(along) * -scale)


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

    def compute(self, input: Any) -> tuple[Tensor, Tensor]:
        x = features(self, input, self.weight.shape[0], "1D or 2D input expected")
        weighted = (ops.unsqueeze(x, x.ndim) - self.weight) * self.diagCov
        return ops.norm(weighted, axis=-2), weighted

    def keep_extras(self, *extras: Any) -> None:
        set_field(self, "_repeat", extras[0])

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        factor = _over_distance(self, output, gradOutput)
        difference = ops.unsqueeze(input, input.ndim) - self.weight
        along = difference * ops.square(self.diagCov) * factor
        of_weights = ops.square(difference) * self.diagCov * factor
        return ops.sum(along, axis=-1), (-_over_batch(along), _over_batch(of_weights))

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        if not self.fastBackward:
            self.updateOutput(input)
        (weighted,) = remembered(self, "_repeat")
        set_field(self, "_div", _over_distance(self, self.output, gradOutput))
        set_field(self, "_repeat2", weighted * vars(self)["_div"] * self.diagCov)
        return ops.reshape(ops.sum(vars(self)["_repeat2"], axis=-1), input.shape)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """Add `scale` times the gradients that the last `updateGradInput` found.

        As in Torch7 this uses the memory up: called again before `updateGradInput` is, it adds
        something else. For a single sample `gradDiagCov` is not scaled.
        """
        with as_torch():
            names = ("_repeat", "_repeat2", "_div")
            weighted, along, factor = remembered(self, *names, method="updateGradInput")
            self.gradWeight.add_(_over_batch(along) * -scale)
            squared = ops.square(weighted / self.diagCov) * self.diagCov
            if input.ndim == 1:
                weighted.copy_(squared)
                along.copy_(squared * factor)
                self.gradDiagCov.add_(along)
            else:
                weighted.copy_(squared * factor)
                self.gradDiagCov.add_(_over_batch(weighted) * scale)

    accUpdateGradParameters = Module.defaultAccUpdateGradParameters


def _signs(x: Tensor) -> Tensor:
    """Return the signs of x; those of zeros are drawn, as nn.PairwiseDistance does."""
    zero = x.to("cpu").numpy() == 0
    signs = np.sign(x.to("cpu").numpy())
    signs[zero] = 2 * random.random(empty(int(zero.sum()), x.dtype), 2).numpy() - 3
    return Tensor(signs, device=x.device)


def _over_distance(module: Module, output: Tensor, gradOutput: Any) -> Tensor:
    """Return gradOutput divided by the distances, (..., 1, outputSize)."""
    # The small number stands against a distance of 0.
    ratio = fitted(module, gradOutput, output, "output") / (output + 1e-7)
    return ops.unsqueeze(ratio, ratio.ndim - 1)


def _over_batch(x: Tensor) -> Tensor:
    return ops.sum(x, axis=0) if x.ndim == 3 else x
