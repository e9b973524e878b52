"""Containers that join what their modules return: nn.Concat, DepthConcat and Parallel."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from sys import getrefcount
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import zeros
from rekindle.core.errors import ShapeError
from rekindle.core.ops.adoption import HELD_HERE
from rekindle.core.ops.owing import owed
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .checks import axis_of, one_tensor
from .containers import Container, Step
from .fields import long_storage
from .going_back import Share, SideBySide, summed
from .module import replace_contents, torch_class
from .order import in_any_order


@torch_class("nn.Concat")
class Concat(SideBySide, Container):
    """Gives every module the same input and joins the outputs along `dimension`.

    Parameters
    ----------
    dimension : int
        From 1, the batch dimension included.

    Attributes
    ----------
    outputSize : Storage of int64
        The sizes of the last output.

    Source: torch/nn Concat.lua.
    """

    dimension: int
    outputSize: Storage

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.outputSize = long_storage([])
        self.dimension = dimension

    def flow(self, input: Any, step: Step) -> Any:
        outputs = [step(i, input) for i in range(1, len(self.modules) + 1)]
        axis = self.dimension - 1
        if axis >= outputs[0].ndim:
            raise ShapeError(
                f"bad argument #2 to '?' (index out of bounds): {self.t7_typename} joins along "
                f"dimension {self.dimension}; its modules return shape {outputs[0].shape}"
            )
        return ops.concat([_alike(in_any_order(y), outputs[0], axis) for y in outputs], axis=axis)

    def keep(self, input: Any, result: Any) -> Any:
        self.outputSize = long_storage(result.shape)
        if getrefcount(result) == HELD_HERE and owed(self.output, result):
            return self.output
        return replace_contents(self.output, result)

    def window(self, gradOutput: Tensor, output: Tensor, offset: int) -> Tensor:
        """Return the part of `gradOutput` that is the gradient of one module's `output`."""
        axis = self.dimension - 1
        return ops.narrow(gradOutput, axis, offset, output.shape[axis])

    def shares(self, input: Any, gradOutput: Any) -> Iterator[Share]:
        g, offset = one_tensor(self, gradOutput), 0
        for i in range(1, len(self.modules) + 1):
            output = self.modules[i].output
            yield i, input, self.window(g, output, offset)
            offset += output.shape[self.dimension - 1]

    def gather(self, input: Any, found: Iterator[Any]) -> Any:
        return summed(self.gradInput, input, found)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        return self.backward_at_once(input, gradOutput, scale)

    def __repr__(self) -> str:
        return self._branches()


def _alike(y: Tensor, first: Tensor, axis: int) -> Tensor:
    """Return y in the shape of `first` but along `axis`, if that is just another shape.

    Torch7 copies outputs into their places, whatever their shape, if elements are as many.
    """
    shape = list(first.shape)
    if axis < y.ndim:
        shape[axis] = y.shape[axis]
    fits = y.ndim != first.ndim and prod(shape) == y.size
    return ops.reshape(y, shape) if fits else y


@torch_class("nn.DepthConcat")
class DepthConcat(Concat):
    """Concat that centres smaller outputs in the largest, padding with zeros.

    Source: torch/nn DepthConcat.lua.
    """

    def flow(self, input: Any, step: Step) -> Any:
        outputs = [step(i, input) for i in range(1, len(self.modules) + 1)]
        axis = self.dimension - 1
        largest = [max(sizes) for sizes in zip(*(y.shape for y in outputs), strict=True)]
        return ops.concat([_centred(y, largest, axis) for y in outputs], axis=axis)

    def window(self, gradOutput: Tensor, output: Tensor, offset: int) -> Tensor:
        found = super().window(gradOutput, output, offset)
        for i, (n, largest) in enumerate(zip(output.shape, gradOutput.shape, strict=True)):
            if i != self.dimension - 1 and n != largest:
                found = ops.narrow(found, i, (largest - n) // 2, n)
        return found

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        return self.backward_at_once(input, gradOutput, 1)  # Torch7 does not pass the scale on


def _centred(x: Tensor, sizes: list[int], axis: int) -> Tensor:
    """Return x in the middle of zeros of `sizes`, except along `axis`."""
    for i, n in enumerate(sizes):
        missing = n - x.shape[i]
        if i != axis and missing:
            before = missing // 2
            shape = list(x.shape)
            parts = []
            for extra in (before, missing - before):
                shape[i] = extra
                parts.append(zeros(shape, x.dtype, x.device))
            x = ops.concat([parts[0], x, parts[1]], axis=i)
    return x


@torch_class("nn.Parallel")
class Parallel(SideBySide, Container):
    """Gives module i slice i of the input and joins the outputs.

    Parameters
    ----------
    inputDimension : int
        The dimension of the input, from 1, that is cut into slices, and goes away.
    outputDimension : int
        The dimension of the outputs, from 1, along which they are joined.

    Source: torch/nn Parallel.lua.
    """

    inputDimension: int
    outputDimension: int

    def __init__(self, inputDimension: int, outputDimension: int) -> None:
        super().__init__()
        self.inputDimension = inputDimension
        self.outputDimension = outputDimension

    def flow(self, input: Any, step: Step) -> Any:
        x = one_tensor(self, input)
        axis = axis_of(self, self.inputDimension, x.ndim)
        outputs = [step(i + 1, ops.select(x, axis, i)) for i in range(x.shape[axis])]
        return ops.concat(outputs, axis=self.outputDimension - 1)

    def keep(self, input: Any, result: Any) -> Any:
        self.totalOutputSize = long_storage(result.shape)
        return replace_contents(self.output, result)

    def shares(self, input: Any, gradOutput: Any) -> Iterator[Share]:
        x, g = one_tensor(self, input), one_tensor(self, gradOutput)
        axis, along, offset = self.inputDimension - 1, self.outputDimension - 1, 0
        for i in range(x.shape[axis]):
            size = self.modules[i + 1].output.shape[along]
            yield i + 1, ops.select(x, axis, i), ops.narrow(g, along, offset, size)
            offset += size

    def gather(self, input: Any, found: Iterator[Any]) -> Any:
        slices = [g.clone() for g in found]
        return replace_contents(self.gradInput, ops.stack(slices, axis=self.inputDimension - 1))

    def __repr__(self) -> str:
        return self._branches()
