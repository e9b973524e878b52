"""Tables of learned rows, and one-hot rows: nn.LookupTable, nn.OneHot and char-rnn's OneHot."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from rekindle.core import ops
from rekindle.core.creation import arange, empty, eye, full, zeros, zeros_like
from rekindle.core.dtypes import float32, int32, int64
from rekindle.core.errors import BoundsError
from rekindle.core.tensor import Tensor

from .checks import one_tensor, rows_at
from .conversion import Cache
from .fields import add_parameter, given, remove, set_unless_nil
from .gradients import refilled
from .module import Module, as_torch, torch_class
from .stated_gradient import Gradients, StatedGradient
from .torch7 import random

SAYS = "input must be a vector or matrix"


@torch_class("nn.LookupTable", 4)
class LookupTable(StatedGradient):
    """Returns the rows of `weight` that the input names, from 1.

    Parameters
    ----------
    nIndex, nOutput : int
        Rows, and numbers in a row.
    paddingValue : int, default 0
        Index whose row gets no gradient.
    maxNorm : float, optional
        Rows that are looked up are first scaled down to this norm, in `weight` itself, in
        training and evaluation alike.
    normType : float, optional
        Which norm; by default 2.

    Attributes
    ----------
    weight : Parameter, shape (nIndex, nOutput)
        Files of old versions hold rows of more dimensions, too.
    shouldScaleGradByFreq : bool
        Whether a row's gradient is divided by how often it was looked up.

    Source: torch/nn LookupTable.lua, THNN LookupTable.c.
    """

    scratch = ("_count", "_input")

    paddingValue: int = 0
    maxNorm: float | None = None
    normType: float | None = None
    shouldScaleGradByFreq: bool = False
    gradWeight: Tensor

    def __init__(
        self,
        nIndex: int,
        nOutput: int,
        paddingValue: int | None = None,
        maxNorm: float | None = None,
        normType: float | None = None,
    ) -> None:
        super().__init__()
        add_parameter(self, "weight", "gradWeight", (nIndex, nOutput))
        self.paddingValue = given(paddingValue, 0)
        set_unless_nil(self, maxNorm=maxNorm, normType=normType)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """Draw new rows, normally with deviation `stdv`."""
        random.normal(self.weight, 0, given(stdv, 1))

    def setPadding(self, paddingValue: int) -> Self:
        """Set the index whose row gets no gradient, and return the module."""
        self.paddingValue = paddingValue
        return self

    def setMaxNorm(self, maxNorm: float | None) -> Self:
        """Set the largest norm of a row, or none, and return the module."""
        remove(self, "maxNorm")
        set_unless_nil(self, maxNorm=maxNorm)
        return self

    def setNormType(self, normType: float | None) -> Self:
        """Set which norm of rows is limited, and return the module."""
        remove(self, "normType")
        set_unless_nil(self, normType=normType)
        return self

    def scaleGradByFreq(self) -> Self:
        """Have gradients divided by how often a row was looked up, and return the module."""
        self.shouldScaleGradByFreq = True
        return self

    def accUpdateOnly(self) -> Self:
        """Do without gradients of the table, and return the module."""
        remove(self, "gradWeight")
        return self

    def convert_fields(self, typename: str, cache: Cache) -> None:
        super().convert_fields(typename, cache)
        self._count, self._input = empty(0, int32), empty(0, int64)

    def prepare(self, input: Any) -> None:
        if self.maxNorm is None or self.maxNorm is False:
            return
        index = ops.reshape(one_tensor(self, input, 1, 2, says=SAYS), (-1,))
        rows = rows_at(self, self.weight, index)
        p = 2 if self.normType is None else self.normType
        limited = ops.renorm(rows, p=p, axis=0, limit=self.maxNorm)
        self.weight[ops.astype(index, int64) - 1] = limited

    sharedAccUpdateGradParameters = Module.defaultAccUpdateGradParameters

    def compute(self, input: Any) -> Tensor:
        return rows_at(self, self.weight, one_tensor(self, input, 1, 2, says=SAYS))

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        index = self._rows(input)
        g = self._counted(index, gradOutput)
        return zeros_like(input), [ops.embedding_gradient(g, index, rows=self.weight.shape[0])]

    def _rows(self, input: Any) -> Tensor:
        index = ops.reshape(one_tensor(self, input, 1, 2, says=SAYS), (-1,))
        return ops.astype(index, int64) - 1

    def _counted(self, index: Tensor, gradOutput: Any) -> Tensor:
        """Return the gradient of each row that was looked up, as it counts."""
        each = (-1,) + (1,) * (self.weight.ndim - 1)
        g = ops.reshape(one_tensor(self, gradOutput), (index.size, *self.weight.shape[1:]))
        g = g * ops.reshape(ops.not_equal(index, self.paddingValue - 1), each)
        if self.shouldScaleGradByFreq:
            ones = full(index.size, 1, g.dtype, g.device)
            counts = ops.embedding_gradient(ones, index, rows=self.weight.shape[0])
            g = g / ops.reshape(ops.embedding(counts, index), each)
        return g

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            self.gradInput = refilled(self.gradInput, zeros_like(input))
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            index = self._rows(input)
            # The table may be long: only the rows that were looked up are touched.
            rows, places = np.unique(index.to("cpu").numpy(), return_inverse=True)
            g = self._counted(index, gradOutput) * scale
            total = ops.embedding_gradient(g, Tensor(places, device=g.device), rows=len(rows))
            found = Tensor(rows, device=g.device)
            self.gradWeight[found] = self.gradWeight[found] + total

    def check_input(self, input: Any) -> None:
        """Take indices of any type."""


@torch_class("nn.OneHot")
class OneHot(Module):
    """Turns each index, from 1, into a row with one 1.

    Parameters
    ----------
    outputSize : int

    Source: torch/nn OneHot.lua.
    """

    scratch = ("_single", "_input")
    keeps_results = True

    def __init__(self, outputSize: int) -> None:
        super().__init__()
        self.outputSize = outputSize

    def compute(self, input: Any) -> Tensor:
        if isinstance(input, (int, float)):
            return ops.reshape(self.rows(full(1, input, int64)), (self.outputSize,))
        return self.rows(one_tensor(self, input))

    def rows(self, index: Tensor) -> Tensor:
        """Return the one-hot rows of a tensor of indices, in the module's type."""
        places = ops.unsqueeze(ops.astype(index, int64), index.ndim)
        if (
            index.size
            and not 1 <= ops.min(places).item() <= ops.max(places).item() <= self.outputSize
        ):
            raise BoundsError(
                f"{self.t7_typename} takes indices from 1 to {self.outputSize}; given "
                f"{ops.min(index).item():g} to {ops.max(index).item():g}"
            )
        columns = arange(1, self.outputSize + 1, device=index.device)
        return ops.astype(ops.equal(places, columns), self.dtype)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if isinstance(input, (int, float)):
            return 0
        with as_torch():
            self.gradInput = refilled(self.gradInput, zeros(input.shape, self.dtype, input.device))
        return self.gradInput

    def check_input(self, input: Any) -> None:
        """Take indices of any type."""


@torch_class("OneHot")
class CharRnnOneHot(Module):
    """char-rnn's own OneHot: turns a vector of indices, from 1, into rows with one 1.

    Parameters
    ----------
    outputSize : int

    Source: karpathy/char-rnn util/OneHot.lua.
    """

    _eye: Tensor | None = None

    def __init__(self, outputSize: int) -> None:
        super().__init__()
        self.outputSize = outputSize
        self._eye = eye(outputSize, dtype=self.dtype)

    def prepare(self, input: Any) -> None:
        if self._eye is None:
            self._eye = eye(self.outputSize, dtype=float32)
        elif self._eye.dtype != float32:
            self._eye = ops.astype(self._eye, float32)

    def compute(self, input: Any) -> Tensor:
        assert self._eye is not None
        return ops.astype(rows_at(self, self._eye, one_tensor(self, input, 1)), self.dtype)

    def check_input(self, input: Any) -> None:
        """Take indices of any type."""
