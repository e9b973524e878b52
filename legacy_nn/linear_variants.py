"""Linear maps with other parameters: nn.LinearWeightNorm and nn.PartialLinear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.creation import arange, empty
from rekindle.core.dtypes import int64
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .branches import ParallelTable
from .checks import one_tensor, rows_at
from .containers import Sequential
from .fields import add_parameter, given, uniform_bound
from .identity import Identity
from .linear import Linear
from .lookup import LookupTable
from .matrix import MM
from .module import Module, as_torch, replace_contents, torch_class
from .torch7 import random


@torch_class("nn.LinearWeightNorm")
class LinearWeightNorm(Linear):
    """A linear map whose rows are learned as a direction `v` and a length `g`.

    Parameters
    ----------
    inputSize, outputSize : int
    bias : bool, default True
    eps : float, default 1e-16
        The least length of a direction.

    Attributes
    ----------
    v : Parameter, shape (outputSize, inputSize)
    g : Parameter, shape (outputSize, 1)
    bias : Parameter, shape (outputSize,), or None
    weight : Tensor, shape (outputSize, inputSize)
        What v and g made at the last forward pass.

    Source: torch/nn LinearWeightNorm.lua.
    """

    scratch = ("weight", "norm", "scale")

    parameter_fields = (("v", "gradV"), ("g", "gradG"), ("bias", "gradBias"))

    v: Tensor
    g: Tensor
    gradV: Tensor
    gradG: Tensor
    gradBias: Tensor
    norm: Tensor
    scale: Tensor
    eps: float = 1e-16

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        bias: bool | None = None,
        eps: float | None = None,
    ) -> None:
        Module.__init__(self)
        self.eps = given(eps, 1e-16)
        self.outputSize = outputSize
        self.inputSize = inputSize
        add_parameter(self, "v", "gradV", (outputSize, inputSize))
        add_parameter(self, "g", "gradG", (outputSize, 1))
        self.weight = empty((outputSize, inputSize), self.dtype)
        self.norm = empty((outputSize, 1), self.dtype)
        self.scale = empty((outputSize, 1), self.dtype)
        if given(bias, True):
            add_parameter(self, "bias", "gradBias", outputSize)
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw new rows and a bias, uniformly with deviation `stdv`, and return the module."""
        bound = uniform_bound(stdv, self.inputSize)
        random.uniform(self.weight, -bound, bound)
        self.initFromWeight()
        if self.bias is not None:
            random.uniform(self.bias, -bound, bound)
        return self

    def initFromWeight(self, weight: Tensor | None = None) -> Self:
        """Take directions and lengths from a matrix, by default `weight`, and return the module."""
        weight = given(weight, self.weight)
        self.g.detach().copy_(ops.clamp(ops.norm(weight, axis=1, keepdims=True), min=self.eps))
        self.v.detach().copy_(weight)
        return self

    def compute(self, input: Any) -> tuple[Tensor, ...]:
        x = one_tensor(self, input, 1, 2)
        if x.shape[-1] != self.inputSize:
            raise ShapeError(f"{self!r} takes {self.inputSize} features; given shape {x.shape}")
        norm = ops.clamp(ops.norm(self.v, axis=1, keepdims=True), min=self.eps)
        scale = ops.divide(self.g, norm)
        weight = ops.multiply(self.v, scale)
        return ops.linear(x, weight, self.bias), weight, norm, scale

    def remember(self, *extras: Any) -> None:
        for name, value in zip(("weight", "norm", "scale"), extras, strict=True):
            setattr(self, name, replace_contents(getattr(self, name), value))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            of_weight, of_bias = self.affine_gradients(input, gradOutput)
            self.gradV.add_(of_weight * scale)
            if of_bias is not None:
                self.gradBias.add_(of_bias * scale)
            # Torch7 takes what gradV holds by now, earlier gradients too, for the weight's.
            self.gradG.copy_(ops.sum(self.gradV * self.v / self.norm, axis=1, keepdims=True))
            along = self.v * self.scale / self.norm * self.gradG
            self.gradV.copy_(self.gradV * self.scale - along)

    def __repr__(self) -> str:
        without = " without bias" if self.bias is None else ""
        return f"{self.t7_typename}({self.inputSize} -> {self.outputSize}){without}"


@torch_class("nn.PartialLinear")
class PartialLinear(Module):
    """A linear map of which only some outputs are computed.

    Parameters
    ----------
    inputsize, outputsize : int
    bias : bool, default True

    Attributes
    ----------
    partition : Tensor, shape (n,)
        Which outputs, from 1.
    network : Sequential
        Holds the rows in a LookupTable.
    bias : Parameter, shape (1, outputsize), or None

    Source: torch/nn PartialLinear.lua.
    """

    buffer_fields = ("partition",)

    network: Sequential
    gradBias: Tensor
    partition: Tensor
    allcolumns: Tensor

    def __init__(self, inputsize: int, outputsize: int, bias: bool | None = None) -> None:
        super().__init__()
        rows = LookupTable(outputsize, inputsize)
        self.network = Sequential()
        self.network.add(ParallelTable().add(Identity()).add(rows)).add(MM(False, True))
        if given(bias, True):
            add_parameter(self, "bias", "gradBias", (1, outputsize))
            self.bias.detach().zero_()
        self.inputsize = inputsize
        self.outputsize = outputsize
        self.allcolumns = arange(1, outputsize + 1, dtype=self.dtype)
        self.resetPartition()

    def setPartition(self, indices: Tensor) -> None:
        """Compute only the outputs `indices`, from 1."""
        self.partition = ops.astype(indices, self.allcolumns.dtype)

    def resetPartition(self) -> None:
        """Compute all outputs."""
        self.partition = self.allcolumns

    def children(self) -> Iterator[tuple[str, Any]]:
        yield "network", self.network

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        weights, gradients = super().parameters()
        rows, row_gradients = self.network.parameters()
        return rows + weights, row_gradients + gradients

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 2)
        if x.shape[1] != self.inputsize:
            raise ShapeError(f"{self!r} takes {self.inputsize} features; given shape {x.shape}")
        rows = rows_at(self, self.network.get(1).get(2).weight, self.partition)
        if self.bias is None:
            return ops.linear(x, rows, None)
        bias = rows_at(self, ops.reshape(self.bias, (-1,)), self.partition)
        return ops.linear(x, rows, bias)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            of_rows = ops.matmul(ops.transpose(gradOutput, 0, 1), input)
            self.network.get(1).get(2).accGradParameters(self.partition, of_rows, scale)
            if self.bias is not None:
                index = ops.astype(self.partition, int64) - 1
                of_bias = ops.unsqueeze(ops.sum(gradOutput, axis=0) * scale, 0)
                self.gradBias.copy_(ops.index_add(self.gradBias, index, of_bias, axis=1))

    def defaultAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        rows = self.network.get(1).get(2)
        gradient = rows.gradWeight
        vars(rows)["gradWeight"] = rows.weight.detach()
        try:
            super().defaultAccUpdateGradParameters(input, gradOutput, lr)
        finally:
            rows.gradWeight = gradient

    sharedAccUpdateGradParameters = defaultAccUpdateGradParameters

    def __repr__(self) -> str:
        without = " without bias" if self.bias is None else ""
        return f"{self.t7_typename}({self.inputsize} -> {self.outputsize}){without}"
