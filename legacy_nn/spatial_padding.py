"""Borders around images and volumes: zeros, mirrored, repeated.

Source: torch/nn SpatialZeroPadding.lua, SpatialReflectionPadding.lua,
SpatialReplicationPadding.lua, VolumetricReplicationPadding.lua.
"""

from __future__ import annotations

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .module import torch_class
from .spatial import SpatialModule


class SpatialPadding(SpatialModule):
    """A border around images.

    Parameters
    ----------
    pad_l, pad_r, pad_t, pad_b : int
        Width at the left, right, top and bottom; by default that at the left. Negative
        numbers crop.
    """

    says = "input must be 3 or 4-dimensional"

    pad_l: int
    pad_r: int
    pad_t: int
    pad_b: int

    def __init__(
        self,
        pad_l: int,
        pad_r: int | None = None,
        pad_t: int | None = None,
        pad_b: int | None = None,
    ) -> None:
        super().__init__()
        self.pad_l = pad_l
        self.pad_r = pad_l if pad_r is None else pad_r
        self.pad_t = pad_l if pad_t is None else pad_t
        self.pad_b = pad_l if pad_b is None else pad_b

    def borders(self) -> list[tuple[int, int]]:
        """Return the border before and after each spatial dimension."""
        return [(self.pad_t, self.pad_b), (self.pad_l, self.pad_r)]

    def refusal(self, input: Tensor) -> str:
        sizes = zip(input.shape[-2:], self.borders(), strict=True)
        return "input is too small" if any(n + a + b < 1 for n, (a, b) in sizes) else ""

    def __repr__(self) -> str:
        widths = f"l={self.pad_l}, r={self.pad_r}, t={self.pad_t}, b={self.pad_b}"
        return f"{self.t7_typename}({widths})"


@torch_class("nn.SpatialZeroPadding")
class SpatialZeroPadding(SpatialPadding):
    """A border of zeros; see SpatialPadding."""

    def compute_batch(self, input: Tensor) -> Tensor:
        if words := self.refusal(input):
            raise ShapeError(f"{words}; given {input.shape}")
        return ops.pad(input, padding=self.borders())


@torch_class("nn.SpatialReflectionPadding")
class SpatialReflectionPadding(SpatialPadding):
    """A border that mirrors the image; see SpatialPadding."""

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.pad_reflect(input, padding=self.borders())


@torch_class("nn.SpatialReplicationPadding")
class SpatialReplicationPadding(SpatialPadding):
    """A border that repeats the image's edge; see SpatialPadding."""

    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.pad_replicate(input, padding=self.borders())


@torch_class("nn.VolumetricReplicationPadding")
class VolumetricReplicationPadding(SpatialModule):
    """A border that repeats the edge of volumes.

    Parameters
    ----------
    pleft, pright, ptop, pbottom, pfront, pback : int
        Width on each side; by default that at the left.
    """

    axes = "THW"
    lua_axes = "TWH"
    says = "input must be 4 or 5-dimensional"

    def __init__(
        self,
        pleft: int,
        pright: int | None = None,
        ptop: int | None = None,
        pbottom: int | None = None,
        pfront: int | None = None,
        pback: int | None = None,
    ) -> None:
        super().__init__()
        self.pleft = pleft
        self.pright = pleft if pright is None else pright
        self.ptop = pleft if ptop is None else ptop
        self.pbottom = pleft if pbottom is None else pbottom
        self.pfront = pleft if pfront is None else pfront
        self.pback = pleft if pback is None else pback

    def compute_batch(self, input: Tensor) -> Tensor:
        borders = [
            (self.pfront, self.pback),
            (self.ptop, self.pbottom),
            (self.pleft, self.pright),
        ]
        return ops.pad_replicate(input, padding=borders)

    def __repr__(self) -> str:
        sides = ("left", "right", "top", "bottom", "front", "back")
        widths = ", ".join(f"{side}={getattr(self, 'p' + side)}" for side in sides)
        return f"{self.t7_typename}({widths})"
