"""Upsampling of images and volumes: nearest neighbour and linear.

Source: torch/nn SpatialUpSamplingNearest.lua, SpatialUpSamplingBilinear.lua, UpSampling.lua.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .fields import long_storage, set_unless_nil
from .module import ArgumentError, torch_class
from .order import any_order
from .spatial import SpatialModule

SIZES = ("odepth", "oheight", "owidth")


class UpSamplingModule(SpatialModule):
    """What upsampling modules share.

    Attributes
    ----------
    scale_factor : int or None
        How many times larger the output is.
    owidth, oheight, odepth : int or None
        Size of the output, where there is no factor.
    inputSize, outputSize : Storage of int64
        Torch7's notes of the last shapes; nothing reads them.
    """

    scale_factor: int | None = None
    odepth: int | None = None
    oheight: int | None = None
    owidth: int | None = None
    inputSize: Storage | None = None
    outputSize: Storage | None = None

    def set_target(self, params: Any) -> None:
        """Set the fields for a factor, or for sizes in a table.

        Raises
        ------
        ArgumentError
            For a factor that is no whole number above 0.
        """
        if isinstance(params, (Table, Mapping)):
            set_unless_nil(self, **{field: params.get(field) for field in SIZES})
            return
        if not isinstance(params, (int, float)) or params < 1 or params != int(params):
            whole = not isinstance(params, float) or params < 1
            raise ArgumentError(
                f"scale_factor must be {'greater than 1' if whole else 'integer'}: "
                f"{self.t7_typename} takes a whole factor from 1 up, or a table of sizes; "
                f"given {params!r}"
            )
        self.scale_factor = int(params)

    def target(self, input: Tensor, spatial: int) -> tuple[int, ...]:
        """Return the spatial size of the output.

        Raises
        ------
        ArgumentError
            If there is neither a factor nor a size for every dimension.
        """
        if self.scale_factor is not None:
            return tuple(n * int(self.scale_factor) for n in input.shape[-spatial:])
        sizes = [getattr(self, field) for field in SIZES[-spatial:]]
        if None in sizes:
            raise ArgumentError(
                f"{self.t7_typename} has neither a factor nor a size for all {spatial} dimensions "
                f"of its input of shape {input.shape}; given {self!r}"
            )
        return tuple(sizes)

    def resize(self, input: Tensor, *, linear: bool) -> Tensor:
        """Return the output for a batch."""
        size = self.target(input, input.ndim - 2)
        if linear:
            return ops.upsample_linear(input, size=size)
        return ops.upsample_nearest(input, size=size)


@torch_class("nn.SpatialUpSamplingNearest")
class SpatialUpSamplingNearest(UpSamplingModule):
    """Repeats each pixel of an image.

    Parameters
    ----------
    scale : int
        How often, in both directions.

    Raises
    ------
    ArgumentError
        If it is no whole number above 0.
    """

    says = "SpatialUpSamplingNearest only support 3D or 4D tensors"

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.set_target(scale)
        self.inputSize, self.outputSize = long_storage([0] * 4), long_storage([0] * 4)

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        return self.resize(input, linear=False)


@torch_class("nn.SpatialUpSamplingBilinear")
class SpatialUpSamplingBilinear(UpSamplingModule):
    """Interpolates images to a larger or smaller size; corners stay corners.

    Parameters
    ----------
    params : int, Table or dict
        How many times larger, or {"oheight": ..., "owidth": ...}.

    Raises
    ------
    ArgumentError
        For a factor that is no whole number above 0.
    """

    says = "SpatialUpSamplingBilinear only supports 3D or 4D tensors"

    def __init__(self, params: Any) -> None:
        super().__init__()
        self.set_target(params)
        self.inputSize, self.outputSize = long_storage([0] * 4), long_storage([0] * 4)

    def compute_batch(self, input: Tensor) -> Tensor:
        return self.resize(input, linear=True)

    def __repr__(self) -> str:
        if self.scale_factor is not None:
            return f"{self.t7_typename}({self.scale_factor})"
        return f"{self.t7_typename}({self.oheight}, {self.owidth})"


@torch_class("nn.UpSampling")
class UpSampling(UpSamplingModule):
    """Upsamples a batch of images or volumes.

    Parameters
    ----------
    params : int, Table or dict
        How many times larger, or the size for linear interpolation: "oheight", "owidth" and,
        for volumes, "odepth".
    mode : str
        "linear", "bilinear" and "trilinear" interpolate; anything else repeats pixels.

    Raises
    ------
    ArgumentError
        For a factor that is no whole number above 0, or a size without interpolation.
    """

    mode: str

    def __init__(self, params: Any, mode: str | None = None) -> None:
        super().__init__()
        self.mode = "linear" if mode in ("linear", "bilinear", "trilinear") else "nearest"
        self.set_target(params)
        if self.scale_factor is None and (
            self.mode == "nearest" or None in (self.oheight, self.owidth)
        ):
            raise ArgumentError(
                f"{self.t7_typename} takes a factor, or for linear interpolation a table with "
                f"oheight and owidth; given {params!r} and mode {mode!r}"
            )
        self.inputSize, self.outputSize = long_storage([0] * 5), long_storage([0] * 5)

    def compute(self, input: Any) -> Any:
        x = one_tensor(self, input, 4, 5, says="UpSampling only supports 4D or 5D tensors")
        return self.resize(x, linear=self.mode == "linear")

    def __repr__(self) -> str:
        if self.scale_factor is not None:
            return f"{self.t7_typename}({self.scale_factor}x, {self.mode})"
        sizes = "x".join(str(n) for n in (self.odepth, self.oheight, self.owidth) if n is not None)
        return f"{self.t7_typename}({sizes}, {self.mode})"
