"""SpatialConvolutionLocal: a convolution with a weight of its own for each place.

Source: torch/nn SpatialConvolutionLocal.lua.
"""

from __future__ import annotations

from itertools import product

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .convolution import Convolution
from .module import ArgumentError, torch_class
from .unfolding import Unfolding


@torch_class("nn.SpatialConvolutionLocal")
class SpatialConvolutionLocal(Unfolding, Convolution):
    """A convolution whose weight and bias are not shared between places.

    Parameters
    ----------
    nInputPlane, nOutputPlane : int
    iW, iH : int
        Size of the images, which is fixed.
    kW, kH, dW, dH, padW, padH : int
        As for SpatialConvolution.

    Raises
    ------
    ArgumentError
        If the kernel is larger than the padded images.

    Notes
    -----
    Weight (oH, oW, nOutputPlane, nInputPlane, kH, kW), bias (nOutputPlane, oH, oW).
    """

    says = "3D or 4D(batch mode) tensor expected"

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        iW: int,
        iH: int,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.nInputPlane = nInputPlane
        self.nOutputPlane = nOutputPlane
        self.set_axes("i", (iW, iH))
        self.set_axes("k", (kW, kH))
        self.set_axes("d", (dW or 1, dH or 1))
        padW = padW or 0
        self.set_axes("pad", (padW, padW if padH is None else padH))
        for axis in self.axes:
            size, kernel, step, pad = (getattr(self, p + axis) for p in ("i", "k", "d", "pad"))
            setattr(self, "o" + axis, (size + 2 * pad - kernel) // step + 1)
        if any(o < 1 for o in self.per_axis("o")):
            raise ArgumentError(
                "illegal configuration: output width or height less than 1: "
                f"{self.t7_typename}: a kernel of {self.listed('k', 'x')} does not fit images of "
                f"{self.listed('i', 'x')} with padding {self.listed('pad')}"
            )
        self.new_parameters()

    def weight_shape(self) -> tuple[int, ...]:
        planes = (self.nOutputPlane, self.nInputPlane)
        return (*self.per_axis("o"), *planes, *self.per_axis("k"))

    def bias_shape(self) -> tuple[int, ...]:
        return (self.nOutputPlane, *self.per_axis("o"))

    def compute_batch(self, input: Tensor) -> Tensor:
        if input.shape[1:] != (self.nInputPlane, *self.per_axis("i")):
            given, wanted = (
                "x".join(map(str, sizes))
                for sizes in (input.shape[1:], (self.nInputPlane, *self.per_axis("i")))
            )
            raise ShapeError(
                f"Given input size: ({given}) inconsistent with expected input size: ({wanted})"
            )
        (height, width), (dy, dx) = self.per_axis("o"), self.per_axis("d")
        image = ops.pad(input, padding=[(p, p) for p in self.per_axis("pad")])
        taps = [
            image[..., y : y + (height - 1) * dy + 1 : dy, x : x + (width - 1) * dx + 1 : dx]
            for y, x in product(*(range(k) for k in self.per_axis("k")))
        ]
        columns = ops.stack(taps, axis=2)  # N, planes, taps, oH, oW
        columns = ops.permute(columns, (3, 4, 1, 2, 0))
        columns = ops.reshape(columns, (height * width, -1, input.shape[0]))
        weight = ops.reshape(self.weight, (height * width, self.nOutputPlane, -1))
        y = ops.permute(ops.matmul(weight, columns), (2, 1, 0))
        y = ops.reshape(y, (input.shape[0], self.nOutputPlane, height, width))
        return ops.add(y, self.bias)

    def __repr__(self) -> str:
        text = self.text(tells_bias=False)
        return text.replace(", ", f", {self.listed('i', 'x')}, ", 1)
