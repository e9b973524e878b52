"""nn.NormStabilizer: keeps the norm of hidden states the same from step to step."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..fields import given
from ..module import torch_class
from ..values import replace_contents
from .abstract_recurrent import AbstractRecurrent
from .small import CopyGrad


@torch_class("nn.NormStabilizer")
class NormStabilizer(AbstractRecurrent):
    """Returns its input; gradients pull the norms of neighbouring steps together.

    Parameters
    ----------
    beta : float, default 1

    Source: Element-Research/rnn NormStabilizer.lua; Krueger and Memisevic 2015,
    "Regularizing RNNs by Stabilizing Activations".
    """

    loss: float

    def __init__(self, beta: float | None = None) -> None:
        super().__init__(99999)
        self.beta = given(beta, 1)
        self.adopt(CopyGrad())

    def compute_step(self, input: Any) -> Any:
        x = one_tensor(self, input, 2)
        module = self.module_now()
        output = module.updateOutput(x)
        if self.train:
            norm = ops.norm(output, p=2, axis=1, keepdims=True)
            module.norm = replace_contents(getattr(module, "norm", None), norm)
        return output

    def updateLoss(self) -> float:
        """Return the loss of the norms of the steps so far, and keep it in `loss`."""
        norms = [self.getStepModule(step).norm for step in range(1, self.step)]
        total = sum(ops.mean((a + b) * (a + b)).item() for a, b in pairwise(norms))
        self.loss = self.beta * total / (self.step - 1)
        return self.loss

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = self.last_step(self.updateGradInputStep)
        module = self.getStepModule(step)
        gradient = module.updateGradInput(input, gradOutput)
        for other in (step - 1, step + 1):
            if 1 <= other < self.step:
                gradient.add_(_pull(self.beta, module, self.getStepModule(other)))
        return gradient

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float) -> None:
        """Do nothing: there are no parameters."""


def _pull(beta: float, module: Any, other: Any) -> Tensor:
    """Return the gradient that pulls the norm of a step to that of its neighbour."""
    share = (module.norm - other.norm) * (beta * 2) / module.norm
    pulled: Tensor = module.output * (1 / module.output.shape[0]) * share
    return pulled
