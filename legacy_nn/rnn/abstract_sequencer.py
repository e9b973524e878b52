"""nn.AbstractSequencer: a module that takes whole sequences."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..containers import Container
from ..fields import given
from ..module import ArgumentError, InputTypeError, Module, ModuleError, torch_class
from .abstract_recurrent import AbstractRecurrent
from .recursor import Recursor

MODES = ("both", "eval", "train", "neither")


def remembers(module: Any) -> bool:
    """Whether a module goes on where the last sequence ended, in the mode it is in now."""
    return module._remember in ("both", "train" if module.train else "eval")


def checked_mode(module: Any, remember: str | None) -> str:
    """Return the modes in which a module is to remember.

    Raises
    ------
    ArgumentError
        If there is no such mode.
    """
    mode: str = given(remember, "both")
    if mode not in MODES:
        raise ArgumentError(
            f"AbstractSequencer : unrecognized value for remember : {mode}: "
            f"{module.t7_typename} takes one of {', '.join(MODES)}"
        )
    return mode


@torch_class("nn.AbstractSequencer")
class AbstractSequencer(Container):
    """The base of modules on sequences.

    Source: Element-Research/rnn AbstractSequencer.lua.
    """

    _remember: str = "neither"

    def sharedClone(
        self,
        shareParams: bool | None = None,
        shareGradParams: bool | None = None,
        stepClone: bool | None = None,
    ) -> Self:
        return super().sharedClone(shareParams, shareGradParams)

    def maxBPTTstep(self, rho: int) -> None:
        """Leave it: each sequence goes back through all of its steps."""

    def remember(self, remember: str | None = None) -> Self:
        """Say in which modes a sequence goes on where the last one ended; return the module.

        Parameters
        ----------
        remember : str, default "both"
            "train", "eval", "both" or "neither".
        """
        self._remember = checked_mode(self, remember)
        return self

    def hasMemory(self) -> bool:
        """Whether a sequence goes on where the last one ended, in the mode of now."""
        return remembers(self)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise ModuleError(f"Not Implemented: {self.t7_typename} has no accUpdateGradParameters")


def as_recurrent(owner: str, module: Any) -> Any:
    """Return a module as a recurrent one: inside a Recursor where it is none.

    Raises
    ------
    ArgumentError
        If it is no module.
    """
    if not isinstance(module, Module):
        raise ArgumentError(
            f"{owner}: expecting nn.Module instance at arg 1; given {type(module).__name__}"
        )
    return module if isinstance(module, AbstractRecurrent) else Recursor(module)


def steps_of(sequence: Any) -> list[Any]:
    """Return the elements of a table, or the slices of a tensor along its first dimension.

    Raises
    ------
    InputTypeError
        If it is neither.
    """
    if isinstance(sequence, Tensor):
        return [sequence[i] for i in range(sequence.shape[0])]
    if isinstance(sequence, Table):
        return sequence.array()
    raise InputTypeError(f"expecting input table; given {type(sequence).__name__}")


def paired_steps(input: Any, other: Any, name: str) -> list[tuple[Any, Any]]:
    """Return the steps of an input, each with that of the table or tensor beside it.

    Raises
    ------
    InputTypeError
        If one is a tensor and the other a table, or they differ in length.
    """
    if isinstance(input, Tensor) != isinstance(other, Tensor):
        kind = "Tensor since input is a Tensor" if isinstance(input, Tensor) else "table"
        raise InputTypeError(f"expecting {name} {kind}; given {type(other).__name__}")
    steps, others = steps_of(input), steps_of(other)
    if len(steps) != len(others):
        raise InputTypeError(
            f"{name} should have as many elements as input: {len(others)} for {len(steps)}"
        )
    return list(zip(steps, others, strict=True))
