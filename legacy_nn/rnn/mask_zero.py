"""nn.MaskZero: rows of zeros in, rows of zeros out."""

from __future__ import annotations

from typing import Any, ClassVar

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..decorator import Decorator
from ..module import ArgumentError, as_input, as_torch, torch_class
from ..values import replace_contents
from . import nested


def first_tensor(value: Any) -> Tensor:
    """Return the first tensor of a table of tables, or the tensor itself."""
    while isinstance(value, Table):
        value = value.get(1)
    if not isinstance(value, Tensor):
        raise ArgumentError(f"a tensor is expected; given {type(value).__name__}")
    return value


def zero_rows(x: Tensor, batch: bool) -> Tensor:
    """Return which samples have a norm of 0, shape (N,), or (1,) for a single sample."""
    rows = ops.reshape(x, (x.shape[0], -1) if batch else (1, -1))
    return ops.equal(ops.sum(ops.abs(rows), axis=1), 0)


@torch_class("nn.MaskZero")
class MaskZero(Decorator):
    """Does what its module does, with zeros in the output for samples that are all zeros.

    Parameters
    ----------
    module : Module
    nInputDim : int
        Dimensions of one sample, of the first tensor where inputs are tables.
    silent : bool, optional
        Leave out the warning that recurrent modules have a method `maskZero`.

    Attributes
    ----------
    zeroMask : Tensor of uint8
        1 for each sample of the last input that was all zeros.
    batchmode : bool
        Whether the last input was a batch.

    Source: Element-Research/rnn MaskZero.lua.
    """

    buffers: ClassVar[tuple[str, ...]] = ("zeroMask", "_zeroMask", "_maskbyte", "_maskindices")

    zeroMask: Any = None
    batchmode: bool = False
    gradOutput: Any = None

    def __init__(self, module: Any, nInputDim: int, silent: bool | None = None) -> None:
        super().__init__(module)
        if not isinstance(nInputDim, (int, float)):
            raise ArgumentError(f"Expecting nInputDim number at arg 1; given {nInputDim!r:.60}")
        if getattr(module, "dpnn_stepclone", False) and not silent:
            print(
                "Warning : you are most likely using MaskZero the wrong way. "
                "You should probably use AbstractRecurrent:maskZero() so that it wraps the "
                "internal AbstractRecurrent.recurrentModule instead of wrapping the "
                "AbstractRecurrent module itself."
            )
        self.nInputDim = nInputDim

    def convert_fields(self, typename: str, cache: Any) -> None:
        for name in self.buffers:
            vars(self).pop(name, None)
        super().convert_fields(typename, cache)

    def look(self, input: Any) -> None:
        """Find the samples that are zeros."""
        x = first_tensor(input)
        extra = x.ndim - self.nInputDim
        if extra not in (0, 1):
            raise ShapeError(
                f"nInputDim error: {x.ndim}, {self.nInputDim}: {self.t7_typename} takes samples "
                f"of {self.nInputDim} dimensions or batches of them; given shape {x.shape}"
            )
        self.batchmode = extra == 1
        mask = ops.astype(zero_rows(x, self.batchmode), "uint8")
        self.zeroMask = replace_contents(self.zeroMask, mask)

    def masked(self, target: Any, value: Any) -> Any:
        """Return `target` with the contents of `value`, and zeros for the masked samples."""

        def one(t: Any, v: Tensor) -> Any:
            each = (-1,) + (1,) * (v.ndim - 1)
            here = ops.reshape(ops.equal(self.zeroMask, 1), each if self.batchmode else ())
            return replace_contents(t, ops.where(here, zeros_like(v), v))

        return nested.paired(target, value, one)

    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self.look(input)
            self.output = self.masked(self.output, self.modules[1].updateOutput(input))
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            self.gradOutput = self.masked(self.gradOutput, as_input(gradOutput))
            self.gradInput = self.modules[1].updateGradInput(as_input(input), self.gradOutput)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with as_torch():
            self.modules[1].accGradParameters(as_input(input), as_input(gradOutput), scale)
