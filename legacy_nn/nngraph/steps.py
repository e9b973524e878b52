"""What the plain modules of a graph do, as functions of values.

Most modules of a recurrent network compute a single operation, which takes about as long as the
way to it: tables of the inputs are made and taken apart, types and shapes checked, methods looked
up. A step is what is left of a module's `compute` where its inputs are what they usually are. It
returns NotImplemented where they are not: then the module itself is called.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from sys import getrefcount
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from rekindle.core import ops
from rekindle.core.autograd.modes import MODE
from rekindle.core.autograd.views import view_of
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.table import new_table
from rekindle.core.dtypes import Dtype
from rekindle.core.ops.adoption import HELD_HERE, adopted
from rekindle.core.tensor import Tensor

from ..identity import Identity
from ..linear import Linear
from ..module import replace_contents
from ..shape import Reshape, View
from ..softmax import LogSoftMax, SoftMax
from ..state import METHODS
from ..table import SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh

Step = Callable[..., Any]
"""Takes the values that a node receives, by position; returns a value or NotImplemented."""

Keep = Callable[[Any, Any, Any], Any]
"""`keep(module, input, result)` returns the module's `output`, with the result in it."""


class Plain(NamedTuple):
    """How a class of modules becomes a step."""

    inputs: int
    make: Callable[[Any, Dtype], Step]
    keep: Keep


# -- steps ----------------------------------------------------------------------------------


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


def part_of(base: Tensor, array: ndarray[Any, Any], op: Any, *args: Any) -> Tensor:
    """Return the view of a tensor that `op(base, *args)` returns where nothing is recorded."""
    part = Tensor._wrap(array)
    part._version = base._version
    part._node = view_of(base, (op, args, {}), None)
    return part


def _split(module: Any, dtype: Dtype) -> Step:
    select = ops.select

    def step(x: Any) -> Any:
        if type(x) is not Tensor:
            return NotImplemented
        axis, array = module.axis(x.ndim), x.array
        parts = range(array.shape[axis])
        if type(array) is not ndarray or _told():
            return new_table({i + 1: select(x, axis, i) for i in parts})
        before = (slice(None),) * axis
        return new_table({i + 1: part_of(x, array[(*before, i)], select, axis, i) for i in parts})

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


# -- outputs --------------------------------------------------------------------------------


def _renewed(module: Any, input: Any, result: Any) -> Any:
    """Return the module's `output` with a fresh result in it, which the caller lets go."""
    own = module.__dict__
    output = own.get("output")
    if getrefcount(result) == HELD_HERE + 1 and adopted(output, result):
        return output
    kept = replace_contents(output, result)
    if kept is not output:
        own["output"] = kept
    return kept


def _passed(module: Any, input: Any, result: Any) -> Any:
    """Make the result itself the module's `output`."""
    module.__dict__["output"] = result
    return result


def _viewed(module: Any, input: Any, result: Any) -> Any:
    """Let the module's `output` view what the result does."""
    kept = module.__dict__["output"] = module.keep(input, result)
    return kept


PLAIN: dict[type, Plain] = {
    Sigmoid: Plain(1, _of_one(ops.sigmoid), _renewed),
    Tanh: Plain(1, _of_one(ops.tanh), _renewed),
    CAddTable: Plain(2, _of_two(ops.add), _renewed),
    CMulTable: Plain(2, _of_two(ops.multiply), _renewed),
    Linear: Plain(1, _linear, _renewed),
    SoftMax: Plain(1, _computed, _renewed),
    LogSoftMax: Plain(1, _computed, _renewed),
    View: Plain(1, _computed, _viewed),
    Reshape: Plain(1, _computed, _viewed),
    SplitTable: Plain(1, _split, _passed),
    Identity: Plain(1, _itself, _passed),
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
