"""Convolutions between chosen pairs of planes.

Source: torch/nn SpatialConvolutionMap.lua, SpatialFullConvolutionMap.lua.
"""

from __future__ import annotations

from math import prod
from typing import Self

from rekindle.core import ops
from rekindle.core.creation import zeros
from rekindle.core.tensor import Tensor

from .fields import add_parameter, uniform_bound
from .module import torch_class
from .spatial import SpatialModule, smaller_than_kernel
from .torch7 import random


class ConvolutionMap(SpatialModule):
    """A convolution in which only some pairs of input and output planes are connected.

    Parameters
    ----------
    conMatrix : Tensor, shape (n, 2)
        Pairs of an input and an output plane, from 1: `nn.tables` makes some.
    kW, kH : int
        Size of the kernel.
    dW, dH : int
        Steps; 1 by default.

    Notes
    -----
    Weight (n, kH, kW): one kernel for each pair.
    """

    buffer_fields = ("connTable",)

    connTable: Tensor
    nInputPlane: int
    nOutputPlane: int

    def __init__(
        self,
        conMatrix: Tensor,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_axes("k", (kW, kH))
        self.set_axes("d", (dW or 1, dH or 1))
        self.connTable = conMatrix
        self.nInputPlane, self.nOutputPlane = conMatrix.max(axis=0).astype("int64").tolist()
        add_parameter(self, "weight", "gradWeight", (len(conMatrix), kH, kW))
        add_parameter(self, "bias", "gradBias", (self.nOutputPlane,))
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new parameters, uniformly with deviation `stdv`, and return the module.

        By default the deviation depends on how many input planes an output plane sees.
        """
        outputs = self.connTable[:, 1].astype("int64").tolist()
        area = prod(self.per_axis("k"))
        bounds = [
            uniform_bound(stdv, area * max(outputs.count(plane), 1))
            for plane in range(1, self.nOutputPlane + 1)
        ]
        for k, plane in enumerate(outputs):
            random.uniform(self.weight[k], -bounds[plane - 1], bounds[plane - 1])
        for k, bound in enumerate(bounds):
            random.uniform(self.bias[k : k + 1], -bound, bound)
        return self

    def refusal(self, input: Tensor) -> str:
        few = input.shape[-3] < self.nInputPlane
        return "invalid number of input planes" if few else ""

    def dense_weight(self) -> Tensor:
        """Return the weight of all pairs, zero where none, (outputs, inputs, kH, kW)."""
        kernel = self.per_axis("k")
        table = self.connTable.astype("int64") - 1
        pairs = zeros((self.nOutputPlane * self.nInputPlane, *kernel), self.weight.dtype)
        index = table[:, 1] * self.nInputPlane + table[:, 0]
        pairs = ops.index_add(pairs, index, self.weight, axis=0)
        return ops.reshape(pairs, (self.nOutputPlane, self.nInputPlane, *kernel))


@torch_class("nn.SpatialConvolutionMap")
class SpatialConvolutionMap(ConvolutionMap):
    """SpatialConvolution between the pairs of planes in `connTable`; see ConvolutionMap."""

    def refusal(self, input: Tensor) -> str:
        return super().refusal(input) or smaller_than_kernel(self, input)

    def compute_batch(self, input: Tensor) -> Tensor:
        planes = input[:, : self.nInputPlane]
        return ops.convolution(planes, self.dense_weight(), self.bias, stride=self.per_axis("d"))


@torch_class("nn.SpatialFullConvolutionMap")
class SpatialFullConvolutionMap(ConvolutionMap):
    """SpatialFullConvolution between the pairs of planes in `connTable`; see ConvolutionMap."""

    def compute_batch(self, input: Tensor) -> Tensor:
        planes = input[:, : self.nInputPlane]
        weight = self.dense_weight().transpose(0, 1)
        return ops.transposed_convolution(planes, weight, self.bias, stride=self.per_axis("d"))
