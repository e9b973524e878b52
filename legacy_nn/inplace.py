"""Modules that write into what they are given, where their field `inplace` says so."""

from __future__ import annotations

from sys import getrefcount
from typing import Any, ClassVar

from rekindle.core import ops
from rekindle.core.ops.adoption import HELD_HERE
from rekindle.core.ops.owing import let_go, owed_in_place
from rekindle.core.tensor import Tensor

from .module import Module, share_memory


class InPlace(Module):
    """A module that, in place, writes the output into the input and gradInput into gradOutput.

    Its gradient is computed from the input that it has overwritten, as in Torch7.
    """

    reads_input: ClassVar[bool] = False
    """Whether the gradient of the operation reads its input, and not its output alone."""

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        if self.inplace and isinstance(gradOutput, Tensor):
            alone = getrefcount(result) == HELD_HERE
            if alone and owed_in_place(gradOutput, result, self.gradInput):
                return share_memory(self.gradInput, gradOutput)
            let_go(gradOutput)
            let_go(self.gradInput)
            gradOutput = gradOutput.detach()
            gradOutput.copy_(ops.reshape(result, gradOutput.shape))
            return share_memory(self.gradInput, ops.reshape(gradOutput, result.shape))
        return super().keep_gradient(input, gradOutput, result)
