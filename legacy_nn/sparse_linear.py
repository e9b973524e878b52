"""nn.SparseLinear: a linear map of inputs that are 0 but for a few numbers.

Source: torch/nn SparseLinear.lua, lib/THNN/generic/SparseLinear.c.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import arange, empty, zeros
from rekindle.core.errors import BoundsError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .fields import add_parameter, uniform_bound
from .module import ArgumentError, InputTypeError, Module, as_torch, replace_contents, torch_class
from .torch7 import random
from .values import as_input

NO_LAST_INPUT, ONE_LAST_INPUT, SEVERAL_INPUTS = range(3)
"""What the field `sparseUpdate` says of the gradients that were added up."""


@torch_class("nn.SparseLinear")
class SparseLinear(Module):
    """y = W x + b for rows that are given by what in them is not 0.

    Parameters
    ----------
    inputSize, outputSize : int
    doGradInput : bool, default False
        Whether going back computes a gradient for the input: pairs for all of its numbers.

    Attributes
    ----------
    weight : Parameter, shape (outputSize, inputSize)
    bias : Parameter, shape (outputSize,)
    weightDecay : float
        What part of the weight joins its gradient.
    lastInput : Tensor
        The pairs since gradients were last set to 0; while there is only one input,
        `updateParameters` and `zeroGradParameters` touch no more columns than it has.

    Notes
    -----
    A sample is a tensor (n, 2) of positions, from 1, and values. The input is one, a table of
    samples, or a tensor (N, n, 2).
    """

    scratch = ("lastInput",)

    weightDecay: float = 0  # type: ignore[assignment]  # hides the method, as in Lua
    doGradInput: bool = False
    sparseUpdate: int = NO_LAST_INPUT
    lastInput: Tensor | None = None
    gradWeight: Tensor
    gradBias: Tensor

    def __init__(self, inputSize: int, outputSize: int, doGradInput: bool | None = None) -> None:
        super().__init__()
        if not isinstance(doGradInput, (bool, type(None))):
            raise ArgumentError(f"doGradInput is true or false; given {doGradInput!r}")
        self.weightDecay = 0
        self.doGradInput = bool(doGradInput)
        add_parameter(self, "weight", "gradWeight", (outputSize, inputSize))
        add_parameter(self, "bias", "gradBias", outputSize)
        self.sparseUpdate = NO_LAST_INPUT
        self.gradInput = Table()
        self.output = empty(outputSize, self.dtype)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw a new weight, uniformly with deviation `stdv`, and a bias a million times less."""
        bound = uniform_bound(stdv, self.weight.shape[1])
        random.uniform(self.weight, -bound, bound)
        random.uniform(self.bias, -bound, bound)
        self.bias.detach().mul_(0.000001)

    # -- forward ------------------------------------------------------------------------

    def _samples(self, input: Any) -> list[Tensor]:
        """Return the pairs of each sample."""
        if isinstance(input, Table):
            samples = [one_tensor(self, x, 2) for x in input.array()]
        else:
            x = one_tensor(self, input, 2, 3)
            samples = [x] if x.ndim == 2 else [x[i] for i in range(x.shape[0])]
        for pairs in samples:
            if pairs.shape[1] != 2:
                raise InputTypeError(
                    f"{self.t7_typename} takes samples of shape (n, 2): positions and values; "
                    f"given {pairs.shape}"
                )
        return samples

    def _flat(self, input: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the sample, the column, both from 0, and the value of each pair."""
        samples = self._samples(input)
        pairs = ops.concat(samples, axis=0)
        rows = np.repeat(np.arange(len(samples)), [x.shape[0] for x in samples])
        columns = ops.astype(pairs.detach()[:, 0], "int64") - 1
        size = self.weight.shape[1]
        if columns.size and not 0 <= ops.min(columns).item() <= ops.max(columns).item() < size:
            raise BoundsError(
                f"{self.t7_typename}: index out of bound: positions go from 1 to {size}; given "
                f"{ops.min(columns).item() + 1} to {ops.max(columns).item() + 1}"
            )
        return Tensor(rows, device=pairs.device), columns, pairs[:, 1]

    def prepare(self, input: Any) -> None:
        if self.sparseUpdate == ONE_LAST_INPUT:
            self.sparseUpdate = SEVERAL_INPUTS

    def compute(self, input: Any) -> Tensor:
        if isinstance(input, Table) and not len(input):
            return ops.clone(self.bias)
        rows, columns, values = self._flat(input)
        count = len(self._samples(input))
        terms = ops.embedding(ops.transpose(self.weight, 0, 1), columns) * ops.unsqueeze(values, 1)
        total = ops.add(ops.embedding_gradient(terms, rows, rows=count), self.bias)
        return total[0] if isinstance(input, Tensor) and input.ndim == 2 else total

    # -- backward -----------------------------------------------------------------------

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            found = self._dense_gradient(as_input(input), gradOutput)
            legacy = isinstance(input, Tensor) and input.ndim == 3
            if not legacy:
                self.gradInput = found
            elif len(found):
                self.gradInput = ops.stack(found.array(), axis=0)
            else:
                self.gradInput = zeros(input.shape, self.dtype, input.device)
        return self.gradInput

    def _dense_gradient(self, input: Any, gradOutput: Any) -> Table:
        """Return pairs for all numbers of each sample, or nothing if they are not wanted."""
        if not self.doGradInput:
            return Table()
        size = self.weight.shape[1]
        g = ops.matmul(ops.reshape(gradOutput, (-1, self.weight.shape[0])), self.weight)
        positions = arange(1, size + 1, dtype=g.dtype, device=g.device)
        return Table([ops.stack([positions, g[i]], axis=1) for i in range(g.shape[0])])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            rows, columns, values = self._flat(as_input(input))
            self._remember_input(columns, values)
            g = ops.reshape(gradOutput, (-1, self.weight.shape[0]))
            terms = ops.embedding(g, rows) * ops.unsqueeze(values * scale, 1)
            # The weight may be wide: only the columns that there are inputs for are touched.
            used, places = np.unique(columns.to("cpu").numpy(), return_inverse=True)
            added = ops.embedding_gradient(terms, Tensor(places, device=g.device), rows=len(used))
            found = Tensor(used, device=g.device)
            by_column = ops.transpose(self.gradWeight.detach(), 0, 1)
            by_column[found] = by_column[found] + added
            self.gradBias.add_(ops.sum(g, axis=0) * scale)
            if self.weightDecay:
                self.gradWeight.add_(self.weight.detach() * self.weightDecay)

    def _remember_input(self, columns: Tensor, values: Tensor) -> None:
        if self.sparseUpdate == NO_LAST_INPUT:
            pairs = ops.stack([ops.astype(columns + 1, values.dtype), values], axis=1)
            self.lastInput = replace_contents(self.lastInput, pairs)
        self.sparseUpdate = min(self.sparseUpdate + 1, SEVERAL_INPUTS)

    # -- parameters ---------------------------------------------------------------------

    def _last_columns(self) -> Tensor | None:
        """Return the columns of the only input since gradients were 0, if there is one only."""
        if self.lastInput is None or self.sparseUpdate != ONE_LAST_INPUT:
            return None
        pairs = self.lastInput.to("cpu").numpy()
        used = np.unique(pairs[pairs[:, -1] != 0, -2].astype(np.int64) - 1)
        return Tensor(used, device=self.weight.device)

    def updateParameters(self, learningRate: float) -> None:
        columns = self._last_columns()
        if columns is None:
            super().updateParameters(learningRate)
            return
        with as_torch():
            self.bias.sub_(self.gradBias * learningRate)
            weight, gradient = (
                ops.transpose(x.detach(), 0, 1) for x in (self.weight, self.gradWeight)
            )
            weight[columns] = weight[columns] - gradient[columns] * learningRate

    def zeroGradParameters(self) -> None:
        columns = self._last_columns()
        if columns is None:
            super().zeroGradParameters()
        else:
            self.gradBias.detach().zero_()
            ops.transpose(self.gradWeight.detach(), 0, 1)[columns] = 0
        self.sparseUpdate = NO_LAST_INPUT
