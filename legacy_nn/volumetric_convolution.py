"""Convolutions over volumes, or images in time.

Source: torch/nn VolumetricConvolution.lua, VolumetricDilatedConvolution.lua.
"""

from __future__ import annotations

from typing import Any

from .convolution import PlainConvolution, repeated
from .module import torch_class
from .unfolding import Unfolding


@torch_class("nn.VolumetricConvolution")
class VolumetricConvolution(Unfolding, PlainConvolution):
    """Cross-correlation of volumes with filters, plus a bias per plane.

    Parameters
    ----------
    nInputPlane, nOutputPlane : int
    kT, kW, kH : int
        Size of the kernel.
    dT, dW, dH : int
        Steps; 1 by default.
    padT, padW, padH : int
        Zeros on both sides; 0 by default, `padW` as `padT`, `padH` as `padW`.

    Notes
    -----
    Input (N, nInputPlane, T, H, W) or without N.
    """

    axes = "THW"
    lua_axes = "TWH"

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
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
        pad = repeated(padT, padW, padH)
        self.start(nInputPlane, nOutputPlane, k=(kT, kW, kH), d=(dT, dW, dH), pad=pad)

    def __repr__(self) -> str:
        return self.text(tells_bias=False)


@torch_class("nn.VolumetricDilatedConvolution")
class VolumetricDilatedConvolution(VolumetricConvolution):
    """VolumetricConvolution with `dilationT`, `dilationW` and `dilationH`, 1 by default."""

    unfolds = False

    dilationT = dilationW = dilationH = 1

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
        padT: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
        dilationT: int | None = None,
        dilationW: int | None = None,
        dilationH: int | None = None,
    ) -> None:
        super().__init__(nInputPlane, nOutputPlane, kT, kW, kH, dT, dW, dH, padT, padW, padH)
        self.set_axes("dilation", (dilationT or 1, dilationW or 1, dilationH or 1))

    def geometry(self) -> dict[str, Any]:
        return {**super().geometry(), "dilation": self.per_axis("dilation")}

    def __repr__(self) -> str:
        return self.text(dilated=True)
