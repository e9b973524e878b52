"""Convolutions over images: SpatialConvolution and its relatives.

Source: torch/nn SpatialConvolution.lua, SpatialConvolutionMM.lua, SpatialDilatedConvolution.lua,
SpatialDepthWiseConvolution.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .fields import add_parameter, remove, uniform_bound
from .module import torch_class
from .order import any_order
from .spatial import SpatialModule, as_batch, view_as
from .torch7 import random
from .unfolding import Unfolding
from .values import in_shape, size_text


class Convolution(SpatialModule):
    """The base of all modules with planes, a kernel, a weight and a bias.

    Attributes
    ----------
    nInputPlane, nOutputPlane : int
    kW, kH, dW, dH, padW, padH : int
        Kernel, stride and padding; for volumes kT, dT and padT as well.
    weight, bias : Parameter
    """

    scratch: ClassVar[tuple[str, ...]] = ("finput", "fgradInput", "_input", "_gradOutput")
    not_converted = ("finput", "fgradInput")

    nInputPlane: int
    nOutputPlane: int
    padT = padW = padH = 0

    def noBias(self) -> Self:
        """Compute without a bias from now on; return the module."""
        remove(self, "bias", "gradBias")
        return self

    def reset(self, stdv: float | None = None) -> Self:
        """Draw weight and bias, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, prod(self.per_axis("k")) * self.nInputPlane)
        random.uniform(self.weight, -bound, bound)
        if self.bias is not None:
            random.uniform(self.bias, -bound, bound)
        return self

    def refusal(self, input: Tensor) -> str:
        axis = input.ndim - len(self.axes) - 1
        if input.shape[axis] != self.nInputPlane:
            return (
                f"Need input of dimension {input.ndim} and input.size[{axis}] == "
                f"{self.nInputPlane} but got input to be of shape: {size_text(input)}"
            )
        return self.too_small(input, self.nOutputPlane, " x ")

    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of a new weight."""
        return (self.nOutputPlane, self.nInputPlane, *self.per_axis("k"))

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of a new bias."""
        return (self.nOutputPlane,)

    def start(self, inputs: int, outputs: int, **geometry: Sequence[int | None]) -> None:
        """Set planes and geometry as a constructor is given them, and make the parameters.

        Parameters
        ----------
        inputs, outputs : int
            Planes.
        **geometry : sequence of int or None
            Values of the fields with these prefixes, in Lua's order; nil steps are 1, others 0.
        """
        self.nInputPlane = inputs
        self.nOutputPlane = outputs
        for prefix, values in geometry.items():
            default = 1 if prefix == "d" else 0
            self.set_axes(prefix, [value or default for value in values])
        self.new_parameters()

    def new_parameters(self) -> None:
        """Make weight and bias and draw them."""
        add_parameter(self, "weight", "gradWeight", self.weight_shape())
        add_parameter(self, "bias", "gradBias", self.bias_shape())
        self.reset()

    def __repr__(self) -> str:
        return self.text()

    def text(self, *, adjusted: str = "", dilated: bool = False, tells_bias: bool = True) -> str:
        """Return Lua's text: planes, kernel, and of the rest what differs from its default."""
        padded = any(self.per_axis("pad"))
        text = f"{self.t7_typename}({self.nInputPlane} -> {self.nOutputPlane}, "
        text += self.listed("k", "x")
        if padded or any(d != 1 for d in self.per_axis("d")):
            text += f", {self.listed('d')}"
        if padded:
            text += f", {self.listed('pad')}"
        text += adjusted
        if dilated:
            text += f", {self.listed('dilation')}"
        return text + (")" if self.bias is not None or not tells_bias else ") without bias")


def repeated(*padding: int | None) -> list[int]:
    """Return paddings, where those that are nil are as the one before, and the first is 0."""
    found = [0]
    for value in padding:
        found.append(found[-1] if value is None else value)
    return found[1:]


class PlainConvolution(Convolution):
    """A convolution as the operation computes it: nothing is computed again to go back."""

    def geometry(self) -> dict[str, Any]:
        """Return the parameters of the operation and of its gradients."""
        return {"stride": self.per_axis("d"), "padding": self.per_axis("pad")}

    def filters(self) -> Tensor:
        """Return the weight as (nOutputPlane, planes, *kernel), also where it is a matrix."""
        kernel = self.per_axis("k")
        if self.weight.shape[2:] == kernel:
            return self.weight  # type: ignore[no-any-return]
        return ops.reshape(self.weight, (self.nOutputPlane, -1, *kernel))

    @any_order
    def compute_batch(self, input: Tensor) -> Tensor:
        return ops.convolution(input, self.filters(), self.bias, **self.geometry())

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        x, g = (as_batch(self, t) for t in (input, gradOutput))
        found = ops.convolution_input_gradient(
            g, self.filters(), size=x.shape[2:], **self.geometry()
        )
        return in_shape(found, input.shape)

    @any_order
    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        x, g = (as_batch(self, t) for t in (input, gradOutput))
        found = ops.convolution_weight_gradient(x, g, kernel=self.per_axis("k"), **self.geometry())
        of_bias = None if self.bias is None else ops.sum(g, axis=(0, *range(2, g.ndim)))
        return [in_shape(found, self.weight.shape), of_bias]


class _ImageConvolution(Convolution):
    """The constructor that convolutions over images share."""

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
    ) -> None:
        super().__init__()
        self.start(nInputPlane, nOutputPlane, k=(kW, kH), d=(dW, dH), pad=repeated(padW, padH))

    def upgrade(self, version: int) -> None:
        if (padding := self.__dict__.pop("padding", None)) is not None:
            self.set_axes("pad", (padding, padding))


@torch_class("nn.SpatialConvolution")
class SpatialConvolution(Unfolding, PlainConvolution, _ImageConvolution):
    """Cross-correlation of images with filters, plus a bias per plane.

    Parameters
    ----------
    nInputPlane, nOutputPlane : int
    kW, kH : int
        Size of the kernel.
    dW, dH : int
        Steps; 1 by default.
    padW, padH : int
        Zeros on both sides; 0 by default, `padH` as `padW`.

    Notes
    -----
    Input (N, nInputPlane, H, W) or without N. Weight (nOutputPlane, nInputPlane, kH, kW); in
    old files it has two dimensions.
    """

    def upgrade(self, version: int) -> None:
        super().upgrade(version)
        view_as(self, ("weight", "gradWeight"), self.weight_shape())


@torch_class("nn.SpatialConvolutionMM")
class SpatialConvolutionMM(Unfolding, PlainConvolution, _ImageConvolution):
    """SpatialConvolution with its weight as a matrix (nOutputPlane, nInputPlane*kH*kW)."""

    def weight_shape(self) -> tuple[int, ...]:
        return (self.nOutputPlane, self.nInputPlane * prod(self.per_axis("k")))


@torch_class("nn.SpatialDilatedConvolution")
class SpatialDilatedConvolution(SpatialConvolution):
    """SpatialConvolution whose kernel sees every `dilationW`-th, `dilationH`-th pixel.

    Parameters
    ----------
    nInputPlane, nOutputPlane, kW, kH, dW, dH, padW, padH : int
        As for SpatialConvolution.
    dilationW, dilationH : int
        1 by default.
    """

    unfolds = False

    dilationW = dilationH = 1

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
        dilationW: int | None = None,
        dilationH: int | None = None,
    ) -> None:
        super().__init__(nInputPlane, nOutputPlane, kW, kH, dW, dH, padW, padH)
        self.set_axes("dilation", (dilationW or 1, dilationH or 1))

    def geometry(self) -> dict[str, Any]:
        return {**super().geometry(), "dilation": self.per_axis("dilation")}

    def __repr__(self) -> str:
        return self.text(dilated=True)


@torch_class("nn.SpatialDepthWiseConvolution")
class SpatialDepthWiseConvolution(Unfolding, _ImageConvolution):
    """`nOutputPlane` filters for each input plane by itself.

    Parameters
    ----------
    nInputPlane : int
    nOutputPlane : int
        Output planes for each input plane; all those of the first plane come first.
    kW, kH, dW, dH, padW, padH : int
        As for SpatialConvolution.

    Notes
    -----
    Torch7 exchanges height and width when it reads the input, so images that are not square
    are read as if their memory were (W, H), and so they are here.
    Source: lib/THNN/generic/SpatialDepthWiseConvolution.c
    """

    def weight_shape(self) -> tuple[int, ...]:
        return (self.nOutputPlane, self.nInputPlane * prod(self.per_axis("k")))

    def bias_shape(self) -> tuple[int, ...]:
        return (self.nOutputPlane, self.nInputPlane)

    def prepare(self, input: Tensor) -> None:
        # Torch7 gives the weight four dimensions here, and its gradient when it comes to it.
        shape = (self.nOutputPlane, self.nInputPlane, *self.per_axis("k"))
        view_as(self, ("weight", "gradWeight"), shape)

    def compute_batch(self, input: Tensor) -> Tensor:
        inputs, outputs, kernel = self.nInputPlane, self.nOutputPlane, self.per_axis("k")
        weight = ops.reshape(self.weight, (outputs, inputs, *kernel)).transpose(0, 1)
        bias = self.bias
        if bias is not None:
            bias = ops.reshape(bias.transpose(0, 1), (-1,))
        n, planes, height, width = input.shape
        return ops.convolution(
            ops.reshape(input, (n, planes, width, height)),
            ops.reshape(weight, (inputs * outputs, 1, *kernel)),
            bias,
            stride=self.per_axis("d"),
            padding=self.per_axis("pad"),
            groups=inputs,
        )
