"""nn.CategoricalEntropy: probabilities that are pushed to be spread over a batch."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

from ..branches import ConcatTable
from ..checks import one_tensor
from ..constant import AddConstant, MulConstant
from ..containers import Sequential
from ..elementwise import Log
from ..fields import given, set_unless_nil
from ..identity import Identity
from ..module import share_memory, torch_class
from ..reduce import Sum
from ..stated_gradient import Gradients, StatedGradient
from ..table_arithmetic import CMulTable


@torch_class("nn.CategoricalEntropy")
class CategoricalEntropy(StatedGradient):
    """Gives its input, rows of probabilities; going back it adds the gradient of their entropy.

    The entropy is that of the mean row.

    Parameters
    ----------
    scale : float, default 1
    minEntropy : float, optional
        Above it nothing is added.

    Attributes
    ----------
    entropy : float
        As it was when last going back.

    Source: Element-Research/dpnn CategoricalEntropy.lua.
    """

    minEntropy: float | None = None
    entropy: float | None = None

    def __init__(self, scale: float | None = None, minEntropy: float | None = None) -> None:
        super().__init__()
        self.scale = given(scale, 1)
        set_unless_nil(self, minEntropy=minEntropy)
        self._mul = MulConstant(1)
        logarithm = Sequential().add(AddConstant(0.000001)).add(Log())
        both = ConcatTable().add(Identity()).add(logarithm)
        self.module = Sequential()
        for part in (Sum(1), self._mul, both, CMulTable(), Sum(), MulConstant(-1)):
            self.module.add(part)
        self.modules = Table([self.module])
        self.minusOne = tensor([-self.scale], self.dtype)
        self.sizeAverage = True

    def compute(self, input: Any) -> Tensor:
        return one_tensor(self, input, 2)

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, input)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        total = ops.sum(input).item()
        share = ops.sum(input, axis=0) / total
        small = share + 0.000001
        entropy = ops.negative(ops.sum(share * ops.log(small)))
        self.entropy = entropy.item()
        if self.minEntropy is not None and not self.entropy < self.minEntropy:
            return gradOutput, ()
        slope = (ops.log(small) + share / small) * (self.scale / total)
        if self.sizeAverage:
            slope = slope / input.shape[0]
        return gradOutput + ops.expand(slope, input.shape), ()
