"""Modules that write into what they are given, where their field `inplace` says so."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from .module import Module, share_memory


class InPlace(Module):
    """A module that, in place, writes the output into the input and gradInput into gradOutput.

    Its gradient is computed from the input that it has overwritten, as in Torch7.
    """

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if self.inplace and isinstance(gradOutput, Tensor):
            gradOutput = gradOutput.detach()
            gradOutput.copy_(ops.reshape(result, gradOutput.shape))
            return share_memory(self.gradInput, ops.reshape(gradOutput, result.shape))
        return super().keep_gradient(input, gradOutput, result)
