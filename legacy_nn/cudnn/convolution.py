"""Convolutions of cudnn: those of nn, with groups and with a choice of algorithms to ignore.

Source: soumith/cudnn.torch SpatialConvolution.lua, SpatialFullConvolution.lua,
TemporalConvolution.lua, VolumetricConvolution.lua, VolumetricFullConvolution.lua.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from rekindle.core.tensor import Tensor

from .. import convolution, full_convolution, temporal, volumetric_convolution
from ..fields import add_parameter, remove, set_unless_nil
from ..module import ArgumentError, Module, torch_class


class Algorithms(Module):
    """The fields by which cuDNN's algorithms are chosen; they do not change what is computed."""

    scratch: ClassVar[tuple[str, ...]] = (
        *("_input", "_gradOutput", "input_slice", "output_slice", "oSize", "scaleT"),
    )

    unfolds = False
    groups: int = 1

    def fastest(self, mode: bool | None = None) -> Self:
        """Set the field `fastest_mode`, to True by default, and return the module."""
        self.fastest_mode = True if mode is None else mode
        return self

    def setMode(
        self, fmode: str | None = None, bdmode: str | None = None, bwmode: str | None = None
    ) -> Self:
        """Set the fields of algorithms that are given, and return the module."""
        set_unless_nil(self, fmode=fmode, bdmode=bdmode, bwmode=bwmode)
        return self

    def resetMode(self) -> Self:
        """Take the fields of algorithms away, and return the module."""
        remove(self, "fmode", "bdmode", "bwmode")
        return self


@torch_class("cudnn.SpatialConvolution")
class SpatialConvolution(Algorithms, convolution.SpatialConvolution):
    """nn.SpatialConvolution with groups of planes that do not see each other.

    Parameters
    ----------
    nInputPlane, nOutputPlane : int
        Divisible by `groups`.
    kW, kH, dW, dH, padW, padH : int
        As for nn.SpatialConvolution, but `padH` is 0 by default.
    groups : int
        1 by default.

    Raises
    ------
    ArgumentError
        If the planes cannot be divided among the groups.

    Notes
    -----
    Weight (nOutputPlane, nInputPlane / groups, kH, kW).
    """

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
        groups: int | None = None,
    ) -> None:
        self.groups = groups or 1
        if nInputPlane % self.groups or nOutputPlane % self.groups:
            raise ArgumentError(
                f"{self.t7_typename}: {nInputPlane} input and {nOutputPlane} output planes are "
                f"not divisible by {self.groups} groups"
            )
        super().__init__(nInputPlane, nOutputPlane, kW, kH, dW, dH, padW or 0, padH or 0)

    def weight_shape(self) -> tuple[int, ...]:
        outputs, inputs, *kernel = super().weight_shape()
        return (outputs, inputs // self.groups, *kernel)

    def geometry(self) -> dict[str, Any]:
        return {**super().geometry(), "groups": self.groups}


@torch_class("cudnn.VolumetricConvolution")
class VolumetricConvolution(Algorithms, volumetric_convolution.VolumetricConvolution):
    """nn.VolumetricConvolution."""


@torch_class("cudnn.SpatialFullConvolution")
class SpatialFullConvolution(Algorithms, full_convolution.SpatialFullConvolution):
    """nn.SpatialFullConvolution."""


@torch_class("cudnn.VolumetricFullConvolution")
class VolumetricFullConvolution(Algorithms, full_convolution.VolumetricFullConvolution):
    """nn.VolumetricFullConvolution."""


@torch_class("cudnn.TemporalConvolution")
class TemporalConvolution(Algorithms, temporal.TemporalConvolution):
    """nn.TemporalConvolution, as a convolution of images as wide as a frame.

    Parameters
    ----------
    inputFrameSize, outputFrameSize : int
        Features of a frame.
    kH : int
        Frames that an output frame sees.
    dH : int
        Step; 1 by default.
    padH : int
        Frames of zeros at both ends; 0 by default.

    Attributes
    ----------
    kW, dW : int
        `inputFrameSize` and 1, unlike in nn.
    """

    kH: int
    dH: int
    padH: int = 0

    def __init__(
        self,
        inputFrameSize: int,
        outputFrameSize: int,
        kH: int,
        dH: int | None = None,
        padH: int | None = None,
    ) -> None:
        Module.__init__(self)
        self.inputFrameSize = inputFrameSize
        self.outputFrameSize = outputFrameSize
        self.nInputPlane, self.nOutputPlane = 1, outputFrameSize
        self.kW, self.kH = inputFrameSize, kH
        self.dW, self.dH = 1, dH or 1
        self.padW, self.padH = 0, padH or 0
        self.groups = 1
        add_parameter(self, "weight", "gradWeight", (outputFrameSize, inputFrameSize * kH))
        add_parameter(self, "bias", "gradBias", outputFrameSize)
        self.reset()

    def compute_batch(self, input: Tensor) -> Tensor:
        return self.slide(input, kernel=self.kH, stride=self.dH, padding=self.padH)
