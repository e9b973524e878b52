"""Small modules that recurrent ones are made of: nn.SAdd, nn.CopyGrad and nn.ExpandAs."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..checks import one_tensor, two_tensors
from ..fields import given
from ..gradients import refilled
from ..identity import Identity
from ..module import Module, torch_class


@torch_class("nn.SAdd")
class SAdd(Module):
    """Adds a number, and changes the sign if `negate` says so.

    Parameters
    ----------
    addend : float
    negate : bool, default False

    Source: Element-Research/rnn SAdd.lua.
    """

    def __init__(self, addend: float, negate: bool | None = None) -> None:
        super().__init__()
        self.addend = addend
        self.negate = given(negate, False)

    def compute(self, input: Any) -> Tensor:
        total = one_tensor(self, input) + self.addend
        return ops.negative(total) if self.negate else total


@torch_class("nn.CopyGrad")
class CopyGrad(Identity):
    """Returns its input; its gradient is a copy, which may be written into.

    Source: Element-Research/rnn CopyGrad.lua.
    """

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return refilled(self.gradInput, ops.clone(result) if isinstance(result, Tensor) else result)


@torch_class("nn.ExpandAs")
class ExpandAs(Module):
    """Expands the second of two tensors to the size of the first.

    Source: Element-Research/rnn ExpandAs.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.output, self.gradInput = Table(), Table()

    def compute(self, input: Any) -> Table:
        x, y = two_tensors(self, input)
        return Table([x, ops.expand(y, x.shape)])

    def keep(self, input: Any, result: Any) -> Any:
        return result
