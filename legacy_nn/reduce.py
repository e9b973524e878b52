"""Reductions over one dimension: nn.Sum, Mean, Max and Min."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.creation import zeros_like
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import batch_axis, left_behind, one_tensor
from .errors import not_stated
from .fields import given, set_unless_nil
from .module import Module, share_memory, torch_class
from .order import any_order


@torch_class("nn.Sum")
class Sum(Module):
    """The sum, or the mean, over a dimension.

    Parameters
    ----------
    dimension : int, default 1
        From 1, or from -1 backwards.
    nInputDims : int, optional
        Dimensions of one sample: in an input of one more, a positive `dimension` does not count
        the batch.
    sizeAverage : bool, default False
        Whether the sum is divided by the number of elements.
    squeeze : bool, default True
        Whether the dimension goes away; else its size becomes 1. A vector's stays.

    Source: torch/nn Sum.lua.
    """

    scratch = ("_gradOutput",)

    nInputDims: int | None = None
    sizeAverage: bool = False
    squeeze: bool = True

    def __init__(
        self,
        dimension: int | None = None,
        nInputDims: int | None = None,
        sizeAverage: bool | None = None,
        squeeze: bool | None = None,
    ) -> None:
        super().__init__()
        self.dimension = given(dimension, 1)
        set_unless_nil(self, nInputDims=nInputDims)
        self.sizeAverage = bool(sizeAverage)
        self.squeeze = given(squeeze, True)

    @any_order
    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        if self.dimension > x.ndim:
            raise ShapeError(
                f"dimension exceeds input dimensions: {self.t7_typename} works along dimension "
                f"{self.dimension}; given shape {x.shape}"
            )
        axis = batch_axis(self, self.dimension, self.nInputDims, x.ndim)
        total = ops.sum(x, axis=axis, keepdims=not self.squeeze or x.ndim == 1)
        return total / x.shape[axis] if self.sizeAverage else total


@torch_class("nn.Mean")
class Mean(Sum):
    """The mean over a dimension.

    Parameters
    ----------
    dimension : int, default 1
        From 1, or from -1 backwards.
    nInputDims : int, optional
        Dimensions of one sample: in an input of one more, a positive `dimension` does not count
        the batch.

    Notes
    -----
    Files from before nn.Mean became a kind of nn.Sum say nothing of `sizeAverage`; they mean
    the mean all the same, though Torch7 of 2017 takes the sum for them.

    Source: torch/nn Mean.lua.
    """

    sizeAverage: bool = True

    def __init__(self, dimension: int | None = None, nInputDims: int | None = None) -> None:
        super().__init__(dimension, nInputDims, True)


class _Extreme(Module):
    """The largest or smallest element along a dimension, and where it is.

    Parameters
    ----------
    dimension : int, default 1
        From 1, or from -1 backwards.
    nInputDims : int, optional
        Dimensions of one sample: in an input of one more, a positive `dimension` does not count
        the batch.

    Attributes
    ----------
    _indices : Tensor of int64
        Where the elements of the last output were, from 1; the first of equal ones.
    """

    scratch = ("_indices", "_output")
    not_converted = ("_indices",)

    nInputDims: int | None = None

    def __init__(self, dimension: int | None = None, nInputDims: int | None = None) -> None:
        super().__init__()
        self.dimension = given(dimension, 1)
        set_unless_nil(self, nInputDims=nInputDims)

    def position(self, x: Tensor, axis: int) -> Tensor:
        """Return where the elements are, from 0; the axis stays with size 1."""
        raise not_stated(self, "position")

    def compute(self, input: Any) -> tuple[Tensor, ...]:
        x = one_tensor(self, input)
        axis = batch_axis(self, self.dimension, self.nInputDims, x.ndim)
        positions = self.position(x, axis)
        # The first of equal elements has all of the gradient.
        values = ops.gather(x, positions, axis=axis)
        output = ops.squeeze(values, axis=axis) if x.ndim > 1 else values
        return output, values, positions + 1

    def keep_extras(self, *extras: Any) -> None:
        self._output, self._indices = extras

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        indices, g = left_behind(self, "_indices", gradOutput)
        axis = batch_axis(self, self.dimension, self.nInputDims, input.ndim)
        return ops.scatter_add(zeros_like(input), indices - 1, g, axis=axis)


@torch_class("nn.Max")
class Max(_Extreme):
    """The largest element along a dimension; see nn.Min for the smallest.

    Source: torch/nn Max.lua.
    """

    def position(self, x: Tensor, axis: int) -> Tensor:
        return ops.argmax(x, axis=axis, keepdims=True)


@torch_class("nn.Min")
class Min(_Extreme):
    """The smallest element along a dimension; see nn.Max for the largest.

    Source: torch/nn Min.lua.
    """

    def position(self, x: Tensor, axis: int) -> Tensor:
        return ops.argmin(x, axis=axis, keepdims=True)
