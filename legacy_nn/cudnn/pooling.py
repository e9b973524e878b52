"""Pooling of cudnn.

Source: soumith/cudnn.torch Pooling.lua, Pooling3D.lua and the file of each class.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..fields import long_storage
from ..module import Module, ModuleError, torch_class
from ..pooling import Pooling


class ImagePooling(Pooling):
    """Pooling of images.

    Parameters
    ----------
    kW, kH : int
        Size of the window.
    dW, dH : int
        Steps; by default the size of the window.
    padW, padH : int
        0 by default.
    """

    scratch = ("_gradOutput",)

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_axes("k", (kW, kH))
        self.set_axes("d", (dW or kW, dH or kH))
        self.set_axes("pad", (padW or 0, padH or 0))
        self.iSize = long_storage([0] * 4)
        self.ceil_mode = False


class VolumePooling(Pooling):
    """Pooling of volumes.

    Parameters
    ----------
    kT, kW, kH : int
        Size of the window.
    dT, dW, dH : int
        Steps; by default the size of the window.
    padT, padW, padH : int
        0 by default.
    """

    scratch = ("_gradOutput",)

    axes = "THW"
    lua_axes = "TWH"

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
        padT: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_axes("k", (kT, kW, kH))
        self.set_axes("d", (dT or kT, dW or kW, dH or kH))
        self.set_axes("pad", (padT or 0, padW or 0, padH or 0))
        self.iSize = long_storage([0] * 5)
        self.ceil_mode = False

    __repr__ = Module.__repr__


@torch_class("cudnn.SpatialMaxPooling")
class SpatialMaxPooling(ImagePooling):
    """Maximum of each window of an image; see ImagePooling."""

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.max_pool(input, **self.geometry())[0]


@torch_class("cudnn.VolumetricMaxPooling")
class VolumetricMaxPooling(VolumePooling):
    """Maximum of each window of a volume; see VolumePooling."""

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.max_pool(input, **self.geometry())[0]


@torch_class("cudnn.SpatialAveragePooling")
class SpatialAveragePooling(ImagePooling):
    """Average of each window of an image, padding included; see ImagePooling.

    Padding counts whatever the field `count_include_pad` says: cudnn.torch computes
    `count_include_pad ~= nil and count_include_pad or true`, which is always true.
    """

    divide: bool | None = None

    def upgrade(self, version: int) -> None:
        if "ceil_mode" not in vars(self):
            self.ceil_mode = False
            self.set_axes("pad", (0, 0))

    def prepare(self, input: Any) -> None:
        if self.divide is False:
            raise ModuleError(
                f"{self.t7_typename} cannot give sums: its field divide is false, which only "
                "nn.SpatialAveragePooling takes"
            )

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.avg_pool(input, **self.geometry())


@torch_class("cudnn.VolumetricAveragePooling")
class VolumetricAveragePooling(VolumePooling):
    """Average of each window of a volume, padding included; see VolumePooling."""

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.avg_pool(input, **self.geometry())
