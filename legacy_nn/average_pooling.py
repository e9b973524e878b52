"""Average and p-norm pooling of images and volumes.

Source: torch/nn SpatialAveragePooling.lua, VolumetricAveragePooling.lua, SpatialLPPooling.lua,
SpatialSubSampling.lua.
"""

from __future__ import annotations

from math import prod
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .constant import MulConstant
from .containers import Sequential
from .elementwise import Power, Sqrt, Square
from .fields import add_parameter, uniform_bound
from .module import torch_class
from .order import any_order
from .pooling import ImagePooling, Pooling
from .spatial import SpatialModule, as_batch, smaller_than_kernel
from .torch7 import random
from .values import in_shape


@torch_class("nn.SpatialAveragePooling")
class SpatialAveragePooling(ImagePooling):
    """Average of each window of an image.

    Parameters
    ----------
    kW, kH : int
        Size of the window.
    dW, dH : int
        Steps; 1 by default, unlike max pooling.
    padW, padH : int
        Zeros on both sides; 0 by default.

    Attributes
    ----------
    count_include_pad : bool
        Whether the padding counts in the average; see `setCountExcludePad()`.
    divide : bool
        False, in old files: the sum instead of the average.
    """

    default_step = 1

    count_include_pad: bool = True
    divide: bool | None = None

    def start(self) -> None:
        super().start()
        self.count_include_pad = True
        self.divide = True

    def upgrade(self, version: int) -> None:
        if "ceil_mode" not in vars(self):
            self.ceil_mode = False
            self.count_include_pad = True
            self.set_axes("pad", (0, 0))

    def setCountIncludePad(self) -> Self:
        """Let the padding count from now on; return the module."""
        self.count_include_pad = True
        return self

    def setCountExcludePad(self) -> Self:
        """Divide by the pixels inside the image from now on; return the module."""
        self.count_include_pad = False
        return self

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        y = ops.avg_pool(input, count_include_pad=bool(self.count_include_pad), **self.geometry())
        return y if self.divide else y * prod(self.per_axis("k"))

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        found = ops.avg_pool_gradient(
            as_batch(self, gradOutput),
            size=input.shape[-2:],
            count_include_pad=bool(self.count_include_pad),
            **self.geometry(),
        )
        found = in_shape(found, input.shape)
        return found if self.divide else found * prod(self.per_axis("k"))


@torch_class("nn.VolumetricAveragePooling")
class VolumetricAveragePooling(Pooling):
    """Average of each window of a volume.

    Parameters
    ----------
    kT, kW, kH : int
        Size of the window.
    dT, dW, dH : int
        Steps; by default the size of the window.
    """

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
    ) -> None:
        super().__init__()
        self.set_axes("k", (kT, kW, kH))
        self.set_axes("d", (dT or kT, dW or kW, dH or kH))

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.avg_pool(input, kernel=self.per_axis("k"), stride=self.per_axis("d"))


@torch_class("nn.SpatialSubSampling")
class SpatialSubSampling(SpatialModule):
    """Sum of each window of an image, times a weight, plus a bias per plane.

    Parameters
    ----------
    nInputPlane : int
    kW, kH : int
        Size of the window.
    dW, dH : int
        Steps; 1 by default.
    """

    def __init__(
        self, nInputPlane: int, kW: int, kH: int, dW: int | None = None, dH: int | None = None
    ) -> None:
        super().__init__()
        self.nInputPlane = nInputPlane
        self.set_axes("k", (kW, kH))
        self.set_axes("d", (dW or 1, dH or 1))
        add_parameter(self, "weight", "gradWeight", nInputPlane)
        add_parameter(self, "bias", "gradBias", nInputPlane)
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, prod(self.per_axis("k")))
        random.uniform(self.weight, -bound, bound)
        random.uniform(self.bias, -bound, bound)
        return self

    def refusal(self, input: Tensor) -> str:
        if input.shape[-3] != self.nInputPlane:
            return "invalid number of input planes"
        return smaller_than_kernel(self, input)

    def compute_batch(self, input: Tensor) -> Tensor:
        # Files of Torch of 2012 have weights for each element of a window; of these THNN takes as
        # many as there are planes. Source: torch/nn lib/THNN/generic/SpatialSubSampling.c.
        planes = self.weight.shape[0]
        weight = ops.reshape(ops.reshape(self.weight, (-1,))[:planes], (-1, 1, 1))
        bias = ops.reshape(self.bias, (-1, 1, 1))
        window = self.per_axis("k")
        average = ops.avg_pool(input, kernel=window, stride=self.per_axis("d"))
        return average * (weight * prod(window)) + bias


@torch_class("nn.SpatialLPPooling")
class SpatialLPPooling(Sequential):
    """The p-norm of each window of an image, as a chain of modules.

    Parameters
    ----------
    nInputPlane : int
        Ignored.
    pnorm : float
    kW, kH : int
        Size of the window.
    dW, dH : int
        Steps; by default the size of the window.
    """

    def __init__(
        self,
        nInputPlane: int,
        pnorm: float,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
    ) -> None:
        super().__init__()
        self.kW, self.kH = kW, kH
        self.dW, self.dH = dW or kW, dH or kH
        self.add(Square() if pnorm == 2 else Power(pnorm))
        self.add(SpatialAveragePooling(kW, kH, self.dW, self.dH))
        self.add(MulConstant(kW * kH))
        self.add(Sqrt() if pnorm == 2 else Power(1 / pnorm))
