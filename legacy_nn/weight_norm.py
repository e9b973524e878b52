"""nn.WeightNorm: the weight of a module learned as directions and lengths.

Source: torch/nn WeightNorm.lua; Salimans and Kingma 2016, "Weight Normalization".
"""

from __future__ import annotations

import copy
import math
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros
from rekindle.core.storage import Storage
from rekindle.core.tensor import Parameter, Tensor

from .decorator import Decorator
from .fields import given, long_storage, set_unless_nil
from .module import (
    ArgumentError,
    as_torch,
    both_protocols,
    replace_contents,
    share_memory,
    torch_class,
)
from .state import tie
from .torch7 import random


@torch_class("nn.WeightNorm")
class WeightNorm(Decorator):
    """Computes the weight of the module inside as g * v / |v|, row by row.

    Parameters
    ----------
    module : Module
        With a `weight`.
    outputDim : int, default 1
        The dimension of the weight, from 1, that counts the outputs.

    Attributes
    ----------
    v : Parameter, shape (outputs, otherDims)
        The directions.
    g : Parameter, shape (outputs, 1)
        The lengths.
    bias : Parameter or None
        The module's.
    gradV, gradG : Tensor
        Their gradients. In training every forward pass overwrites `gradV`, and going back takes
        all that the module's `gradWeight` holds for the weight's gradient, as in Torch7.

    Notes
    -----
    Files have neither the weight nor its gradient; reading computes them. Call
    `zeroGradParameters()` after it.
    """

    parameter_fields = (("v", "gradV"), ("g", "gradG"), ("bias", "gradBias"))

    outputDim: int
    v: Tensor
    g: Tensor
    gradV: Tensor
    gradG: Tensor
    gradWeight: Any = None

    def __init__(self, module: Any, outputDim: int | None = None) -> None:
        super().__init__(module)
        if not isinstance(module.weight, Tensor):
            raise ArgumentError(f"nn.WeightNorm takes a module with a weight; given {module!r}")
        set_unless_nil(self, bias=module.bias, gradBias=getattr(module, "gradBias", None))
        self.gradWeight, self.weight = module.gradWeight, module.weight
        self.outputDim = given(outputDim, 1)
        sizes = list(self.weight.shape)
        outputs = sizes.pop(self.outputDim - 1)
        self.otherDims = math.prod(sizes)
        self.viewIn = long_storage([outputs, self.otherDims])
        self.viewOut = long_storage([outputs, *sizes])
        self.weightSize = long_storage(self.weight.shape)
        self.v = empty((outputs, self.otherDims), self.dtype)
        self.g = empty((outputs, 1), self.dtype)
        self._norm = empty(outputs, self.dtype)
        self._scale = empty(outputs, self.dtype)
        self.gradG = zeros(outputs, self.dtype)
        self.gradV = empty((outputs, self.otherDims), self.dtype)
        self.resetInit()

    def resetInit(self) -> None:
        """Draw new directions, normally; lengths are theirs, and the bias is 0."""
        random.normal(self.v, 0, math.sqrt(2 / self.otherDims))
        with as_torch():
            self.g.copy_(ops.norm(self.v, axis=1, keepdims=True))
            if self.bias is not None:
                self.bias.zero_()

    # -- the weight ---------------------------------------------------------------------

    def updateWeight(self) -> None:
        """Give the module inside the weight that v and g make."""
        with as_torch():
            norm, scale = self._norm_and_scale()
            self._norm = replace_contents(self._norm, norm)
            self._scale = replace_contents(self._scale, ops.reshape(scale, (-1,)))
            self._keep_v_gradient(self.v * scale)
            self.modules[1].weight.detach().copy_(self._inward(self.v * scale))

    def _norm_and_scale(self) -> tuple[Tensor, Tensor]:
        # Added up one by one, and rounded at each step, as Torch7 does: files hold the result.
        total = ops.narrow(ops.cumsum(ops.square(self.v), axis=1), 1, self.v.shape[1] - 1, 1)
        norm = ops.sqrt(ops.square(ops.sqrt(total)) + 10e-5)
        return norm, ops.divide(self.g, norm)

    def _inward(self, rows: Tensor) -> Tensor:
        """Return rows of outputs in the shape of the module's weight."""
        return ops.moveaxis(ops.reshape(rows, _sizes(self.viewOut)), 0, self.outputDim - 1)

    def _outward(self, weight: Tensor) -> Tensor:
        """Return a tensor like the module's weight as rows of outputs."""
        return ops.reshape(ops.moveaxis(weight, self.outputDim - 1, 0), self.v.shape)

    def _keep_v_gradient(self, rows: Tensor) -> None:
        _fill(self.gradV, ops.reshape(rows, _sizes(self.viewOut)))

    def evaluate(self) -> Self:
        """Set evaluation mode here and below, with the weight of now."""
        if self.train:
            self.updateWeight()
        return super().evaluate()

    # -- forward ------------------------------------------------------------------------

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)

    @both_protocols
    def updateOutput(self, input: Any) -> Any:
        if self.train:
            self.updateWeight()
        return super().updateOutput(input)

    def _fresh(self, input: Any) -> Any:
        module = self.modules[1]
        kept = vars(module)["weight"]
        self._tie_views()
        _, scale = self._norm_and_scale()
        # The module inside computes with the weight that is on the graph.
        vars(module)["weight"] = self._inward(ops.multiply(self.v, scale))
        try:
            return super()._fresh(input)
        finally:
            vars(module)["weight"] = kept

    def _tie_views(self) -> None:
        """Give v and g gradients of their own shapes on the memory of gradV and gradG."""
        for parameter, gradient in ((self.v, self.gradV), (self.g, self.gradG)):
            assert isinstance(parameter, Parameter)
            tie(parameter, gradient.reshape(parameter.shape))

    # -- backward -----------------------------------------------------------------------

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return share_memory(self.gradInput, self.modules[1].gradInput)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        module = self.modules[1]
        module.accGradParameters(input, gradOutput, scale)
        with as_torch():
            each = ops.reshape(self._scale, (-1, 1))
            norm = ops.reshape(self._norm, (-1, 1))
            g = self._outward(module.gradWeight)
            along = ops.sum(g * self.v / norm, axis=1, keepdims=True)
            _fill(self.gradG, along)
            lost = self.v * each / norm * along
            rows = g * each - lost
            self._keep_v_gradient(rows)
            module.gradWeight.copy_(self._inward(rows))
            # Torch7 computes in the weight's memory: the next forward pass in training, or
            # updateWeight, makes it the weight again.
            module.weight.detach().copy_(ops.reshape(lost, module.weight.shape))
            if self.weight is not None and self.weight.shape != (shape := _sizes(self.viewOut)):
                self.weight = module.weight.detach().reshape(shape)

    def zeroGradParameters(self) -> None:
        self.modules[1].zeroGradParameters()
        for gradient in (self.gradV, self.gradG):
            gradient.detach().zero_()

    def updateParameters(self, learningRate: float) -> None:
        self.modules[1].updateParameters(learningRate)
        for parameter, gradient in ((self.v, self.gradV), (self.g, self.gradG)):
            step = ops.reshape(gradient.detach(), parameter.shape) * learningRate
            parameter.detach().sub_(step)

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        found = [(self.v, self.gradV), (self.g, self.gradG)]
        if self.bias is not None:
            found.append((self.bias, vars(self)["gradBias"]))
        return [p for p, _ in found], [g for _, g in found]

    # -- reading and writing ------------------------------------------------------------

    def upgrade(self, version: int) -> None:
        module = self.modules[1]
        if self.weight is None:
            for name in ("weight", "gradWeight"):
                setattr(module, name, empty(_sizes(vars(self)["weightSize"]), self.v.dtype))
                vars(self)[name] = getattr(module, name)
            self.updateWeight()
            with as_torch():
                module.gradWeight.copy_(self._inward(self.gradV))

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them: without the weight, which v and g make."""
        module = copy.copy(self.modules[1])
        for owner in (vars(module), fields := dict(vars(self))):
            for name in ("weight", "gradWeight"):
                owner.pop(name, None)
        return Table({**fields, "modules": Table([module])})


def _fill(target: Tensor, values: Tensor) -> None:
    """Put as many values into a tensor, which takes their shape where it is in memory."""
    if target.shape != values.shape:
        target.set_(target.storage(), target.storage_offset(), values.shape)
    target.copy_(values)


def _sizes(storage: Storage) -> tuple[int, ...]:
    return tuple(int(n) for n in storage.tolist())
