"""Modules that compute element by element on the tensors of a table.

Nothing is broadcast: the tensors have equally many elements, and the output the shape of
the first, as everywhere in Torch7. Source: torch/nn, the file of each class.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, full
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import fitted, left_behind, one_tensor
from .fields import set_unless_nil
from .module import Module, replace_contents, share_memory, torch_class
from .order import in_any_order
from .table import elements, unequal


def operands(module: Module, input: Any) -> list[Tensor]:
    """Return the tensors of a table, all in the shape of the first.

    Raises
    ------
    InputTypeError
        If one is no tensor.
    ShapeError
        If one has another number of elements.
    """
    tensors = elements(module, input)
    first = one_tensor(module, tensors[0], called="input[1]")
    shape = first.shape
    if all(isinstance(x, Tensor) and x.shape == shape for x in tensors):
        return tensors
    for i, tensor in enumerate(tensors, 1):
        if one_tensor(module, tensor, called=f"input[{i}]").size != first.size:
            raise ShapeError(
                f"{unequal(('r_', shape), ('t', shape), ('src', tensor.shape))}: "
                f"{module.t7_typename} needs tensors of equally many elements; given "
                f"{first.shape} and, as element {i}, {tensor.shape}"
            )
    return [x if x.shape == first.shape else ops.reshape(x, first.shape) for x in tensors]


def pair(module: Module, input: Any) -> list[Tensor]:
    """Return the first two operands.

    Raises
    ------
    ShapeError
        If the table has only one.
    """
    tensors = operands(module, input)
    if len(tensors) < 2:
        raise ShapeError(f"{module.t7_typename} takes a table of two tensors; given one")
    return tensors[:2]


@torch_class("nn.CAddTable")
class CAddTable(Module):
    """The sum of the tensors.

    Parameters
    ----------
    inplace : bool, optional
        Add into the first tensor itself.

    Source: torch/nn CAddTable.lua.
    """

    def __init__(self, inplace: bool | None = None) -> None:
        super().__init__()
        set_unless_nil(self, inplace=inplace)
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        if isinstance(input, Table) and len(input) > 1:  # one alone is the result itself
            input = in_any_order(input)
        total, *rest = operands(self, input)
        for tensor in rest:
            total = ops.add(total, tensor)
        return total

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return Table([fitted(self, gradOutput, x) for x in elements(self, input)])

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        """Return the table of gradients, which in place are gradOutput itself."""
        if not self.inplace:
            return super().keep_gradient(input, gradOutput, result)
        table = self.gradInput if isinstance(self.gradInput, Table) else Table()
        for i, g in result.items():
            table[i] = share_memory(table.get(i), g.detach())
        for i in range(len(result) + 1, len(table) + 1):
            table[i] = None
        return table

    def written(self, input: Any) -> Any:
        return input[1] if self.inplace else None


@torch_class("nn.CMulTable")
class CMulTable(Module):
    """The product of the tensors.

    Source: torch/nn CMulTable.lua.
    """

    scratch = ("tout",)

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        product, *rest = operands(self, input)
        for tensor in rest:
            product = ops.multiply(product, tensor)
        return product

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        factors = operands(self, input)
        g = fitted(self, gradOutput, factors[0])
        found = []
        for i, x in enumerate(elements(self, input)):
            gradient = g
            for j, factor in enumerate(factors):
                gradient = gradient if i == j else ops.multiply(gradient, factor)
            found.append(gradient if x.shape == g.shape else ops.reshape(gradient, x.shape))
        return Table(found)


@torch_class("nn.CSubTable")
class CSubTable(Module):
    """The first tensor minus the second.

    Source: torch/nn CSubTable.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        return ops.subtract(*pair(self, input))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        first, second = (fitted(self, gradOutput, input[i]) for i in (1, 2))
        return Table([first, -second])


@torch_class("nn.CDivTable")
class CDivTable(Module):
    """The first tensor divided by the second.

    Source: torch/nn CDivTable.lua.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        return ops.divide(*pair(self, input))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        return Table(super().input_gradient(input, gradOutput).array()[:2])


class _Extreme(Module):
    """The largest or smallest of the tensors, element by element; the first of equals."""

    better: ClassVar[Any]
    """The comparison by which a later tensor wins."""

    extreme: ClassVar[str]
    """How the fields begin: max or min."""

    mask: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.gradInput = Table()
        for name in (f"{self.extreme}Idx", "mask", f"{self.extreme}Vals", "gradMaxVals"):
            setattr(self, name, empty(0, self.dtype))

    def compute(self, input: Any) -> Any:
        best, *rest = operands(self, input)
        winner = full(best.shape, 1, best.dtype, best.device)
        mask = None
        for i, tensor in enumerate(rest, 2):
            mask = type(self).better(tensor, best)
            best = ops.where(mask, tensor, best)
            winner = ops.where(mask, i, winner)
        return best, winner, mask

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        winner, g = left_behind(self, f"{self.extreme}Idx", gradOutput)
        return Table(
            [
                ops.reshape(g * ops.equal(winner, i), x.shape)
                for i, x in enumerate(elements(self, input), 1)
            ]
        )

    def keep_extras(self, *extras: Any) -> None:
        winner, mask = extras
        index = f"{self.extreme}Idx"
        setattr(self, index, replace_contents(getattr(self, index, None), winner))
        if mask is not None:
            self.mask = replace_contents(self.mask, ops.astype(mask, winner.dtype))


@torch_class("nn.CMaxTable")
class CMaxTable(_Extreme):
    """The largest of the tensors, element by element.

    Attributes
    ----------
    maxIdx : Tensor
        Which tensor, from 1, each element of the last output came from.

    Source: torch/nn CMaxTable.lua.
    """

    better = ops.greater
    extreme = "max"


@torch_class("nn.CMinTable")
class CMinTable(_Extreme):
    """The smallest of the tensors, element by element.

    Attributes
    ----------
    minIdx : Tensor
        Which tensor, from 1, each element of the last output came from.

    Source: torch/nn CMinTable.lua.
    """

    better = ops.less
    extreme = "min"
