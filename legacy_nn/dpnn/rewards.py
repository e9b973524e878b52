"""Criterions that reward: nn.VRClassReward and nn.BinaryClassReward."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros_like
from rekindle.core.tensor import Tensor

from ..classes import torch_class
from ..conversion import Cache
from ..criterion.base import Criterion
from ..criterion.elementwise import MSECriterion
from ..errors import InputTypeError, not_stated
from ..fields import given
from ..values import as_input, as_torch, replace_contents


class _ClassReward(Criterion):
    """Rewards a module for each right prediction, less what was to be expected."""

    module: Any
    criterion: Any
    reward: Any = None
    vrReward: Any = None

    def __init__(self, module: Any, scale: float | None = None, criterion: Any = None) -> None:
        super().__init__()
        self.module = module
        self.scale = given(scale, 1)
        self.criterion = MSECriterion() if criterion is None else criterion
        self.sizeAverage = True
        self.gradInput = Table([empty(0, self.gradInput.dtype)])

    def right(self, prediction: Tensor, target: Any) -> Tensor:
        """Return which predictions are right, shape (N,)."""
        raise not_stated(self, "right")

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            prediction, _ = _both(self, as_input(input))
            reward = ops.astype(self.right(prediction, target), prediction.dtype) * self.scale
            self.reward = replace_contents(self.reward, reward)
            total = -ops.sum(self.reward).item()
            self.output = total / self.reward.shape[0] if self.sizeAverage else total
        return self.output

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        with as_torch():
            prediction, baseline = _both(self, as_input(input))
            expected = ops.reshape(baseline, self.reward.shape)
            surplus = self.reward - expected
            if self.sizeAverage:
                surplus = surplus / surplus.shape[0]
            self.vrReward = replace_contents(self.vrReward, surplus)
            self.module.reinforce(self.vrReward)
            self.criterion.forward(expected, self.reward)
            of_baseline = self.criterion.backward(expected, self.reward)
            if not isinstance(self.gradInput, Table):
                self.gradInput = Table()
            old = self.gradInput.get(1)
            self.gradInput[1] = replace_contents(old, zeros_like(prediction))
            self.gradInput[2] = ops.reshape(of_baseline, baseline.shape)
        return self.gradInput

    def convert_fields(self, typename: str, cache: Cache) -> None:
        module = vars(self).pop("module")  # it is converted where it belongs
        super().convert_fields(typename, cache)
        self.module = module


@torch_class("nn.VRClassReward")
class VRClassReward(_ClassReward):
    """Takes {scores of classes (N, C), baseline (N,)}; the largest score is the prediction.

    The loss is minus the reward. The baseline learns to expect the reward, and `module` gets
    what is above it through `reinforce`.

    Parameters
    ----------
    module : Module
    scale : float, default 1
        The reward of a right prediction.
    criterion : Criterion, default nn.MSECriterion
        Of the baseline.

    Source: Element-Research/dpnn VRClassReward.lua.
    """

    def right(self, prediction: Tensor, target: Any) -> Tensor:
        scores = ops.unsqueeze(prediction, 0) if prediction.ndim == 1 else prediction
        chosen = ops.argmax(scores, axis=1) + 1
        return ops.equal(chosen, ops.astype(ops.reshape(target, (-1,)), chosen.dtype))


@torch_class("nn.BinaryClassReward")
class BinaryClassReward(_ClassReward):
    """Takes {probability of class 1 (N,), baseline (N,)}; targets are 0 and 1.

    Parameters
    ----------
    module : Module
    scale : float, default 1
    criterion : Criterion, default nn.MSECriterion

    Source: Element-Research/dpnn BinaryClassReward.lua.
    """

    def right(self, prediction: Tensor, target: Any) -> Tensor:
        chosen = ops.astype(ops.greater(prediction, 0.5), prediction.dtype)
        return ops.equal(chosen, ops.astype(target, prediction.dtype))


def _both(criterion: Criterion, input: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(input, Table) or len(input) != 2:
        raise InputTypeError(
            f"{criterion.t7_typename} takes a table of predictions and a baseline; given "
            f"{type(input).__name__}"
        )
    return input[1], input[2]
