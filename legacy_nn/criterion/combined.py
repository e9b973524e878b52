"""Criterions made of others: nn.MultiCriterion, ParallelCriterion and ModuleCriterion."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor, zeros
from rekindle.core.dtypes import float64
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..errors import ArgumentError, InputTypeError
from ..gradients import refilled
from ..tree import known
from ..values import as_input, as_torch, map_tensors
from .base import Criterion


def known_criterion(criterion: Any) -> Criterion:
    """Return `criterion`, if its class is one that can compute.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    if not isinstance(criterion, Criterion):
        name = getattr(criterion, "t7_typename", type(criterion).__name__)
        raise ArgumentError(f"a criterion is expected; given {name}")
    return criterion


def _added(total: Any, part: Any, weight: float) -> Any:
    """Return `total + weight * part`, tensor by tensor."""
    if isinstance(part, Tensor):
        return part * weight if total is None else total + part * weight
    entries = {} if total is None else dict(total.items())
    return Table({k: _added(entries.get(k), v, weight) for k, v in part.items()})


@torch_class("nn.MultiCriterion")
class MultiCriterion(Criterion):
    """The weighted sum of criterions of the same input and target.

    Attributes
    ----------
    criterions : Table of Criterion
    weights : Storage of float64

    Source: torch/nn MultiCriterion.lua.
    """

    criterions: Table
    weights: Any

    def __init__(self) -> None:
        super().__init__()
        self.criterions = Table()
        self.weights = zeros(0, float64).storage()

    def add(self, criterion: Any, weight: float = 1) -> Self:
        """Append a criterion and return this one."""
        self.criterions[len(self.criterions) + 1] = known_criterion(criterion)
        self.weights = tensor([*self.weights.tolist(), weight], float64).storage()
        return self

    def _weighted(self) -> list[tuple[float, Criterion]]:
        weights = self.weights
        values = weights.tolist() if isinstance(weights, (Storage, Tensor)) else weights.array()
        listed = map(known_criterion, self.criterions.array())
        return list(zip(values, listed, strict=True))

    def compute(self, input: Any, target: Any) -> Tensor:
        losses = [c(input, target) * w for w, c in self._weighted()]
        return sum(losses[1:], losses[0]) if losses else zeros(())

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        self.output = sum(w * c.updateOutput(input, target) for w, c in self._weighted())
        return self.output

    def gradient(self, input: Any, target: Any) -> Any:
        total = map_tensors(lambda t: t * 0, input)
        for w, c in self._weighted():
            total = _added(total, c.updateGradInput(input, target), w)
        return total


@torch_class("nn.ParallelCriterion")
class ParallelCriterion(Criterion):
    """The weighted sum of criterions, each of its own element of the input and the target.

    Parameters
    ----------
    repeatTarget : bool, default False
        Give all of them the same target.

    Attributes
    ----------
    criterions : Table of Criterion
    weights : Table of float

    Source: torch/nn ParallelCriterion.lua.
    """

    criterions: Table
    weights: Table
    repeatTarget: bool | None = None
    not_converted = ("gradInput",)

    def __init__(self, repeatTarget: bool | None = None) -> None:
        super().__init__()
        self.criterions = Table()
        self.weights = Table()
        self.gradInput = Table()
        if repeatTarget is not None:
            self.repeatTarget = repeatTarget

    def add(self, criterion: Any, weight: float = 1) -> Self:
        """Append a criterion and return this one."""
        self.criterions[len(self.criterions) + 1] = known_criterion(criterion)
        self.weights[len(self.weights) + 1] = weight
        return self

    def _each(self, input: Any, target: Any) -> list[tuple[float, Criterion, Any, Any]]:
        """Return the weight, the criterion, its input and its target, in order."""
        count = len(self.criterions)
        for name, value in (("input", input), ("target", target)):
            if name == "target" and self.repeatTarget:
                continue
            if not isinstance(value, Table) or len(value) < count:
                given = f"{len(value)}" if isinstance(value, Table) else type(value).__name__
                raise InputTypeError(
                    f"{self.t7_typename} has {count} criterions and takes a table of as many as "
                    f"{name}; given {given}"
                )
        return [
            (
                self.weights[i],
                known_criterion(self.criterions[i]),
                input[i],
                target if self.repeatTarget else target[i],
            )
            for i in range(1, count + 1)
        ]

    def compute(self, input: Any, target: Any) -> Tensor:
        losses = [c(x, t) * w for w, c, x, t in self._each(input, target)]
        return sum(losses[1:], losses[0]) if losses else zeros(())

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        each = self._each(as_input(input), as_input(target))
        self.output = sum(w * c.updateOutput(x, t) for w, c, x, t in each)
        return self.output

    def gradient(self, input: Any, target: Any) -> Any:
        total = map_tensors(lambda t: t * 0, input)
        for i, (w, c, x, t) in enumerate(self._each(input, target), 1):
            total[i] = _added(total[i], c.updateGradInput(x, t), w)
        return total


@torch_class("nn.ModuleCriterion")
class ModuleCriterion(Criterion):
    """A criterion of what modules make of the input and of the target.

    Parameters
    ----------
    criterion : Criterion
    inputModule, targetModule : Module, optional
    castTarget : bool, default True
        Whether a change of type is for the `targetModule`, too.

    Attributes
    ----------
    input, target : Tensor or Table
        What the modules made in the last `updateOutput`.

    Source: torch/nn ModuleCriterion.lua.
    """

    criterion: Any
    inputModule: Any = None
    targetModule: Any = None
    castTarget: bool = True
    input: Any = None
    target: Any = None

    def __init__(
        self,
        criterion: Any,
        inputModule: Any = None,
        targetModule: Any = None,
        castTarget: bool | None = None,
    ) -> None:
        for name, module in (("inputModule", inputModule), ("targetModule", targetModule)):
            if module is not None:
                setattr(self, name, module)
        self.castTarget = True if castTarget is None else castTarget
        self.criterion = criterion

    def compute(self, input: Any, target: Any) -> Tensor:
        if self.inputModule is not None:
            input = known(self.inputModule)(input)
        if self.targetModule is not None:
            target = known(self.targetModule)(target)
        return known_criterion(self.criterion)(input, target)

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        if self.inputModule is not None:
            self.input = known(self.inputModule).forward(input)
        if self.targetModule is not None:
            self.target = known(self.targetModule).forward(target)
        self.output = known_criterion(self.criterion).forward(
            input if self.input is None else self.input,
            target if self.target is None else self.target,
        )
        return self.output

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            found = known_criterion(self.criterion).backward(
                input if self.input is None else self.input,
                target if self.target is None else self.target,
            )
            if self.inputModule is not None:
                found = known(self.inputModule).backward(input, found)
            self.gradInput = refilled(self.gradInput, found)
        return self.gradInput

    def convert_fields(self, typename: str, cache: Any) -> None:
        kept = None if self.castTarget else vars(self).pop("targetModule", None)
        super().convert_fields(typename, cache)
        if kept is not None:
            self.targetModule = kept
