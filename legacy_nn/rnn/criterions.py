"""Criterions on sequences: nn.SequencerCriterion, RepeaterCriterion and MaskZeroCriterion."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros, zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..criterion.base import Criterion
from ..criterion.combined import ModuleCriterion, known_criterion
from ..errors import ArgumentError, not_stated
from ..fields import given
from ..gradients import refilled
from ..module import torch_class
from ..values import as_input, as_torch, map_tensors
from .abstract_sequencer import paired_steps, steps_of
from .mask_zero import first_tensor, zero_rows

Pairs = list[tuple[Any, Any]]


class _StepCriterion(Criterion):
    """A criterion with a clone of another one for each step of a sequence."""

    criterion: Any
    clones: Table
    sizeAverage: bool = False

    def __init__(self, criterion: Any) -> None:
        super().__init__()
        if criterion is not None:  # subclasses in Lua set it later
            self.criterion = known_criterion(criterion)
        self.clones, self.gradInput = Table(), Table()

    def getStepCriterion(self, step: int) -> Any:
        """Return the criterion of a step, cloned when it is first needed."""
        found = self.clones.get(step)
        if found is None:
            found = self.clones[step] = self.criterion.clone()
        return found

    def pairs(self, input: Any, target: Any) -> Pairs:
        """Return input and target of each step."""
        raise not_stated(self, "pairs")

    def compute(self, input: Any, target: Any) -> Tensor:
        pairs = self.pairs(input, target)
        losses = [self.getStepCriterion(i)(x, t) for i, (x, t) in enumerate(pairs, 1)]
        total = sum(losses[1:], losses[0]) if losses else zeros(())
        return self.averaged(total, len(losses))

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            pairs = self.pairs(as_input(input), as_input(target))
            total = 0.0
            for i, (x, t) in enumerate(pairs, 1):
                total = total + self.getStepCriterion(i).forward(x, t)
            self.output = total / len(pairs) if self.sizeAverage else total
        return self.output

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            input = as_input(input)
            pairs = self.pairs(input, as_input(target))
            found = [self.getStepCriterion(i).backward(x, t) for i, (x, t) in enumerate(pairs, 1)]
            if self.sizeAverage:
                for gradient in found:
                    map_tensors(lambda t: t.div_(len(pairs)), gradient)
            rows = isinstance(input, Tensor)
            self.gradInput = ops.stack(found) if rows else Table(found)
        return self.gradInput


@torch_class("nn.SequencerCriterion")
class SequencerCriterion(_StepCriterion):
    """The sum of a criterion over the steps of a sequence, each with its target.

    Parameters
    ----------
    criterion : Criterion
    sizeAverage : bool, default False
        Whether the mean over the steps is taken.

    Attributes
    ----------
    clones : Table of Criterion
        The criterion of each step.

    Source: Element-Research/rnn SequencerCriterion.lua.
    """

    def __init__(self, criterion: Any = None, sizeAverage: bool | None = None) -> None:
        super().__init__(criterion)
        if isinstance(criterion, ModuleCriterion):
            raise ArgumentError(
                "SequencerCriterion shouldn't decorate a ModuleCriterion. Instead, try the other "
                "way around : ModuleCriterion decorates a SequencerCriterion. Its modules can "
                "also be similarly decorated with a Sequencer."
            )
        self.sizeAverage = given(sizeAverage, False)

    def pairs(self, input: Any, target: Any) -> Pairs:
        pairs = paired_steps(input, target, "target")
        return [(x, _plain(t)) for x, t in pairs]


@torch_class("nn.RepeaterCriterion")
class RepeaterCriterion(_StepCriterion):
    """The sum of a criterion over the steps of a sequence, all with the same target.

    Parameters
    ----------
    criterion : Criterion

    Source: Element-Research/rnn RepeaterCriterion.lua.
    """

    def pairs(self, input: Any, target: Any) -> Pairs:
        return [(x, target) for x in steps_of(input)]


def _plain(target: Any) -> Any:
    """Return a target as indexing a tensor gives it in Lua: a single number is no tensor."""
    return target.item() if isinstance(target, Tensor) and target.ndim == 0 else target


@torch_class("nn.MaskZeroCriterion")
class MaskZeroCriterion(Criterion):
    """A criterion of the samples that are not all zeros.

    Parameters
    ----------
    criterion : Criterion
    nInputDim : int
        Dimensions of one sample, of the first tensor where inputs are tables.

    Source: Element-Research/rnn MaskZeroCriterion.lua.
    """

    not_converted = ("zeroMask", "_zeroMask", "input", "target", "_gradInput")

    criterion: Any
    zeroMask: Any = None
    _gradInput: Any = None

    def __init__(self, criterion: Any, nInputDim: int) -> None:
        super().__init__()
        self.criterion = known_criterion(criterion)
        if not isinstance(nInputDim, (int, float)):
            raise ArgumentError(f"Expecting nInputDim number at arg 2; given {nInputDim!r:.60}")
        self.nInputDim = nInputDim

    def convert_fields(self, typename: str, cache: Any) -> None:
        for name in self.not_converted:
            vars(self).pop(name, None)
        super().convert_fields(typename, cache)

    def rows(self, input: Any) -> Tensor:
        """Return the positions, from 0, of the samples that count."""
        x = first_tensor(input)
        if x.ndim - 1 != self.nInputDim:
            online = x.ndim == self.nInputDim
            said = "does not support online (i.e. non-batch) mode" if online else "nInputDim error"
            raise ShapeError(
                f"{said}: {x.ndim}, {self.nInputDim}: {self.t7_typename} takes batches of samples "
                f"of {self.nInputDim} dimensions; given shape {x.shape}"
            )
        zero = zero_rows(x.detach(), True).to("cpu").numpy()
        return Tensor(np.flatnonzero(~zero.astype(bool)), device=x.device)

    def compute(self, input: Any, target: Any) -> Tensor:
        rows = self.rows(input)
        if rows.size == 0:
            return ops.sum(first_tensor(input) * 0)
        loss: Tensor = self.criterion(_taken(input, rows), _taken(target, rows))
        return loss

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            input, target = as_input(input), as_input(target)
            rows = self.rows(input)
            self.zeroMask = rows + 1
            self.output = 0
            if rows.size:
                vars(self)["input"], vars(self)["target"] = (
                    _taken(input, rows),
                    _taken(target, rows),
                )
                fields = vars(self)
                self.output = self.criterion.updateOutput(fields["input"], fields["target"])
        return self.output

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            input = as_input(input)
            rows = self.rows(input) if self.zeroMask is None else self.zeroMask - 1
            if rows.size:
                taken = _taken(input, rows), _taken(as_input(target), rows)
                self._gradInput = self.criterion.updateGradInput(*taken)
            self.gradInput = refilled(self.gradInput, _spread(input, self._gradInput, rows))
        return self.gradInput


def _taken(value: Any, rows: Tensor) -> Any:
    return map_tensors(lambda t: ops.take(t, rows, axis=0), value)


def _spread(input: Any, gradient: Any, rows: Tensor) -> Any:
    """Return the gradients of some rows in their places, zeros elsewhere."""
    if isinstance(input, Table):
        return Table(
            {
                k: _spread(x, None if gradient is None else gradient.get(k), rows)
                for k, x in input.items()
            }
        )
    result = zeros_like(input.detach())
    if rows.size:
        result[rows] = gradient.detach()
    return result
