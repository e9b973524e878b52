"""Modules that move or repeat elements: nn.Transpose, Replicate, Padding and PixelShuffle."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import axis_of, one_tensor
from .fields import given, long_storage, set_unless_nil
from .module import ArgumentError, Module, as_input, share_memory, torch_class


@torch_class("nn.Transpose")
class Transpose(Module):
    """Exchanges pairs of dimensions, one pair after the other.

    Parameters
    ----------
    *permutations : Table or sequence of two int
        The pairs, from 1.

    Attributes
    ----------
    numInputDims : int, optional
        Dimensions of one sample: dimensions before those are not counted.

    Source: torch/nn Transpose.lua.
    """

    numInputDims: int | None = None

    def __init__(self, *permutations: Any) -> None:
        super().__init__()
        self.permutations = Table([as_input(pair) for pair in permutations])

    def setNumInputDims(self, numInputDims: int) -> Self:
        """Say how many dimensions one sample has, and return the module."""
        self.numInputDims = numInputDims
        return self

    def _exchanges(self, ndim: int) -> list[tuple[int, int]]:
        """Return the pairs of axes, from 0, for an input of `ndim` dimensions."""
        offset = 0 if self.numInputDims is None else ndim - self.numInputDims
        return [
            (axis_of(self, pair[1] + offset, ndim), axis_of(self, pair[2] + offset, ndim))
            for pair in self.permutations.array()
        ]

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        for a, b in self._exchanges(x.ndim):
            x = ops.transpose(x, a, b)
        return x

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        g = one_tensor(self, gradOutput, input.ndim)
        for a, b in reversed(self._exchanges(input.ndim)):
            g = ops.transpose(g, a, b)
        return g

    def check_input(self, input: Any) -> None:
        """Take any type: no number is looked at."""


@torch_class("nn.Replicate")
class Replicate(Module):
    """Repeats the input along a new dimension; the output views the input's memory.

    Parameters
    ----------
    nf : int
        How often.
    dim : int, default 1
        Where the new dimension is, from 1.
    ndim : int, optional
        Dimensions of one sample: in an input of more, `dim` does not count the batch.

    Source: torch/nn Replicate.lua.
    """

    dim: int = 1
    ndim: int | None = None

    def __init__(self, nf: int, dim: int | None = None, ndim: int | None = None) -> None:
        super().__init__()
        self.nfeatures = nf
        self.dim = given(dim, 1)
        if self.dim < 1:
            raise ArgumentError(
                f"Can only replicate across positive integer dimensions: given {dim}"
            )
        set_unless_nil(self, ndim=ndim)

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        axis = self.dim - 1
        if self.ndim is not None and x.ndim > self.ndim:
            axis += 1
        if axis > x.ndim:
            raise ShapeError(
                f"Not enough input dimensions to replicate along dimension {self.dim}: "
                f"{self.t7_typename} is given shape {x.shape}"
            )
        shape = (*x.shape[:axis], self.nfeatures, *x.shape[axis:])
        return ops.expand(ops.unsqueeze(x, axis), shape)

    def check_input(self, input: Any) -> None:
        """Take any type: no number is looked at."""

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)


@torch_class("nn.Padding")
class Padding(Module):
    """Puts `pad` elements of `value` into a dimension.

    Parameters
    ----------
    dim : int
        From 1.
    pad : int
        How many; negative ones count `index` from the left, positive ones from the right.
    nInputDim : int, optional
        Dimensions of one sample: an input of another number is a batch, and `dim` does not count
        it.
    value : float, default 0
    index : int, default 1
        Where: 1 is before the first element, or after the last.

    Source: torch/nn Padding.lua.
    """

    nInputDim: int | None = None
    value: float = 0
    index: int = 1

    def __init__(
        self,
        dim: int,
        pad: int,
        nInputDim: int | None = None,
        value: float | None = None,
        index: int | None = None,
    ) -> None:
        super().__init__()
        self.value = given(value, 0)
        self.index = given(index, 1)
        self.dim = dim
        self.pad = pad
        set_unless_nil(self, nInputDim=nInputDim)
        self.outputSize = long_storage([()])

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        batch = self.nInputDim is not None and x.ndim != self.nInputDim
        axis = axis_of(self, self.dim + batch, x.ndim)
        size = x.shape[axis]
        before = self.index - 1 if self.pad <= 0 else size - self.index + 1
        if not 0 <= before <= size:
            raise ShapeError(
                f"nn.Padding at index {self.index} of dimension {axis + 1}; given shape {x.shape}"
            )
        shape = (*x.shape[:axis], abs(self.pad), *x.shape[axis + 1 :])
        head = ops.narrow(x, axis, 0, before)
        tail = ops.narrow(x, axis, before, size - before)
        return ops.concat([head, full(shape, self.value, x.dtype, x.device), tail], axis=axis)


@torch_class("nn.PixelShuffle")
class PixelShuffle(Module):
    """Makes planes r times larger of r * r planes each.

    Parameters
    ----------
    upscaleFactor : int
        The r: (N, C * r * r, H, W) becomes (N, C, r * H, r * W).

    Source: torch/nn PixelShuffle.lua.
    """

    scratch = ("_intermediateShape", "_outShape", "_shuffleIn", "_shuffleOut")

    def __init__(self, upscaleFactor: int) -> None:
        super().__init__()
        self.upscaleFactor = upscaleFactor
        self.upscaleFactorSquared = upscaleFactor * upscaleFactor

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 3, 4)
        r = self.upscaleFactor
        *batch, planes, height, width = x.shape
        if planes % (r * r) != 0:
            raise ShapeError(
                f"nn.PixelShuffle takes a multiple of {r * r} planes; given shape {x.shape}"
            )
        channels = planes // (r * r)
        parts = ops.reshape(x, (-1, channels, r, r, height, width))
        shuffled = ops.permute(parts, (0, 1, 4, 2, 5, 3))
        return ops.reshape(shuffled, (*batch, channels, height * r, width * r))
