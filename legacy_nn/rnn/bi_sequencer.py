"""nn.BiSequencer: a sequence run in both directions."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table

from ..branches import ConcatTable
from ..containers import Sequential
from ..decorator import Wrapper
from ..dpnn.reverse_table import ReverseTable
from ..module import ArgumentError, Module, torch_class
from ..nested_table import ZipTable
from ..table import JoinTable
from .abstract_sequencer import AbstractSequencer
from .sequencer import Sequencer


def module_of(owner: str, module: Any, argument: int) -> Any:
    """Return an argument that must be a module.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    if not isinstance(module, Module):
        raise ArgumentError(
            f"{owner}: expecting nn.Module instance at arg {argument}; "
            f"given {type(module).__name__}"
        )
    return module


def backward_of(owner: str, forward: Any, backward: Any) -> Any:
    """Return the module of the backward direction: by default the forward one, drawn anew."""
    if backward is not None:
        return module_of(owner, backward, 2)
    made = module_of(owner, forward, 1).clone()
    made.reset()
    return made


def merge_of(owner: str, merge: Any) -> Any:
    """Return what joins the outputs of a step: by default along features."""
    if merge is None or isinstance(merge, (int, float)):
        return JoinTable(1, 1 if merge is None else int(merge))
    return module_of(owner, merge, 3)


@torch_class("nn.BiSequencer")
class BiSequencer(Wrapper, AbstractSequencer):
    """Runs one module forwards and another backwards, and merges their outputs of each step.

    Parameters
    ----------
    forward : Module
    backward : Module, optional
        By default a copy of `forward` with new parameters.
    merge : Module or int, optional
        Gets {forward output, backward output} of a step; by default they are joined. A number
        is the dimensions of one sample.

    Source: Element-Research/rnn BiSequencer.lua.
    """

    def __init__(self, forward: Any, backward: Any = None, merge: Any = None) -> None:
        super().__init__()
        self.forwardModule = module_of("BiSequencer", forward, 1)
        self.backwardModule = backward_of("BiSequencer", forward, backward)
        self.mergeModule = merge_of("BiSequencer", merge)
        self.fwdSeq = Sequencer(self.forwardModule)
        self.bwdSeq = Sequencer(self.backwardModule)
        self.mergeSeq = Sequencer(self.mergeModule)
        turned = Sequential().add(ReverseTable()).add(self.bwdSeq).add(ReverseTable())
        self.module = Sequential().add(ConcatTable().add(self.fwdSeq).add(turned))
        self.module.add(ZipTable()).add(self.mergeSeq)
        self.modules[1] = self.module
        self.output, self.gradInput = Table(), Table()

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.module.accUpdateGradParameters(input, gradOutput, lr)

    def __repr__(self) -> str:
        return f"{self.t7_typename} @ {self.modules[1]!r}"
