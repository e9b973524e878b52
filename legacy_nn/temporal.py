"""Convolution and pooling of sequences of frames.

Source: torch/nn TemporalConvolution.lua, TemporalRowConvolution.lua, TemporalMaxPooling.lua.
"""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import ops
from rekindle.core.creation import arange
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import left_behind
from .fields import add_parameter, remove, uniform_bound
from .module import replace_contents, torch_class
from .spatial import SpatialModule, as_batch
from .torch7 import random
from .unfolding import Unfolding


@torch_class("nn.TemporalConvolution")
class TemporalConvolution(SpatialModule):
    """A linear map of every `kW` frames in a row.

    Parameters
    ----------
    inputFrameSize, outputFrameSize : int
        Features of a frame.
    kW : int
        Frames that an output frame sees.
    dW : int
        Step; 1 by default.

    Notes
    -----
    Input (N, frames, inputFrameSize) or without N. Weight (outputFrameSize, kW*inputFrameSize).
    """

    axes = lua_axes = "W"
    kW: int
    dW: int

    def __init__(
        self, inputFrameSize: int, outputFrameSize: int, kW: int, dW: int | None = None
    ) -> None:
        super().__init__()
        self.inputFrameSize = inputFrameSize
        self.outputFrameSize = outputFrameSize
        self.kW = kW
        self.dW = dW or 1
        add_parameter(self, "weight", "gradWeight", (outputFrameSize, inputFrameSize * kW))
        add_parameter(self, "bias", "gradBias", outputFrameSize)
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, self.kW * self.inputFrameSize)
        random.uniform(self.weight, -bound, bound)
        random.uniform(self.bias, -bound, bound)
        return self

    sharedAccUpdateGradParameters = SpatialModule.defaultAccUpdateGradParameters

    def compute_batch(self, input: Tensor) -> Tensor:
        return self.slide(input, kernel=self.kW, stride=self.dW)

    def slide(self, input: Tensor, *, kernel: int, stride: int, padding: int = 0) -> Tensor:
        """Return the output for a batch, (N, frames, outputFrameSize).

        Raises
        ------
        ShapeError
            If the frames have another number of features.
        """
        if input.shape[2] != self.inputFrameSize:
            raise ShapeError(
                f"invalid input frame size. Got: {input.shape[2]}, Expected: "
                f"{self.inputFrameSize}: {self.t7_typename} is given shape {input.shape}"
            )
        if input.shape[1] + 2 * padding < kernel:
            raise ShapeError(
                f"input sequence smaller than kernel size. Got: {input.shape[1]}, Expected: "
                f"{kernel}: {self.t7_typename} is given shape {input.shape}"
            )
        weight = ops.reshape(self.weight, (self.outputFrameSize, kernel, self.inputFrameSize))
        y = ops.convolution(
            input.transpose(1, 2),
            weight.transpose(1, 2),
            self.bias,
            stride=stride,
            padding=padding,
        )
        return y.transpose(1, 2).contiguous()


@torch_class("nn.TemporalRowConvolution")
class TemporalRowConvolution(Unfolding):
    """A convolution along the frames for each feature by itself.

    Parameters
    ----------
    inputFrameSize : int
        Features of a frame.
    kW : int
        Frames that an output frame sees.
    dW : int
        Step; 1 by default.
    featFirst : bool
        Whether features come before frames: (N, inputFrameSize, frames). False by default.

    Notes
    -----
    Input (N, frames, inputFrameSize) or without N. Weight (inputFrameSize, 1, kW).
    """

    axes = lua_axes = "W"
    scratch = ("finput", "fgradInput")
    not_converted = scratch
    kW: int
    dW: int
    featFirst: bool = False

    def __init__(
        self,
        inputFrameSize: int,
        kW: int,
        dW: int | None = None,
        featFirst: bool | None = None,
    ) -> None:
        super().__init__()
        self.inputFrameSize = inputFrameSize
        self.kW = kW
        self.dW = dW or 1
        add_parameter(self, "weight", "gradWeight", (inputFrameSize, 1, kW))
        add_parameter(self, "bias", "gradBias", inputFrameSize)
        self.featFirst = bool(featFirst)
        self.reset()

    def noBias(self) -> Self:
        """Compute without a bias from now on; return the module."""
        remove(self, "bias", "gradBias")
        return self

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, self.kW * self.inputFrameSize)
        random.uniform(self.weight, -bound, bound)
        if self.bias is not None:
            random.uniform(self.bias, -bound, bound)
        return self

    def compute_batch(self, input: Tensor) -> Tensor:
        x = input if self.featFirst else input.transpose(1, 2)
        if x.shape[1] != self.inputFrameSize:
            raise ShapeError(
                f"{self.t7_typename} takes frames of {self.inputFrameSize} features; "
                f"given shape {input.shape}"
            )
        y = ops.convolution(x, self.weight, self.bias, stride=self.dW, groups=self.inputFrameSize)
        return y if self.featFirst else y.transpose(1, 2)

    def __repr__(self) -> str:
        step = f", {self.dW}" if self.dW != 1 else ""
        without = " without bias" if self.bias is None else ""
        return f"{self.t7_typename}({self.inputFrameSize}, {self.kW}{step}){without}"


@torch_class("nn.TemporalMaxPooling")
class TemporalMaxPooling(SpatialModule):
    """Maximum of each feature over every `kW` frames in a row.

    Parameters
    ----------
    kW : int
        Frames that an output frame sees.
    dW : int
        Step; by default `kW`.

    Attributes
    ----------
    indices : Tensor of int64, shape of the output
        Which frame of its window each maximum is from, from 0.
    """

    scratch = ("indices",)

    axes = lua_axes = "W"
    kW: int
    dW: int
    indices: Tensor | None = None

    def __init__(self, kW: int, dW: int | None = None) -> None:
        super().__init__()
        self.kW = kW
        self.dW = dW or kW

    def refusal(self, input: Tensor) -> str:
        frames = input.shape[-2]
        few = f"input sequence smaller than kernel size. Got: {frames}, Expected: {self.kW}"
        return few if frames < self.kW else ""

    def compute_batch(self, input: Tensor) -> tuple[Tensor, Tensor]:
        values, positions = ops.max_pool(input.transpose(1, 2), kernel=self.kW, stride=self.dW)
        starts = arange(values.shape[2], device=positions.device) * self.dW
        frames = ops.where(positions < 0, -1, positions - starts)
        return values.transpose(1, 2).contiguous(), frames.transpose(1, 2)

    def keep_extras(self, *extras: Any) -> None:
        self.indices = replace_contents(self.indices, extras[0].contiguous())

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        indices, g = (as_batch(self, x) for x in left_behind(self, "indices", gradOutput))
        starts = arange(indices.shape[1], device=indices.device) * self.dW
        positions = ops.where(indices < 0, -1, indices + ops.unsqueeze(starts, 1))
        turned = (ops.transpose(x, 1, 2) for x in (g, positions))
        found = ops.max_pool_gradient(*turned, size=input.shape[-2])
        return ops.reshape(ops.transpose(found, 1, 2), input.shape)
