"""Pooling of cudnn.

Source: soumith/cudnn.torch Pooling.lua, Pooling3D.lua and the file of each class.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .. import pooling, volumetric_pooling
from ..fields import long_storage
from ..module import Module, ModuleError, torch_class
from ..order import any_order


class ImagePooling(pooling.ImagePooling):
    """Pooling of images; see that of nn."""

    scratch = ("_gradOutput",)

    def start(self) -> None:
        super().start()
        self.iSize = long_storage([0] * 4)


class VolumePooling(volumetric_pooling.VolumePooling):
    """Pooling of volumes; see that of nn."""

    scratch = ("_gradOutput",)

    def start(self) -> None:
        super().start()
        self.iSize = long_storage([0] * 5)

    __repr__ = Module.__repr__


@torch_class("cudnn.SpatialMaxPooling")
class SpatialMaxPooling(ImagePooling):
    """Maximum of each window of an image; see ImagePooling."""

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.max_pool(input, **self.geometry())[0]


@torch_class("cudnn.VolumetricMaxPooling")
class VolumetricMaxPooling(VolumePooling):
    """Maximum of each window of a volume; see VolumePooling."""

    @any_order
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

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.avg_pool(input, **self.geometry())


@torch_class("cudnn.VolumetricAveragePooling")
class VolumetricAveragePooling(VolumePooling):
    """Average of each window of a volume, padding included; see VolumePooling."""

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.avg_pool(input, **self.geometry())
