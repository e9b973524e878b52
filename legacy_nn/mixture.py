"""nn.MixtureTable: a mixture of experts."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import fitted, remembered
from .fields import long_storage, set_unless_nil
from .module import InputTypeError, Module, torch_class


@torch_class("nn.MixtureTable")
class MixtureTable(Module):
    """A mixture of experts: their outputs, weighted by those of a gater, and summed.

    The input is a table of the gater's output, of shape (experts,) or (N, experts), and the
    experts': a table of tensors, or one tensor with the experts along `dim`.

    Parameters
    ----------
    dim : int, optional
        Dimension of the experts, from 1: by default 1, or 2 in batches.

    Source: torch/nn MixtureTable.lua.
    """

    scratch = ("_gaterView", "_expert", "_expertView", "_sum", "_expert2", "_expertView2")
    not_converted = scratch

    dim: int | None = None
    dimG: int
    table: bool = False
    batchSize: int = 0
    size: Any = None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        set_unless_nil(self, dim=dim)
        self.size = long_storage(())
        self.batchSize = 0
        self.size2 = long_storage(())
        self.backwardSetup = False
        self.gradInput = Table()

    def prepare(self, input: Any) -> None:
        if not isinstance(input, Table) or len(input) < 2 or not isinstance(input[1], Tensor):
            raise InputTypeError(
                f"{self.t7_typename} takes a table of the gater's output and the experts'; "
                f"given {input!r:.80}"
            )
        gates, experts = input[1], input[2]
        batched = gates.ndim > 1
        self.dimG = 2 if batched else 1
        self.dim = self.dim or self.dimG
        self.batchSize = gates.shape[0] if batched else 1
        if isinstance(experts, Table):
            self.table = True
        shape = self._view_shape(gates, experts)
        self.size = long_storage(shape)
        self._gaterView = ops.reshape(gates.detach(), shape)  # going back needs it

    def _view_shape(self, gates: Tensor, experts: Any) -> list[int]:
        """Return the shape in which the gates spread over the experts' outputs."""
        assert self.dim is not None
        several = isinstance(experts, Table)
        shape = [1] * (experts[1].ndim + 1 if several else experts.ndim)
        if self.dimG > 1:
            shape[0] = gates.shape[0]
        shape[self.dim - 1] = gates.shape[self.dimG - 1]
        if several and gates.shape[self.dimG - 1] != len(experts):
            raise ShapeError(
                f"Should be one gater output per expert: {self.t7_typename} is given "
                f"{gates.shape[self.dimG - 1]} for {len(experts)}"
            )
        return shape

    def compute(self, input: Any) -> Any:
        assert self.dim is not None
        gates, experts = input[1], input[2]
        gates = ops.reshape(gates, self._view_shape(gates, experts))
        axis = self.dim - 1
        if isinstance(experts, Tensor):
            return ops.sum(ops.multiply(gates, experts), axis=axis)
        weighted = [
            ops.multiply(expert, ops.select(gates, axis, i))
            for i, expert in enumerate(experts.array())
        ]
        total = weighted[0]
        for term in weighted[1:]:
            total = ops.add(total, term)
        return total

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        assert self.dim is not None
        (view,) = remembered(self, "_gaterView")
        axis = self.dim - 1
        gates, experts = input[1], input[2]
        if isinstance(experts, Table):
            g = fitted(self, gradOutput, self.output, "output")
            rest = tuple(range(self.dimG - 1, g.ndim))
            sums = [ops.sum(g * expert, axis=rest) for expert in experts.array()]
            of_experts: Any = Table(
                [ops.select(view, axis, i) * g for i in range(len(experts.array()))]
            )
            return Table([ops.stack(sums, axis=self.dimG - 1), of_experts])
        g = ops.unsqueeze(fitted(self, gradOutput, self.output, "output"), axis)
        kept = {axis, self.dimG - 1} if self.dimG == 1 else {axis, 0}
        rest = tuple(a for a in range(experts.ndim) if a not in kept)
        sums_of_all = ops.sum(g * experts, axis=rest) if rest else g * experts
        return Table([ops.reshape(sums_of_all, gates.shape), view * g])
