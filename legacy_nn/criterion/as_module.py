"""Criterions as modules: nn.CriterionTable, and nngraph's nn.ModuleFromCriterion."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, full
from rekindle.core.tensor import Tensor

from ..errors import InputTypeError
from ..module import Module, torch_class
from ..values import as_input, as_torch, map_tensors
from .combined import known_criterion


class _OfCriterion(Module):
    """A module whose input is a table of a prediction and a target."""

    criterion: Any

    def check_input(self, input: Any) -> None:
        """Leave it to the criterion."""

    def pair(self, input: Any) -> tuple[Any, Any]:
        """Return the prediction and the target.

        Raises
        ------
        InputTypeError
            If there are not two.
        """
        if not isinstance(input, Table) or len(input) < 2:
            raise InputTypeError(
                f"{self.t7_typename} takes a table of a prediction and a target; "
                f"given {type(input).__name__} {input!r:.60}"
            )
        return input[1], input[2]

    def __repr__(self) -> str:
        return self.t7_typename


@torch_class("nn.CriterionTable")
class CriterionTable(_OfCriterion):
    """The loss of a table of a prediction and a target.

    Parameters
    ----------
    criterion : Criterion

    Attributes
    ----------
    output : float
        A number in Torch's protocol; a 0-d tensor is what `module(x)` returns.
    gradInput : Table
        The gradient of the prediction alone, not multiplied by any gradOutput.

    Source: torch/nn CriterionTable.lua.
    """

    def __init__(self, criterion: Any) -> None:
        super().__init__()
        self.criterion = known_criterion(criterion)
        self.gradInput = Table([criterion.gradInput])

    def compute(self, input: Any) -> Tensor:
        return known_criterion(self.criterion)(*self.pair(input))

    def keep(self, input: Any, result: Any) -> Any:
        return known_criterion(self.criterion).updateOutput(*self.pair(input))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        criterion = known_criterion(self.criterion)
        self.gradInput[1] = criterion.updateGradInput(*self.pair(as_input(input)))
        return self.gradInput


@torch_class("nn.ModuleFromCriterion")
class ModuleFromCriterion(_OfCriterion):
    """The loss of a table of a prediction and a target, in a tensor of one element.

    The gradient of the target is 0.

    Parameters
    ----------
    criterion : Criterion

    Source: torch/nngraph ModuleFromCriterion.lua.
    """

    def __init__(self, criterion: Any) -> None:
        super().__init__()
        del self._type  # Torch7 does not call the base class's constructor
        self.criterion = known_criterion(criterion)
        self.output = empty(1, self.dtype)
        self.gradInput = Table([empty(0, self.dtype), empty(0, self.dtype)])

    def compute(self, input: Any) -> Tensor:
        return known_criterion(self.criterion)(*self.pair(input)).reshape(1)

    def keep(self, input: Any, result: Any) -> Any:
        value = known_criterion(self.criterion).updateOutput(*self.pair(input))
        return super().keep(input, full(1, value, result.dtype, result.device))

    def input_gradient(self, input: Any, gradOutput: Any) -> Any:
        prediction, target = self.pair(input)
        with as_torch():
            found = known_criterion(self.criterion).updateGradInput(prediction, target)
            scaled = map_tensors(lambda g: g * gradOutput.item(), found)
            return Table([scaled, map_tensors(lambda t: t * 0, target)])
