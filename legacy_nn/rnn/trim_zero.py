"""nn.TrimZero: rows of zeros are left out of the computation."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.creation import empty, zeros, zeros_like
from rekindle.core.tensor import Tensor

from ..module import ArgumentError, as_input, as_torch, torch_class
from ..values import replace_contents
from . import nested
from .mask_zero import MaskZero


@torch_class("nn.TrimZero")
class TrimZero(MaskZero):
    """Runs its module on the samples that are not all zeros; the others give zeros.

    Parameters
    ----------
    module : Module
    nInputDim : int
    silent : bool, optional

    Source: Element-Research/rnn TrimZero.lua.
    """

    temp: Any = None
    gradTemp: Any = None

    def __init__(self, module: Any, nInputDim: int, silent: bool | None = None) -> None:
        super().__init__(module, nInputDim, silent)
        if getattr(module, "p", 0) and hasattr(module, "mono") and not module.mono:
            raise ArgumentError("TrimZero + Bayesian RNN needs `mono` option!")
        self.temp, self.gradTemp = empty(0, self.dtype), empty(0, self.dtype)

    def _rows(self) -> Any:
        """Return the positions of the samples that count; one of zeros where none does."""
        return np.flatnonzero(self.zeroMask.to("cpu").numpy() == 0)

    def trimmed(self, target: Any, value: Any) -> Any:
        """Return `target` with the samples of `value` that count."""
        rows = self._rows()

        def one(t: Any, v: Tensor) -> Any:
            if not self.batchmode:
                return replace_contents(t, v if len(rows) else zeros_like(v))
            if not len(rows):
                return replace_contents(t, zeros((1, *v.shape[1:]), v.dtype, v.device))
            return replace_contents(t, ops.take(v, Tensor(rows, device=v.device), axis=0))

        return nested.paired(target, value, one)

    def untrimmed(self, target: Any, value: Any) -> Any:
        """Return `target` with the samples of `value` in their places, and zeros elsewhere."""
        rows = self._rows()

        def one(t: Any, v: Tensor) -> Any:
            if not self.batchmode:
                return replace_contents(t, v if len(rows) else zeros_like(v))
            result = zeros((self.zeroMask.size, *v.shape[1:]), v.dtype, v.device)
            if len(rows):
                result[Tensor(rows, device=v.device)] = v.detach()
            return replace_contents(t, result)

        return nested.paired(target, value, one)

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self.look(input)
            self.temp = self.trimmed(self.temp, input)
            output = self.modules[1].updateOutput(self.temp)
            self.output = self.untrimmed(self.output, output)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            self.temp = self.trimmed(self.temp, as_input(input))
            self.gradTemp = self.trimmed(self.gradTemp, as_input(gradOutput))
            found = self.modules[1].updateGradInput(self.temp, self.gradTemp)
            self.gradInput = self.untrimmed(self.gradInput, found)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            self.temp = self.trimmed(self.temp, as_input(input))
            self.gradTemp = self.trimmed(self.gradTemp, as_input(gradOutput))
            self.modules[1].accGradParameters(self.temp, self.gradTemp, scale)
