"""Modules that give their input another shape: nn.View, Reshape, Collapse, Squeeze, Unsqueeze.

Their output in Torch7 is a view of the input, and so it is here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.errors import ShapeError
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .checks import fitted, one_tensor
from .fields import long_storage, set_unless_nil
from .module import ArgumentError, Module, share_memory, torch_class


class _Reshaping(Module):
    """A module whose output views its input."""

    def check_input(self, input: Any) -> None:
        """Take any type: no number is looked at."""

    def keep(self, input: Any, result: Any) -> Any:
        return share_memory(self.output, result)

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        return fitted(self, gradOutput, input)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        return share_memory(self.gradInput, result)


@torch_class("nn.View")
class View(_Reshaping):
    """Gives each sample the shape `size`; what is a batch follows from the counts of elements.

    Parameters
    ----------
    *size : int
        One size may be -1: whatever fits.

    Attributes
    ----------
    numInputDims : int, optional
        Dimensions of one sample of the input. With it all dimensions before those are the
        batch. Without it a batch is what is left over of the count of elements, and a single
        sample (or -1 in `size`) makes no batch dimension.

    Source: torch/nn View.lua.
    """

    size: Storage
    numElements: int
    numInputDims: int | None = None

    def __init__(self, *size: Any) -> None:
        super().__init__()
        self.resetSize(*size)

    def resetSize(self, *size: Any) -> Self:
        """Set another `size` and return the module."""
        self.size = long_storage(size)
        sizes = self.size.tolist()
        if any(n < -1 for n in sizes) or sizes.count(-1) > 1:
            words = "size should be positive or -1, and only one dimension can be at -1"
            raise ArgumentError(f"{words}: nn.View is given {sizes}")
        self.numElements = math.prod(n for n in sizes if n >= 0)
        return self

    def setNumInputDims(self, numInputDims: int) -> Self:
        """Say how many dimensions one sample of the input has, and return the module."""
        self.numInputDims = numInputDims
        return self

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return _reshaped(self, x, self.shape_for(x))

    def shape_for(self, x: Tensor) -> list[int]:
        """Return the shape of the output for an input."""
        sizes = self.size.tolist()
        batch = self._batch_size(x, sizes)
        return sizes if batch is None else [batch, *sizes]

    def _batch_size(self, x: Tensor, sizes: list[int]) -> int | None:
        dims = x.ndim if self.numInputDims is None else self.numInputDims
        if dims > x.ndim:
            raise ShapeError(f"{self!r} takes samples of {dims} dimensions; given shape {x.shape}")
        elements = math.prod(x.shape[x.ndim - dims :])
        if self.numElements == 0 or elements % self.numElements != 0:
            wanted = "x".join(str(n) for n in sizes)
            raise ShapeError(
                f"input view ({'x'.join(map(str, x.shape))}) and desired view ({wanted}) do not "
                f"match: {self!r} does not divide the elements of an input of {x.shape}"
            )
        batch = 1 if -1 in sizes else elements // self.numElements
        batch *= math.prod(x.shape[: x.ndim - dims])
        return None if batch == 1 and x.ndim == dims else batch

    def keep(self, input: Any, result: Any) -> Any:
        return super().keep(input, _contiguous(self, input, result, "input"))

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        _contiguous(self, gradOutput, result, "gradOutput")
        return super().keep_gradient(input, gradOutput, result)

    def __repr__(self) -> str:
        return f"{self.t7_typename}({', '.join(str(n) for n in self.size.tolist())})"


@torch_class("nn.Reshape")
class Reshape(_Reshaping):
    """Gives the input, or each sample of a batch, the shape `size`.

    Parameters
    ----------
    *size : int or bool
        A last argument that is a bool is the batch mode: True keeps dimension 1 as the batch,
        False reshapes the whole. Without it the input is a batch unless it has the elements of
        `size` and a dimension 1 that is not of size 1.

    Source: torch/nn Reshape.lua.
    """

    scratch = ("_input", "_gradOutput")

    size: Storage
    batchMode: bool | None = None

    def __init__(self, *size: Any) -> None:
        super().__init__()
        if size and (size[-1] is None or isinstance(size[-1], bool)):
            set_unless_nil(self, batchMode=size[-1])
            size = size[:-1]
        self.size = long_storage(size)
        sizes = self.size.tolist()
        self.nelement = math.prod(sizes)
        self.batchsize = long_storage([[0, *sizes]])

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return _reshaped(self, x, self.shape_for(x))

    def shape_for(self, x: Tensor) -> list[int]:
        """Return the shape of the output for an input."""
        sizes = self.size.tolist()
        batch = self.batchMode
        if batch is None:
            batch = x.size != math.prod(sizes) or x.shape[:1] == (1,)
        return [*x.shape[:1], *sizes] if batch else sizes

    def keep(self, input: Any, result: Any) -> Any:
        if result.ndim > self.size.size:
            kept = vars(self).get("batchsize")
            if kept is None or kept.tolist() != [*result.shape]:
                self.batchsize = long_storage([result.shape])
        return super().keep(input, result)

    def __repr__(self) -> str:
        return f"{self.t7_typename}({'x'.join(str(n) for n in self.size.tolist())})"


@torch_class("nn.Collapse")
class Collapse(_Reshaping):
    """Makes the dimensions of a sample one.

    Parameters
    ----------
    nInputDim : int
        Dimensions of one sample.

    Source: torch/nn Collapse.lua.
    """

    keeps_results = True

    def __init__(self, nInputDim: int) -> None:
        super().__init__()
        self.nInputDim = nInputDim

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        return _reshaped(self, x, [*x.shape[:1], -1] if x.ndim > self.nInputDim else [-1])


@torch_class("nn.Squeeze")
class Squeeze(_Reshaping):
    """Takes dimension `dim` away if its size is 1, or by default all of size 1.

    Parameters
    ----------
    dim : int, optional
        From 1.
    numInputDims : int, optional
        Dimensions of one sample: an input of one more is a batch, which stays.

    Source: torch/nn Squeeze.lua.
    """

    dim: int | None = None
    numInputDims: int | None = None

    def __init__(self, dim: int | None = None, numInputDims: int | None = None) -> None:
        super().__init__()
        set_unless_nil(self, dim=dim, numInputDims=numInputDims)

    def setNumInputDims(self, numInputDims: int) -> Self:
        """Say how many dimensions one sample has, and return the module."""
        self.numInputDims = numInputDims
        return self

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input, says="Squeeze only works on tensors")
        batch = self.numInputDims is not None and x.ndim == self.numInputDims + 1
        if self.dim is None:
            left = [n for n in x.shape if n != 1] or [1]
            return ops.reshape(x, [1, *left] if batch and x.shape[0] == 1 else left)
        axis = self.dim - 1 + batch
        if not 0 <= axis < x.ndim:
            raise ShapeError(f"nn.Squeeze of dimension {axis + 1} is given shape {x.shape}")
        return (
            ops.squeeze(x, axis=axis)
            if x.shape[axis] == 1 and x.ndim > 1
            else ops.reshape(x, x.shape)
        )


@torch_class("nn.Unsqueeze")
class Unsqueeze(_Reshaping):
    """Puts in a dimension of size 1.

    Parameters
    ----------
    pos : int
        Where, from 1.
    numInputDims : int, optional
        Dimensions of one sample, the batch not included; by default those of the first input.

    Source: torch/nn Unsqueeze.lua.
    """

    numInputDims: int | None = None

    def __init__(self, pos: int, numInputDims: int | None = None) -> None:
        super().__init__()
        self.pos = pos
        set_unless_nil(self, numInputDims=numInputDims)

    def setNumInputDims(self, numInputDims: int) -> Self:
        """Say how many dimensions one sample has, and return the module."""
        self.numInputDims = numInputDims
        return self

    def prepare(self, input: Any) -> None:
        if self.numInputDims is None:
            says = "This module only works on tensor"
            self.numInputDims = one_tensor(self, input, says=says).ndim

    def compute(self, input: Any) -> Tensor:
        x = one_tensor(self, input)
        dims = x.ndim if self.numInputDims is None else self.numInputDims
        position = self.pos + x.ndim - dims
        if dims > x.ndim or not 1 <= position <= x.ndim + 1:
            raise ShapeError(
                f"Invalid position: {self.pos}. input:dim() is {x.ndim}, input feature map dim "
                f"(numInputDims) is {dims}: {self!r} is given shape {x.shape}"
            )
        return ops.unsqueeze(x, position - 1)

    def __repr__(self) -> str:
        return f"{self.t7_typename}(dim {self.pos})"


def _contiguous(module: Module, given: Tensor, result: Any, name: str) -> Any:
    """Return `result`, which must be a view of a tensor that lies in memory row by row.

    Raises
    ------
    ShapeError
        If it does not, and the view would have been a copy.
    """
    if not given.is_contiguous():
        raise ShapeError(
            f"expecting a contiguous tensor: {module!r} views its {name}, and one of shape "
            f"{given.shape} with strides {given.stride()} has no such view: put nn.Contiguous() "
            "before it, nn.Reshape in its place, or give it .contiguous()"
        )
    return result


def _reshaped(module: Module, x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return x in another shape, of which one size may be -1."""
    known = math.prod(n for n in shape if n != -1)
    fits = x.size % known == 0 if -1 in shape and known else x.size == known
    if not fits:
        raise ShapeError(
            f"Wrong size for view. Input size: {'x'.join(map(str, x.shape))}. "
            f"Output size: {'x'.join(map(str, shape))}: {module!r} cannot make {tuple(shape)} of "
            f"an input of shape {x.shape}: it has {x.size} elements"
        )
    return ops.reshape(x, shape)
