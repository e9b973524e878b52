"""What the plain modules of a graph do, as functions of values.

Most modules of a recurrent network compute a single operation, which takes about as long as the
way to it: tables of the inputs are made and taken apart, types and shapes checked, methods looked
up. A step is what is left of a module's `compute` where its inputs are what they usually are. It
returns NotImplemented where they are not: then the module itself is called.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from rekindle.core import ops
from rekindle.core.autograd.modes import MODE
from rekindle.core.autograd.views import view_of
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.table import new_table
from rekindle.core.dtypes import Dtype
from rekindle.core.tensor import Tensor

from ..identity import Identity
from ..linear import Linear
from ..shape import Reshape, View
from ..softmax import LogSoftMax, SoftMax
from ..state import METHODS
from ..table import SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh

_new = object.__new__

Step = Callable[..., Any]
"""Takes the values that a node receives, by position; returns a value or NotImplemented."""


class Plain(NamedTuple):
    """How a class of modules becomes a step."""

    inputs: int
    make: Callable[[Any, Dtype], Step]


def _of_one(op: Any) -> Callable[[Any, Dtype], Step]:
    compute = op.method

    def make(module: Any, dtype: Dtype) -> Step:
        def step(x: Any) -> Any:
            plain = type(x) is Tensor and type(a := x._array) is ndarray and a.dtype is dtype
            return compute(x) if plain else NotImplemented

        return step

    return make


def _of_two(op: Any) -> Callable[[Any, Dtype], Step]:
    compute = op.method

    def make(module: Any, dtype: Dtype) -> Step:
        def step(x: Any, y: Any) -> Any:
            if module.inplace or type(x) is not Tensor or type(y) is not Tensor:
                return NotImplemented
            a, b = x._array, y._array
            plain = type(a) is type(b) is ndarray and a.dtype is b.dtype is dtype
            return compute(x, y) if plain and a.shape == b.shape else NotImplemented

        return step

    return make


def _told() -> bool:
    """Whether somebody is to know of each operation: a graph, or what watches them."""
    mode = MODE.get()
    return mode.grad or mode.watched


def _linear(module: Any, dtype: Dtype) -> Step:
    compute = ops.linear.forward

    def step(x: Any) -> Any:
        if type(x) is not Tensor or type(a := x._array) is not ndarray or a.dtype is not dtype:
            return NotImplemented
        weight, bias = module.weight, module.bias
        w = weight.array
        if a.ndim != 2 or a.shape[1] != w.shape[1]:
            return NotImplemented
        if type(w) is not ndarray or _told():
            return ops.linear(x, weight, bias)
        return Tensor._wrap(compute(np, a, w, None if bias is None else bias.array))

    return step


def _computed(module: Any, dtype: Dtype) -> Step:
    def step(x: Any) -> Any:
        plain = type(x) is Tensor and x.dtype is dtype
        return module.compute(x) if plain else NotImplemented

    return step


def _part_of(base: Tensor, array: ndarray[Any, Any], op: Any, *args: Any) -> Tensor:
    """Return the view of a tensor that `op(base, *args)` returns where nothing is recorded."""
    part = _new(Tensor)
    part._array = array
    part._version = base._version
    part._node = view_of(base, (op, args, {}), None)
    return part


def slices(x: Tensor, axis: int) -> Table:
    """Return the views that `ops.select` makes along an axis where nothing is recorded."""
    array, before, select = x.array, (slice(None),) * axis, ops.select
    parts = (_part_of(x, array[(*before, i, ...)], select, axis, i) for i in range(x.shape[axis]))
    return new_table(dict(enumerate(parts, 1)))


class _Cut(NamedTuple):
    """Rows that Reshape or View is to make parts of, which SplitTable then takes apart."""

    x: Tensor
    module: Any
    parts: int
    length: int


def cuts(module: Any, step: Step) -> Step:
    """Return the step of a Reshape or View whose output goes to a SplitTable, and nowhere else."""

    def cut(x: Any) -> Any:
        if type(x) is not Tensor or type(a := x._array) is not ndarray or a.ndim != 2:
            return step(x)
        shape = module.shape_for(x)
        if len(shape) != 3 or shape[0] != len(a) or shape[1] * shape[2] != a.shape[1]:
            return step(x)
        contiguous = a.flags.c_contiguous and a.size
        return _Cut(x, module, shape[1], shape[2]) if contiguous else step(x)

    return cut


def takes_cuts(module: Any, step: Step) -> Step:
    """Return the step of that SplitTable: parts of the rows themselves, where it splits these."""

    def take(given: Any) -> Any:
        if type(given) is not _Cut:
            return step(given)
        x, reshape, count, length = given
        if module.axis(3) != 1:
            return step(reshape.compute(x))
        places = [(i + 1, i * length) for i in range(count)]
        narrow = ops.narrow
        if _told():
            return new_table({i: narrow(x, 1, start, length) for i, start in places})
        array = x.array
        return new_table(
            {
                i: _part_of(x, array[:, start : start + length], narrow, 1, start, length)
                for i, start in places
            }
        )

    return take


def _reshaped(module: Any, dtype: Dtype) -> Step:
    def step(x: Any) -> Any:
        if type(x) is not Tensor or x.dtype is not dtype:
            return NotImplemented
        array, shape = x.array, module.shape_for(x)
        if (
            type(array) is not ndarray
            or not array.flags.c_contiguous
            or prod(shape) != array.size
            or min(shape, default=0) < 0
            or _told()
        ):
            return module.compute(x)
        return _part_of(x, array.reshape(shape), ops.reshape, shape)

    return step


def _split(module: Any, dtype: Dtype) -> Step:
    select = ops.select

    def step(x: Any) -> Any:
        if type(x) is not Tensor:
            return NotImplemented
        axis, array = module.axis(x.ndim), x.array
        if type(array) is not ndarray or _told():
            return new_table({i + 1: select(x, axis, i) for i in range(array.shape[axis])})
        return slices(x, axis)

    return step


def _itself(module: Any, dtype: Dtype) -> Step:
    def step(x: Any) -> Any:
        return NotImplemented if x is None else x

    return step


def selection(index: Any) -> Step:
    """Return the step of a node that picks an element of a table."""

    def step(table: Any) -> Any:
        return table[index] if type(table) is Table else NotImplemented

    return step


PLAIN: dict[type, Plain] = {
    Sigmoid: Plain(1, _of_one(ops.sigmoid)),
    Tanh: Plain(1, _of_one(ops.tanh)),
    CAddTable: Plain(2, _of_two(ops.add)),
    CMulTable: Plain(2, _of_two(ops.multiply)),
    Linear: Plain(1, _linear),
    SoftMax: Plain(1, _computed),
    LogSoftMax: Plain(1, _computed),
    View: Plain(1, _reshaped),
    Reshape: Plain(1, _reshaped),
    SplitTable: Plain(1, _split),
    Identity: Plain(1, _itself),
}
"""The classes themselves: those derived from them compute what they like."""

_OF_CLASSES = attrgetter(
    *("compute", "keep", "keep_gradient", "input_gradient", "parameter_gradients", "_fresh"),
    *("updateOutput", "updateGradInput", "accGradParameters", "backward"),
)
_AS_THEY_ARE = {cls: _OF_CLASSES(cls) for cls in PLAIN}


def is_plain(module: Any) -> bool:
    """Whether a module does what its class says here, and nothing else."""
    return type(module) in PLAIN and untouched(module.__dict__)


def untouched(fields: dict[str, Any]) -> bool:
    """Whether an instance's own fields have no method among them."""
    return fields.keys().isdisjoint(METHODS)


def unchanged(classes: set[type]) -> bool:
    """Whether nobody gave these plain classes other methods, as programs in Lua may."""
    return all(_AS_THEY_ARE[cls] == _OF_CLASSES(cls) for cls in classes)
