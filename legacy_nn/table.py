"""Modules that join, split and pick elements of tables.

Positions and dimensions count from 1; negative ones count from the end.
Source: torch/nn, the file of each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from sys import getrefcount
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros_like
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.ops.adoption import HELD_HERE
from rekindle.core.ops.owing import owed
from rekindle.core.tensor import Tensor

from .checks import batch_axis, fitted, one_tensor
from .conversion import Cache
from .fields import long_storage, set_unless_nil
from .going_back import entry
from .gradients import refilled
from .module import InputTypeError, Module, torch_class
from .order import any_order
from .values import map_tensors


def elements(module: Module, input: Any) -> list[Any]:
    """Return the elements 1, 2, ... of an input that must be a table.

    Raises
    ------
    InputTypeError
        If it is no table, or has no element 1.
    """
    found = input.array() if isinstance(input, Table) else []
    if not found:
        given = "an empty table" if isinstance(input, Table) else type(input).__name__
        raise InputTypeError(f"{module.t7_typename} takes a table of tensors; given {given}")
    return found


def unequal(*tensors: tuple[str, Sequence[int]]) -> str:
    """Return what Torch7 says where tensors should have equally many elements.

    Parameters
    ----------
    *tensors : (str, sequence of int)
        What its code in C calls each one, and the sizes.
    """
    *named, last = [f"{name} [{' x '.join(map(str, shape))}]" for name, shape in tensors]
    *counts, count = [str(prod(shape)) for _, shape in tensors]
    return (
        f"inconsistent tensor size, expected {', '.join(named)} and {last} to have the same number "
        f"of elements, but got {', '.join(counts)} and {count} elements respectively"
    )


def check_table(module: Module, input: Any) -> None:
    """Check that an input is a table.

    Raises
    ------
    InputTypeError
        If it is something else.
    """
    if not isinstance(input, Table):
        raise InputTypeError(
            f"input must be a table: {module.t7_typename} takes a table; "
            f"given {type(input).__name__}"
        )


class AnyType(Module):
    """A module that passes on what it gets, whatever type it has."""

    def check_input(self, input: Any) -> None:
        """Take every type, as Torch7 does."""


class _AlongDimension(AnyType):
    """A module that works along one dimension, in batches the next one."""

    dimension: int
    nInputDims: int | None = None

    def __init__(self, dimension: int, nInputDims: int | None = None) -> None:
        super().__init__()
        self.dimension = dimension
        set_unless_nil(self, nInputDims=nInputDims)

    def axis(self, ndim: int) -> int:
        """Return the axis, from 0, for inputs of `ndim` dimensions."""
        return batch_axis(self, self.dimension, self.nInputDims or None, ndim)


@torch_class("nn.JoinTable")
class JoinTable(_AlongDimension):
    """Puts the tensors of a table one after the other along a dimension.

    Parameters
    ----------
    dimension : int
    nInputDims : int, optional
        Dimensions of one sample; inputs with one more are batches, and are joined along
        the dimension after.

    Attributes
    ----------
    size : Storage
        Sizes of the last output.

    Source: torch/nn JoinTable.lua.
    """

    not_converted = ("gradInput",)

    size: Any = None

    def __init__(self, dimension: int, nInputDims: int | None = None) -> None:
        super().__init__(dimension, nInputDims)
        self.size = long_storage(())
        self.gradInput = Table()

    @any_order
    def compute(self, input: Any) -> Any:
        tensors = elements(self, input)
        first = tensors[0]
        axis = self.axis(first.ndim)
        for i, tensor in enumerate(tensors, 1):
            room = _room(first, tensor, axis) if tensor.ndim > axis else first.shape
            if tensor.ndim <= axis or prod(room) != tensor.size:
                raise ShapeError(
                    f"{unequal(('tensor', room), ('src', tensor.shape))}: "
                    f"{self.t7_typename} joins along dimension {axis + 1}, so the other sizes "
                    f"must agree; given {first.shape} and, as element {i}, {tensor.shape}"
                )
        # Torch7 copies into an output of the module's type
        # , in whatever shape, where the elements are as many.
        parts = [ops.reshape(x, _room(first, x, axis)) for x in tensors]
        same = [x if x.dtype == self.dtype else ops.astype(x, self.dtype) for x in parts]
        return ops.concat(same, axis=axis)

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        tensors = elements(self, input)
        axis, offset, found = self.axis(tensors[0].ndim), 0, Table()
        g = one_tensor(self, gradOutput, tensors[0].ndim)
        for i, tensor in enumerate(tensors, 1):
            size = tensor.shape[axis]
            part = ops.reshape(ops.narrow(g, axis, offset, size), tensor.shape)
            found[i] = part if part.dtype == tensor.dtype else ops.astype(part, tensor.dtype)
            offset += size
        return found

    def keep(self, input: Any, result: Any) -> Any:
        self.size = long_storage(result.shape)
        if getrefcount(result) == HELD_HERE and owed(self.output, result):
            return self.output
        return super().keep(input, result)


def _room(first: Tensor, tensor: Tensor, axis: int) -> tuple[int, ...]:
    """Return the shape of the place of `tensor` beside `first`."""
    return (*first.shape[:axis], tensor.shape[axis], *first.shape[axis + 1 :])


@torch_class("nn.SplitTable")
class SplitTable(_AlongDimension):
    """Gives the slices of a tensor along a dimension, as a table of views of the input.

    Parameters
    ----------
    dimension : int
    nInputDims : int, optional
        Dimensions of one sample; inputs with one more are batches, and are split along the
        dimension after.

    Source: torch/nn SplitTable.lua.
    """

    def compute(self, input: Any) -> Any:
        x = one_tensor(self, input)
        axis = self.axis(x.ndim)
        return Table([ops.select(x, axis, i) for i in range(x.shape[axis])])

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        axis = self.axis(input.ndim)
        shape = (*input.shape[:axis], *input.shape[axis + 1 :])
        parts = []
        for i in range(input.shape[axis]):
            g = entry(self, gradOutput, i + 1, "gradOutput")
            if not isinstance(g, Tensor) or g.shape != shape:
                g = fitted(self, g, ops.select(input, axis, i), "output")
            parts.append(g if g.dtype == input.dtype else ops.astype(g, input.dtype))
        return ops.stack(parts, axis=axis) if parts else zeros_like(input)


@torch_class("nn.SelectTable")
class SelectTable(AnyType):
    """Gives one element of a table: the element itself, not a copy.

    Parameters
    ----------
    index : int or str

    Source: torch/nn SelectTable.lua.
    """

    aliases = True

    index: Any

    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index
        self.gradInput = Table()

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self.output, self.gradInput = Table(), Table()
        super().convert_fields(typename, cache)

    def _key(self, input: Any) -> Any:
        check_table(self, input)
        negative = isinstance(self.index, (int, float)) and self.index < 0
        return self.index + len(input) + 1 if negative else self.index

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        found: Table = map_tensors(zeros_like, input)
        for key in [k for k, v in found.items() if not isinstance(v, (Tensor, Table))]:
            found[key] = None
        found[self._key(input)] = gradOutput
        return found

    def compute(self, input: Any) -> Any:
        element = input.get(self._key(input)) if isinstance(input, Table) else self._key(input)
        if element is None:
            raise BoundsError(
                f"index does not exist in the input table: {self.t7_typename} selects entry "
                f"{self.index!r}; the keys are {', '.join(map(repr, input.keys()))}"
            )
        return element

    def keep(self, input: Any, result: Any) -> Any:
        return result

    def __repr__(self) -> str:
        index = self.index
        text = f"{index:.14g}" if isinstance(index, (int, float)) else index
        return f"{self.t7_typename}({text})"


@torch_class("nn.NarrowTable")
class NarrowTable(AnyType):
    """Gives a run of elements of a table: the elements themselves, in a table of its own.

    Parameters
    ----------
    offset : int
        Position of the first.
    length : int, default 1
        Below 1 the table is empty.

    Source: torch/nn NarrowTable.lua.
    """

    aliases = True

    offset: int
    length: int

    def __init__(self, offset: int, length: int | None = None) -> None:
        super().__init__()
        self.offset = offset
        self.length = 1 if length is None else length
        self.output = Table()
        self.gradInput = Table()

    def convert_fields(self, typename: str, cache: Cache) -> None:
        self.output, self.gradInput = Table(), Table()
        super().convert_fields(typename, cache)

    def compute(self, input: Any) -> Any:
        check_table(self, input)
        return Table({i: input.get(self.offset + i - 1) for i in range(1, self.length + 1)})

    def keep(self, input: Any, result: Any) -> Any:
        if not isinstance(self.output, Table):
            return result
        for i in range(1, len(self.output.array()) + 1):
            self.output[i] = None
        self.output.update(result)
        return self.output

    def input_gradient(self, input: Any, gradOutput: Any) -> Table:
        last = self.offset + self.length - 1
        return Table(
            {
                i: gradOutput.get(i - self.offset + 1)
                if self.offset <= i <= last
                else map_tensors(zeros_like, element)
                for i, element in enumerate(elements(self, input), 1)
            }
        )

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Table:
        # The gradients that were given are passed on themselves; the zeros are the module's.
        table = self.gradInput if isinstance(self.gradInput, Table) else Table()
        given = {id(g) for g in gradOutput.values()}
        for i in range(len(result) + 1, len(table) + 1):
            table[i] = None
        for i, part in result.items():
            table[i] = part if id(part) in given else refilled(_own(table.get(i), given), part)
        return table


def _own(value: Any, given: set[int]) -> Any:
    """Return a value that may be written into: none of the gradients that were given."""
    return None if id(value) in given else value
