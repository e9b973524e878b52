"""The gradients of the plain modules of a graph, as functions of values.

What steps.py is forward, this is backward: what is left of `updateGradInput` where the module's
output and gradOutput are what they usually are, kept in the same tensors of `gradInput`. A rule
returns NotImplemented where they are not: then the module itself is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import may_share_memory, ndarray

from rekindle.core import ops
from rekindle.core.autograd.versions import count_write
from rekindle.core.checkpoint import Table
from rekindle.core.ops.adoption import adopted
from rekindle.core.tensor import Tensor

from ..identity import Identity
from ..linear import Linear, fits_rows
from ..module import replace_contents
from ..shape import Reshape, View
from ..softmax import LogSoftMax
from ..table import SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh
from .renewals import is_whole

Pull = Callable[..., Any]
"""`pull(module, gradOutput, *parts)` returns the gradient of each of `parts`, or NotImplemented."""


def _arrays(*values: Any) -> Any:
    """Return the arrays of values that are floating NumPy tensors of one shape and dtype; or None.

    The first is written into, and in one stretch of memory.
    """
    arrays = []
    for value in values:
        if type(value) is not Tensor or type(value._array) is not ndarray:
            return None
        arrays.append(value._array)
    first = arrays[0] = values[0].array
    dtype, shape = first.dtype, first.shape
    if dtype.kind != "f" or not shape or not first.flags.carray:
        return None
    for array in arrays:
        if array.dtype is not dtype or array.shape != shape:
            return None
    return arrays


def _written(own: Tensor) -> tuple[Tensor]:
    count_write(own._version, "copy_")
    return (own,)


# What is still to be read may lie in the memory that is written: so that is done once, at last.


def _sigmoid(module: Any, g: Any, x: Any) -> Any:
    own, y = module.gradInput, module.output
    if (arrays := _arrays(own, g, y, x)) is None:
        return NotImplemented
    into, slope, out, _ = arrays
    found = 1 - out
    found *= slope
    np.multiply(found, out, into)
    return _written(own)


def _tanh(module: Any, g: Any, x: Any) -> Any:
    own, y = module.gradInput, module.output
    if (arrays := _arrays(own, g, y, x)) is None:
        return NotImplemented
    into, slope, out, _ = arrays
    found = out * out
    np.subtract(1, found, found)
    np.multiply(found, slope, into)
    return _written(own)


def _log_softmax(module: Any, g: Any, x: Any) -> Any:
    own, y = module.gradInput, module.output
    if (arrays := _arrays(own, g, y, x)) is None or g.ndim != 2:
        return NotImplemented
    into, slope, out, _ = arrays
    found = np.exp(out)
    found *= slope.sum(axis=1, keepdims=True)
    np.subtract(slope, found, into)
    return _written(own)


def _linear(module: Any, g: Any, x: Any) -> Any:
    weight = module.weight
    if module.gradInput is None or not fits_rows(weight, x, g):
        return NotImplemented
    own, fresh = module.gradInput, Tensor._wrap(ops.matmul.forward(np, g._array, weight.array))
    if adopted(own, fresh):
        return (own,)
    kept = module.gradInput = replace_contents(own, fresh)
    return (kept,)


def _split(module: Any, g: Any, x: Any) -> Any:
    own = module.gradInput
    if type(g) is not Table or (arrays := _arrays(own, x)) is None:
        return NotImplemented
    into, axis = arrays[0], module.axis(x.ndim)
    count, before = into.shape[axis], (slice(None),) * axis
    places = [into[(*before, i, ...)] for i in range(count)]
    parts: list[Any] = [g._map.get(i) for i in range(1, count + 1)]
    if len(g._map) != count or any(map(_misfits, parts, places)):
        return NotImplemented
    if any(may_share_memory(into, part._array) for part in parts):
        return NotImplemented
    for part, place in zip(parts, places, strict=True):
        place[...] = part._array
    return _written(own)


def _misfits(part: Any, place: Any) -> bool:
    """Whether a gradient is not a tensor for a place."""
    array = part._array if type(part) is Tensor else None
    return (
        type(array) is not ndarray or array.dtype is not place.dtype or array.shape != place.shape
    )


def _reshaped(module: Any, g: Any, x: Any) -> Any:
    own = module.gradInput
    if not (type(own) is type(g) is type(x) is Tensor):
        return NotImplemented
    a, b = own._array, g._array
    same = own._version is g._version and is_whole(a, b) and a.dtype is b.dtype
    return (own,) if same and a.shape == x.shape else NotImplemented


def _product(module: Any, g: Any, x: Any, y: Any) -> Any:
    first, second = entries_of(module)
    if (arrays := _arrays(first, g, x, y, second)) is None:
        return NotImplemented
    into, slope, a, b, other = arrays
    if not other.flags.carray or may_share_memory(into, slope) or may_share_memory(into, a):
        return NotImplemented
    other = second.array
    np.multiply(slope, b, into)
    np.multiply(slope, a, other)
    count_write(first._version, "copy_")
    count_write(second._version, "copy_")
    return first, second


def _sum(module: Any, g: Any, x: Any, y: Any) -> Any:
    first, second = entries_of(module)
    if module.inplace or (arrays := _arrays(first, g, x, y, second)) is None:
        return NotImplemented
    into, slope, _, _, other = arrays
    if not other.flags.carray or may_share_memory(into, slope):
        return NotImplemented
    other = second.array
    into[...] = slope
    other[...] = slope
    count_write(first._version, "copy_")
    count_write(second._version, "copy_")
    return first, second


def entries_of(module: Any) -> tuple[Any, Any]:
    """Return the two entries of the module's `gradInput`, None for what is not there."""
    table = module.gradInput
    entries = table._map if type(table) is Table else {}
    return (entries.get(1), entries.get(2)) if len(entries) == 2 else (None, None)


def _itself(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or _arrays(g, x) is None:
        return NotImplemented
    module.__dict__["gradInput"] = g
    return (g,)


PULLS: dict[type, Pull] = {
    Sigmoid: _sigmoid,
    Tanh: _tanh,
    LogSoftMax: _log_softmax,
    Linear: _linear,
    SplitTable: _split,
    Reshape: _reshaped,
    View: _reshaped,
    CAddTable: _sum,
    CMulTable: _product,
    Identity: _itself,
}
"""The rules of classes; what parameters add up is asked for after."""


def has_parameters(module: Any) -> bool:
    """Whether a module with a rule has gradients of parameters to add up."""
    return type(module) is Linear
