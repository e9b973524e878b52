"""Linear maps with other parameters: nn.LinearWeightNorm and nn.PartialLinear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import arange, empty
from rekindle.core.dtypes import int64
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .branches import ParallelTable
from .checks import features, one_tensor, remembered, rows_at
from .containers import Sequential
from .fields import add_parameter, given, set_field, uniform_bound
from .identity import Identity
from .linear import Linear
from .lookup import LookupTable
from .matrix import MM
from .module import Module, as_input, as_torch, both_protocols, share_memory, torch_class
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
        What v and g made at the last forward pass in training, or when that mode ended.

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

    @classmethod
    def fromLinear(cls, linear: Linear) -> LinearWeightNorm:
        """Return a module that computes what a Linear does."""
        outputs, inputs = linear.weight.shape
        module = cls(inputs, outputs, linear.bias is not None)
        module.weight.copy_(linear.weight.detach())
        module.initFromWeight()
        if linear.bias is not None:
            module.bias.detach().copy_(linear.bias.detach())
        return module

    def toLinear(self) -> Linear:
        """Return a Linear that computes what this module does."""
        module = Linear(self.inputSize, self.outputSize, self.bias is not None)
        self.updateWeightMatrix()
        module.weight.detach().copy_(self.weight)
        if self.bias is not None:
            module.bias.detach().copy_(self.bias.detach())
        return module

    def updateWeightMatrix(self) -> None:
        """Compute `weight` from v and g."""
        with as_torch():
            for name, value in zip(("weight", "norm", "scale"), self._matrix(), strict=True):
                set_field(self, name, value)

    def _matrix(self) -> tuple[Tensor, Tensor, Tensor]:
        norm = ops.clamp(ops.norm(self.v, axis=1, keepdims=True), min=self.eps)
        scale = ops.divide(self.g, norm)
        return ops.multiply(self.v, scale), norm, scale

    def evaluate(self) -> Self:
        """Set evaluation mode, in which the weight of now stays what it is."""
        if self.train:
            self.updateWeightMatrix()
        return super().evaluate()

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        if self.train:
            self.updateWeightMatrix()
        with as_torch():
            input = as_input(input)
            self.check_input(input)
            (weight,) = remembered(self, "weight", method="updateWeightMatrix")
            x = features(self, input, self.inputSize)
            self.output = self.keep(input, ops.linear(x, weight, self.bias))
        return self.output

    def compute(self, input: Any) -> Tensor:
        return ops.linear(features(self, input, self.inputSize), self._matrix()[0], self.bias)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """Add to the gradients what Torch7 adds; `weight` holds something else afterwards.

        The next forward pass in training computes it again, `updateWeightMatrix` at any time.
        """
        with as_torch():
            norm, each = remembered(self, "norm", "scale")
            of_weight, of_bias = self.affine_gradients(input, gradOutput)
            self.gradV.add_(of_weight * scale)
            if of_bias is not None:
                self.gradBias.add_(of_bias * scale)
            # Torch7 takes what gradV holds by now, earlier gradients too, for the weight's.
            self.gradG.copy_(ops.sum(self.gradV * self.v / norm, axis=1, keepdims=True))
            self.gradV.mul_(each)  # v itself where accUpdateGradParameters asks
            set_field(self, "weight", self.v * each / norm * self.gradG)
            self.gradV.sub_(self.weight)

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

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            x = one_tensor(self, input, 2)
            y = self.network.updateOutput(Table([x, self.partition]))
            if self.bias is not None:
                y.add_(rows_at(self, ops.reshape(self.bias, (-1,)), self.partition))
            self.output = share_memory(self.output, y)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.gradInput is not None:
            found = self.network.updateGradInput(Table([input, self.partition]), gradOutput)
            self.gradInput = share_memory(self.gradInput, found[1])
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """Add to the gradients: for the rows, of the gradOutput of the last `updateGradInput`."""
        with as_torch():
            self.network.accGradParameters(Table([input, self.partition]), gradOutput, scale)
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
