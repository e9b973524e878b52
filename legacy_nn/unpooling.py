"""Max unpooling: the way back from the maxima of a pooling module.

Source: torch/nn SpatialMaxUnpooling.lua, VolumetricMaxUnpooling.lua.
"""

from __future__ import annotations

from typing import ClassVar

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .module import ArgumentError, ModuleError, torch_class
from .pooling import MaxPooling
from .spatial import SpatialModule
from .volumetric_pooling import unpacked


class MaxUnpooling(SpatialModule):
    """What unpooling modules share.

    Parameters
    ----------
    poolingModule : SpatialMaxPooling or VolumetricMaxPooling
        The module whose maxima are undone; its steps are the sizes of its windows.

    Raises
    ------
    ArgumentError
        For another kind of module, or one whose windows overlap or leave gaps.

    Attributes
    ----------
    pooling
        That module.
    indices : Tensor of int64
        Its indices at the last call.
    owidth, oheight : int
        Size of its input then; for volumes otime as well.
    """

    pooling_typename: ClassVar[str]
    sizes: ClassVar[tuple[tuple[str, str], ...]] = (("oheight", "iheight"), ("owidth", "iwidth"))
    """Fields of the output's size, each with the pooling's field of its input's size."""

    pooling: MaxPooling
    indices: Tensor

    def __init__(self, poolingModule: MaxPooling) -> None:
        super().__init__()
        name = getattr(poolingModule, "t7_typename", type(poolingModule).__name__)
        if name != self.pooling_typename:
            raise ArgumentError(
                f"Argument must be a {self.pooling_typename} module: {self.t7_typename} is given "
                f"{name}"
            )
        if poolingModule.per_axis("k") != poolingModule.per_axis("d"):
            raise ArgumentError(
                "The size of pooling module's kernel must be equal to its stride: "
                f"{self.t7_typename} is given {poolingModule!r}"
            )
        self.pooling = poolingModule

    def prepare(self, input: Tensor) -> None:
        pooling = self.pooling
        if pooling.indices is None or self.sizes[0][1] not in pooling.__dict__:
            raise ModuleError(f"{self.t7_typename} comes after {pooling!r} has run; it has not")
        self.indices = pooling.indices
        for field, source in self.sizes:
            setattr(self, field, getattr(pooling, source))

    def compute_batch(self, input: Tensor) -> Tensor:
        if missing := [field for field, _ in self.sizes if field not in vars(self)]:
            raise ModuleError(f"{self.t7_typename} has no {missing[0]}: call updateOutput first")
        size = tuple(getattr(self, field) for field, _ in self.sizes)
        indices = ops.reshape(self.indices, input.shape)
        return ops.max_unpool(input, self.positions(indices, size), size=size)

    def positions(self, indices: Tensor, size: tuple[int, ...]) -> Tensor:
        """Return flat positions, from 0, in planes of `size` for the pooling's `indices`."""
        return indices.astype("int64") - 1

    def __repr__(self) -> str:
        return f"{self.t7_typename} associated to {self.pooling!r}"


@torch_class("nn.SpatialMaxUnpooling")
class SpatialMaxUnpooling(MaxUnpooling):
    """Puts values back where a SpatialMaxPooling found its maxima; zeros elsewhere."""

    pooling_typename = "nn.SpatialMaxPooling"


@torch_class("nn.VolumetricMaxUnpooling")
class VolumetricMaxUnpooling(MaxUnpooling):
    """Puts values back where a VolumetricMaxPooling found its maxima; zeros elsewhere."""

    axes = "THW"
    lua_axes = "TWH"
    pooling_typename = "nn.VolumetricMaxPooling"
    sizes = (("otime", "itime"), *MaxUnpooling.sizes)

    def prepare(self, input: Tensor) -> None:
        super().prepare(input)
        for prefix in ("d", "pad"):
            for axis in self.axes:
                setattr(self, prefix + axis, getattr(self.pooling, prefix + axis))

    def positions(self, indices: Tensor, size: tuple[int, ...]) -> Tensor:
        return unpacked(indices.astype("int64"), size, self.per_axis("d"), self.per_axis("pad"))
