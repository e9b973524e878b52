"""Parts of the input: nn.Narrow, Select, Index and MaskedSelect."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core import dtypes, ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros, zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import axis_of, fitted, one_tensor, rows_at, two_tensors
from .conversion import Cache
from .fields import empty_pair, given, set_unless_nil
from .module import Module, replace_contents, torch_class


@torch_class("nn.Narrow")
class Narrow(Module):
    """Returns some neighbours along a dimension.

    Parameters
    ----------
    dimension : int
        From 1, or from -1 backwards.
    offset : int
        The first, from 1. With a negative offset the output is what lies before the last
        `length` elements, as in Torch7.
    length : int, default 1
        How many; -1 is up to the last, -2 up to the last but one, ...

    Source: torch/nn Narrow.lua.
    """

    length: int = 1

    def __init__(self, dimension: int, offset: int, length: int | None = None) -> None:
        super().__init__()
        self.dimension = dimension
        self.index = offset
        self.length = given(length, 1)

    def _part(self, x: Tensor) -> tuple[int, int, int]:
        """Return the axis, the first index from 0, and how many."""
        axis = axis_of(self, self.dimension, x.ndim)
        size, index, length = x.shape[axis], self.index, self.length
        if length < 0:
            length = size - index + length + 2
        if index < 0:
            index, length = 1, size - length
        if not 1 <= index <= index + length - 1 <= size:
            raise ShapeError(
                f"out of range: nn.Narrow({self.dimension}, {self.index}, {self.length}) reaches "
                f"outside an input of shape {x.shape}"
            )
        return axis, index - 1, length

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return ops.narrow(x, *self._part(x))

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        found = zeros_like(input)
        part = ops.narrow(found, *self._part(input))
        part.copy_(fitted(self, gradOutput, part, "output"))
        return found

    def check_input(self, input: Any) -> None:
        """Take any type: no number is looked at."""


@torch_class("nn.Select")
class Select(Module):
    """Returns one element along a dimension, which goes away.

    Parameters
    ----------
    dimension, index : int
        From 1, or from -1 backwards.

    Source: torch/nn Select.lua.
    """

    def __init__(self, dimension: int, index: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.index = index

    def _place(self, x: Tensor) -> tuple[int, int]:
        """Return the axis and the index along it, from 0."""
        axis = axis_of(self, self.dimension, x.ndim)
        size = x.shape[axis]
        index = size + self.index if self.index < 0 else self.index - 1
        if x.ndim < 2 or not 0 <= index < size:
            raise ShapeError(
                f"out of range: nn.Select({self.dimension}, {self.index}) takes 2 or more "
                f"dimensions, and {abs(self.index)} elements or more in that one; "
                f"given shape {x.shape}"
            )
        return axis, index

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return ops.select(x, *self._place(x))

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        found = zeros_like(input)
        part = ops.select(found, *self._place(input))
        part.copy_(fitted(self, gradOutput, part, "output"))
        return found

    def check_input(self, input: Any) -> None:
        """Take any type: no number is looked at."""


@torch_class("nn.Index")
class Index(Module):
    """Returns the slices of the first tensor that the second names.

    Parameters
    ----------
    dimension : int
        Along which, from 1.

    Source: torch/nn Index.lua.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.gradInput = empty_pair(self)

    def compute(self, input: Any) -> Tensor:
        x, index = two_tensors(self, input)
        axis = axis_of(self, self.dimension, x.ndim)
        one_tensor(self, index, 1)
        return ops.transpose(rows_at(self, ops.transpose(x, 0, axis), index), 0, axis)

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        found = super().input_gradient(input, gradOutput)
        return Table([found[1], zeros(input[2].shape, self.dtype, input[2].device)])

    def clearState(self) -> Self:
        for tensor in (*self.gradInput.array(), self.output):
            tensor.set_(empty(0, tensor.dtype, tensor.device))
        return self

    def check_input(self, input: Any) -> None:
        """Take indices of any type."""
        super().check_input(two_tensors(self, input)[0])


@torch_class("nn.MaskedSelect")
class MaskedSelect(Module):
    """Returns the elements of the first tensor where the second is not 0, as a vector.

    Source: torch/nn MaskedSelect.lua.
    """

    scratch = (
        *("_maskIndexBuffer", "_maskIndexBufferCPU", "_maskIndices", "_gradBuffer", "_gradMask"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._maskIndices = empty(0, dtypes.int64)
        self._maskIndexBuffer = empty(0, dtypes.int64)
        self._maskIndexBufferCPU = empty(0, dtypes.float32)
        self._gradBuffer = empty(0, self.dtype)
        self._gradMask = empty(0, dtypes.uint8)

    def convert_fields(self, typename: str, cache: Cache) -> None:
        names = ("_maskIndices", "_maskIndexBuffer", "_maskIndexBufferCPU", "_gradMask")
        integers = {name: vars(self).pop(name, None) for name in names}
        super().convert_fields(typename, cache)
        set_unless_nil(self, **integers)

    def compute(self, input: Any) -> Tensor:
        x, mask = two_tensors(self, input)
        if x.size != mask.size:
            raise ShapeError(
                f"nn.MaskedSelect takes a mask of the input's size; "
                f"given shapes {x.shape} and {mask.shape}"
            )
        chosen = ops.reshape(ops.not_equal(mask, 0), x.shape)
        return ops.getitem(x, index=chosen.array)

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        found = super().input_gradient(input, gradOutput)
        return Table([found[1], zeros(input[2].shape, dtypes.uint8, input[2].device)])

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Table:
        self._gradBuffer = replace_contents(self._gradBuffer, result[1])
        self._gradMask = replace_contents(self._gradMask, result[2])
        return Table([self._gradBuffer, self._gradMask])
