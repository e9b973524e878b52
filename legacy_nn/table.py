"""Modules that join, split and pick elements of tables.

Positions and dimensions count from 1; negative ones count from the end.
Source: torch/nn, the file of each class.
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.errors import BoundsError, ShapeError

from .checks import batch_axis, one_tensor
from .fields import long_storage, set_unless_nil
from .module import InputTypeError, Module, torch_class
from .values import size_text


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


def _table(module: Module, input: Any) -> None:
    if not isinstance(input, Table):
        raise InputTypeError(f"{module.t7_typename} takes a table; given {type(input).__name__}")


class _AnyType(Module):
    """A module that passes on what it gets, whatever type it has."""

    def check_input(self, input: Any) -> None:
        """Take every type, as Torch7 does."""


class _AlongDimension(_AnyType):
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

    def compute(self, input: Any) -> Any:
        tensors = elements(self, input)
        first = tensors[0]
        axis = self.axis(first.ndim)
        for i, tensor in enumerate(tensors, 1):
            if _without(tensor.shape, axis) != _without(first.shape, axis):
                raise ShapeError(
                    f"inconsistent tensor size, {size_text(first)} and {size_text(tensor)}: "
                    f"{self.t7_typename} joins along dimension {axis + 1}, so the other sizes "
                    f"must agree; given {first.shape} and, as element {i}, {tensor.shape}"
                )
        # Torch7 copies into an output of the module's type
        same = [x if x.dtype == self.dtype else ops.astype(x, self.dtype) for x in tensors]
        return ops.concat(same, axis=axis)

    def keep(self, input: Any, result: Any) -> Any:
        self.size = long_storage(result.shape)
        return super().keep(input, result)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


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


@torch_class("nn.SelectTable")
class SelectTable(_AnyType):
    """Gives one element of a table: the element itself, not a copy.

    Parameters
    ----------
    index : int or str

    Source: torch/nn SelectTable.lua.
    """

    aliases = True
    not_converted = ("output", "gradInput")

    index: Any

    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        index = self.index
        _table(self, input)
        if isinstance(index, (int, float)) and index < 0:
            index += len(input) + 1
        element = input.get(index)
        if element is None:
            raise BoundsError(
                f"{self.t7_typename} selects entry {self.index!r}, which the input table does not "
                f"have; its keys are {', '.join(map(repr, input.keys()))}"
            )
        return element

    def keep(self, input: Any, result: Any) -> Any:
        return result

    def __repr__(self) -> str:
        index = self.index
        text = f"{index:.14g}" if isinstance(index, (int, float)) else index
        return f"{self.t7_typename}({text})"


@torch_class("nn.NarrowTable")
class NarrowTable(_AnyType):
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
    not_converted = ("output", "gradInput")

    offset: int
    length: int

    def __init__(self, offset: int, length: int | None = None) -> None:
        super().__init__()
        self.offset = offset
        self.length = 1 if length is None else length
        self.output = Table()
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        _table(self, input)
        return Table({i: input.get(self.offset + i - 1) for i in range(1, self.length + 1)})

    def keep(self, input: Any, result: Any) -> Any:
        if not isinstance(self.output, Table):
            return result
        for i in range(1, len(self.output.array()) + 1):
            self.output[i] = None
        self.output.update(result)
        return self.output


@torch_class("nn.FlattenTable")
class FlattenTable(_AnyType):
    """Gives the leaves of a table of tables in one flat table, depth first.

    Attributes
    ----------
    input_map : Table
        The shape of the last input, with the position in the output at each leaf.

    Source: torch/nn FlattenTable.lua.
    """

    scratch = ("input_map",)

    aliases = True
    not_converted = ("output", "gradInput", "input_map")

    input_map: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.output = Table()
        self.input_map = Table()
        self.gradInput = Table()

    def compute(self, input: Any) -> Any:
        _table(self, input)
        leaves: list[Any] = []
        input_map = _flatten(input, leaves)
        return Table(leaves), input_map

    def remember(self, *extras: Any) -> None:
        (self.input_map,) = extras

    def keep(self, input: Any, result: Any) -> Any:
        before = self.output.array() if isinstance(self.output, Table) else []
        after = result.array()
        same = len(before) == len(after) and all(map(_is, before, after))
        return self.output if same else result


def _is(a: Any, b: Any) -> bool:
    return a is b


def _flatten(value: Any, leaves: list[Any]) -> Any:
    """Append the leaves of `value`; return the table of their positions, like it in shape."""
    if isinstance(value, Table):
        return Table([_flatten(element, leaves) for element in value.array()])
    leaves.append(value)
    return len(leaves)
