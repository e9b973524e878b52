"""Full convolutions, which enlarge their input: transposed convolutions by another name.

Source: torch/nn SpatialFullConvolution.lua, VolumetricFullConvolution.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import two_tensors
from .convolution import Convolution
from .gradients import refilled
from .module import ArgumentError, torch_class
from .order import any_order
from .spatial import as_batch
from .values import in_shape


class FullConvolution(Convolution):
    """What full convolutions of images and of volumes share.

    The input is a tensor, or a table {tensor, target}: then the output gets the spatial size
    of `target`.

    Attributes
    ----------
    adjW, adjH : int
        Added to the size of the output; for volumes adjT as well.
    """

    adjT = adjW = adjH = 0

    def weight_shape(self) -> tuple[int, ...]:
        return (self.nInputPlane, self.nOutputPlane, *self.per_axis("k"))

    def new_parameters(self) -> None:
        if any(a >= d for a, d in zip(self.per_axis("adj"), self.per_axis("d"), strict=True)):
            raise ArgumentError(
                f"adjW and adjH must be smaller than self.dW - 1 and self.dH - 1 respectively: "
                f"{self.t7_typename}: adjustments are smaller than the strides; "
                f"given adjustments {self.listed('adj')} and strides {self.listed('d')}"
            )
        super().new_parameters()
        self.ones = empty(0, self.dtype)

    def check_input(self, input: Any) -> None:
        super().check_input(input.get(1, input) if isinstance(input, Table) else input)

    @any_order
    def compute(self, input: Any) -> Any:
        if not isinstance(input, Table):
            return self.enlarge(input, self.per_axis("adj"))
        images, target = two_tensors(self, input)
        if target.ndim < len(self.axes):
            raise ShapeError(
                f"dimension {len(self.axes)} out of range of {target.ndim}D tensor: {self!r} "
                f"gives an output of the size of the second tensor; given shape {target.shape}"
            )
        geometry = (self.per_axis(prefix) for prefix in ("k", "pad", "d"))
        sizes = target.shape[-len(self.axes) :]
        adjustment = ((n + 2 * p - k) % d for n, k, p, d in zip(sizes, *geometry, strict=True))
        return self.enlarge(images, tuple(adjustment))

    def enlarge(self, input: Tensor, adjustment: tuple[int, ...]) -> Tensor:
        """Return the output for a tensor, with these adjustments of its size."""

        def batch(images: Tensor) -> Tensor:
            return ops.transposed_convolution(
                images,
                self.weight,
                self.bias,
                stride=self.per_axis("d"),
                padding=self.per_axis("pad"),
                extra=adjustment,
            )

        result: Tensor = self.on_batch(input, batch)
        return result

    @any_order
    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        if isinstance(input, Table):
            # What gives the size has no gradient: zeros that take the memory of one number.
            zero = ops.expand(zeros((1,) * input[2].ndim, self.dtype), input[2].shape)
            return Table([self.input_gradient(input[1], gradOutput), zero])
        g = as_batch(self, gradOutput)
        found = ops.convolution(
            g, self.weight, None, stride=self.per_axis("d"), padding=self.per_axis("pad")
        )
        return in_shape(found, input.shape)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if not isinstance(result, Table):
            return super().keep_gradient(input, gradOutput, result)
        table = self.gradInput
        if not isinstance(table, Table):
            return Table([refilled(table, result[1]), result[2]])
        table[1] = refilled(table.get(1), result[1])  # clearState empties the table
        zeros = table.get(2)
        if zeros is None or zeros.shape != result[2].shape:
            table[2] = result[2]
        return table

    @any_order
    def parameter_gradients(self, input: Any, gradOutput: Any) -> Sequence[Tensor | None]:
        images = input[1] if isinstance(input, Table) else input
        x, g = (as_batch(self, t) for t in (images, gradOutput))
        of_weight = ops.convolution_weight_gradient(
            g,
            x,
            kernel=self.per_axis("k"),
            stride=self.per_axis("d"),
            padding=self.per_axis("pad"),
        )
        of_bias = None if self.bias is None else ops.sum(g, axis=(0, *range(2, g.ndim)))
        return [of_weight, of_bias]

    def text(self, **options: Any) -> str:
        adjusted = f", {self.listed('adj')}" if any(self.per_axis("adj")) else ""
        return super().text(adjusted=adjusted, **options)


@torch_class("nn.SpatialFullConvolution")
class SpatialFullConvolution(FullConvolution):
    """Transposed convolution of images, plus a bias per plane.

    Parameters
    ----------
    nInputPlane, nOutputPlane : int
    kW, kH : int
        Size of the kernel.
    dW, dH : int
        By how much the image grows; 1 by default.
    padW, padH : int
        Cut off on both sides; 0 by default.
    adjW, adjH : int
        Added at the end; 0 by default, less than dW and dH.

    Raises
    ------
    ArgumentError
        If an adjustment is not smaller than its stride.

    Notes
    -----
    Output sizes are (size - 1)*d - 2*pad + k + adj. Weight (nInputPlane, nOutputPlane, kH, kW).
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
        adjW: int | None = None,
        adjH: int | None = None,
    ) -> None:
        super().__init__()
        pad, adj = (padW, padH), (adjW, adjH)
        self.start(nInputPlane, nOutputPlane, k=(kW, kH), d=(dW, dH), pad=pad, adj=adj)


@torch_class("nn.VolumetricFullConvolution")
class VolumetricFullConvolution(FullConvolution):
    """Transposed convolution of volumes, plus a bias per plane.

    Parameters
    ----------
    nInputPlane, nOutputPlane : int
    kT, kW, kH, dT, dW, dH, padT, padW, padH, adjT, adjW, adjH : int
        As for SpatialFullConvolution.

    Raises
    ------
    ArgumentError
        If an adjustment is not smaller than its stride.
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
        adjT: int | None = None,
        adjW: int | None = None,
        adjH: int | None = None,
    ) -> None:
        super().__init__()
        pad, adj = (padT, padW, padH), (adjT, adjW, adjH)
        self.start(nInputPlane, nOutputPlane, k=(kT, kW, kH), d=(dT, dW, dH), pad=pad, adj=adj)
        self.finput = empty(0, self.dtype)
        self.fgradInput = empty(0, self.dtype)

    def upgrade(self, version: int) -> None:
        if "adjW" in self.__dict__:
            return
        for name in ("weight", "gradWeight"):
            if isinstance(tensor := self.__dict__.get(name), Tensor) and tensor.ndim == 5:
                self.__dict__[name] = tensor.transpose(0, 1).contiguous()
        for axis in self.axes:
            if "pad" + axis not in self.__dict__ and "p" + axis in self.__dict__:
                setattr(self, "pad" + axis, self.__dict__["p" + axis])
            setattr(self, "adj" + axis, 0)

    def __repr__(self) -> str:
        return self.text(tells_bias=False)
