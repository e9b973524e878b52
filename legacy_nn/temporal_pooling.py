"""Sequences made shorter: nn.TemporalSubSampling and TemporalDynamicKMaxPooling."""

from __future__ import annotations

import math
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.creation import zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import left_behind, one_tensor
from .fields import add_parameter, given, uniform_bound
from .module import Module, torch_class
from .torch7 import random


@torch_class("nn.TemporalSubSampling")
class TemporalSubSampling(Module):
    """Sum of each feature over `kW` frames in a row, times a weight, plus a bias.

    Parameters
    ----------
    inputFrameSize : int
        Features of a frame.
    kW : int
        Frames that an output frame sees.
    dW : int, default 1
        Step.

    Notes
    -----
    Input (frames, inputFrameSize): Torch7 takes no batches here.
    Source: torch/nn TemporalSubSampling.lua
    """

    def __init__(self, inputFrameSize: int, kW: int, dW: int | None = None) -> None:
        super().__init__()
        self.inputFrameSize = inputFrameSize
        self.kW = kW
        self.dW = given(dW, 1)
        add_parameter(self, "weight", "gradWeight", inputFrameSize)
        add_parameter(self, "bias", "gradBias", inputFrameSize)
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, self.kW)
        random.uniform(self.weight, -bound, bound)
        random.uniform(self.bias, -bound, bound)
        return self

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 2)
        if x.shape[1] != self.inputFrameSize or x.shape[0] < self.kW:
            raise ShapeError(
                f"{self.t7_typename} takes {self.kW} or more frames of {self.inputFrameSize} "
                f"features; given shape {x.shape}"
            )
        windows = ops.unfold(x, 0, self.kW, self.dW)
        return ops.add(ops.sum(windows, axis=-1) * self.weight, self.bias)


@torch_class("nn.TemporalDynamicKMaxPooling")
class TemporalDynamicKMaxPooling(Module):
    """The k largest values of each feature, in the order in which they came.

    Parameters
    ----------
    minK : int
        The least k.
    factor : float, default 0
        Part of the frames that k is, if that is more.

    Attributes
    ----------
    indices : Tensor of int64, shape of the output
        Which frames they were, from 1.

    Notes
    -----
    Input (N, frames, features) or without N.
    Source: torch/nn TemporalDynamicKMaxPooling.lua; Kalchbrenner et al. 2014, "A Convolutional
    Neural Network for Modelling Sentences".
    """

    scratch = ("indices",)

    indices: Tensor | None = None

    def __init__(self, minK: int, factor: float | None = None) -> None:
        super().__init__()
        self.minK = minK
        self.factor = given(factor, 0)

    def compute(self, input: Any) -> tuple[Tensor, Tensor]:
        x = one_tensor(self, input, 2, 3)
        frames = x.shape[-2]
        k = max(int(self.minK), math.ceil(self.factor * frames))
        if not 0 < k <= frames:
            raise ShapeError(
                f"{self.t7_typename}: Input sequence length ({frames}) too small for desired k "
                f"value ({k})"
            )
        _, largest = ops.topk(x.detach(), k, axis=-2)
        positions, _ = ops.sort(largest, axis=-2)
        return ops.gather(x, positions, axis=x.ndim - 2), positions + 1

    def keep_extras(self, *extras: Any) -> None:
        (self.indices,) = extras

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        indices, g = left_behind(self, "indices", gradOutput)
        return ops.scatter_add(zeros_like(input), indices - 1, g, axis=input.ndim - 2)
