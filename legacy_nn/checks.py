"""What modules check of their input before they compute, and how they report it."""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import int64
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.tensor import Tensor

from .errors import unindexed
from .module import ArgumentError, InputTypeError, Module, ModuleError
from .order import in_any_order
from .values import size_text


def one_tensor(
    module: Module, input: Any, *ndims: int, says: str = "", called: str = "input"
) -> Tensor:
    """Return `input`, which must be a tensor of one of `ndims` dimensions, or of any.

    `says` is what the class says in Torch7 where it is not; "{size}" in it stands for its size.
    `called` is the name of the argument.

    Raises
    ------
    InputTypeError
        If it is no tensor.
    ShapeError
        If it has another number of dimensions.
    """
    if not isinstance(input, Tensor):
        words = says if says and "{" not in says else unindexed(input, called)
        raise InputTypeError(
            f"{words}{': ' if words else ''}{module.t7_typename} takes a tensor; "
            f"given {type(input).__name__} {input!r:.60}"
        )
    if ndims and input.ndim not in ndims:
        words = "input must be vector or matrix"
        if ndims != (1, 2):
            listed = " or ".join(f"{n}D" for n in ndims)
            words = f"{listed} input tensor expected but got: {size_text(input)}"
        if says:
            words = says.format(size=size_text(input))
        raise ShapeError(
            f"{words}: {module.t7_typename} takes {_listed(ndims)} input; given shape {input.shape}"
        )
    return input


def two_tensors(module: Module, input: Any, says: str = "") -> tuple[Tensor, Tensor]:
    """Return the two tensors of the table `input`.

    Raises
    ------
    InputTypeError
        If it is not a table of two tensors.
    """
    if not isinstance(input, Table) or len(input) != 2:
        raise InputTypeError(
            f"{says}{': ' if says else ''}{module.t7_typename} takes a table of two tensors; "
            f"given {type(input).__name__} {input!r:.60}"
        )
    return one_tensor(module, input[1]), one_tensor(module, input[2])


def in_place_flag(module: Module, inplace: Any) -> bool:
    """Return the in-place flag, which must be one: nn.ReLU(0.1) is a mistake.

    Raises
    ------
    ArgumentError
        If it is neither true nor false.
    """
    if not isinstance(inplace, (bool, type(None))):
        raise ArgumentError(
            f"in-place flag must be boolean: {module.t7_typename} is given {inplace!r}"
        )
    return bool(inplace)


def axis_of(module: Module, dimension: int, ndim: int) -> int:
    """Return the axis, from 0, of a dimension from 1, or from -1 backwards.

    Raises
    ------
    ShapeError
        If an input of `ndim` dimensions has none such.
    """
    axis = ndim + dimension if dimension < 0 else dimension - 1
    if not 0 <= axis < ndim:
        raise ShapeError(
            f"dimension {dimension} out of range of {ndim}D tensor: {module.t7_typename} works "
            f"along dimension {dimension}; the input has {ndim}"
        )
    return axis


def batch_axis(module: Module, dimension: int, n_input_dims: int | None, ndim: int) -> int:
    """Return the axis, from 0, of a dimension that may not count the batch.

    With `n_input_dims`, an input of one dimension more is a batch, and a positive `dimension`
    counts from the one after it. Source: torch/nn Sum.lua, Max.lua.
    """
    if dimension > 0 and n_input_dims is not None and ndim == n_input_dims + 1:
        dimension += 1
    return axis_of(module, dimension, ndim)


def _listed(ndims: tuple[int, ...]) -> str:
    return "a " + " or ".join(f"{n}-D" for n in ndims)


def rows_at(module: Module, weight: Tensor, index: Tensor) -> Tensor:
    """Return the rows of `weight` that `index` names, from 1.

    Parameters
    ----------
    weight : Tensor, shape (n, ...)
    index : Tensor of any type, shape (...)
        Fractions are cut off, as Torch7's conversion to LongTensor does.

    Raises
    ------
    BoundsError
        If an index is outside.
    """
    rows = ops.subtract(ops.astype(index, int64), 1)
    try:
        return ops.embedding(weight, rows)
    except BoundsError:
        raise BoundsError(
            f"index out of range: {module.t7_typename} takes indices from 1 to "
            f"{weight.shape[0]}; given {ops.min(index).item():g} to {ops.max(index).item():g}"
        ) from None


def fitted(module: Module, gradOutput: Any, like: Tensor, name: str = "input") -> Tensor:
    """Return `gradOutput` in the shape of `like`, the module's `name`.

    Raises
    ------
    ShapeError
        If the two differ in their number of elements.
    """
    g = one_tensor(module, gradOutput, called="gradOutput")
    if g.shape == like.shape:
        return g
    if g.size != like.size:
        raise ShapeError(
            f"{module.t7_typename}: {name} and gradOutput shapes do not match: "
            f"{name} {size_text(like)}, gradOutput {size_text(g)}"
        )
    return ops.reshape(g, like.shape)


def left_behind(module: Module, name: str, gradOutput: Any) -> tuple[Tensor, Tensor]:
    """Return the field `name` that the forward pass filled, and `gradOutput` in its shape.

    Raises
    ------
    ShapeError
        If the two differ in their number of elements, as when there was no forward pass.
    """
    value = getattr(module, name, None)
    if not isinstance(value, Tensor):
        raise ModuleError(f"{module.t7_typename} has no {name}: call updateOutput first")
    return in_any_order(value), fitted(module, gradOutput, value, name)


def remembered(owner: Any, *names: str, method: str = "updateOutput") -> list[Tensor]:
    """Return fields that `method` filled.

    Raises
    ------
    ModuleError
        If it was not called, or `clearState` after it.
    """
    found = [vars(owner).get(name) for name in names]
    for name, value in zip(names, found, strict=True):
        if not isinstance(value, Tensor) or not value.size:
            raise ModuleError(f"{owner.t7_typename} has no {name}: call {method} first")
    return [value for value in found if isinstance(value, Tensor)]


def features(module: Module, input: Any, size: int, says: str = "") -> Tensor:
    """Return `input`, which must be one sample or a batch, of `size` features.

    Raises
    ------
    InputTypeError, ShapeError
        If it is something else.
    """
    x = one_tensor(module, input, 1, 2, says=says)
    if x.shape[-1] != size:
        raise ShapeError(f"{module.t7_typename} takes {size} features; given shape {x.shape}")
    return x
