"""The gradients of the plain modules of a graph, as functions of values.

What steps.py is forward, this is backward: what is left of `updateGradInput` where the module's
output and gradOutput are what they usually are, kept in the same tensors of `gradInput`. A rule
returns NotImplemented where they are not: then the module itself is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from rekindle.core import ops
from rekindle.core.autograd.versions import count_write
from rekindle.core.checkpoint import Table
from rekindle.core.ops.adoption import adopted
from rekindle.core.ops.inplace import overwritten
from rekindle.core.tensor import Tensor

from ..identity import Identity
from ..linear import Linear, fits_rows
from ..module import replace_contents
from ..shape import Reshape
from ..softmax import LogSoftMax
from ..table import SplitTable
from ..table_arithmetic import CAddTable, CMulTable
from ..transfer import Sigmoid, Tanh

Pull = Callable[..., Any]
"""`pull(module, gradOutput, *parts)` returns the gradient of each of `parts`, or NotImplemented."""


def _alike(x: Any, y: Any) -> bool:
    """Whether two values are floating NumPy tensors of one shape and dtype."""
    if type(x) is not Tensor or type(y) is not Tensor:
        return False
    a, b = x._array, y._array
    if type(a) is not ndarray or type(b) is not ndarray or a.dtype is not b.dtype:
        return False
    return bool(a.shape == b.shape != () and a.dtype.kind == "f")


def _kept(target: Any, fresh: Tensor) -> Any:
    """Return what becomes of `target`, a tensor of gradInput: the same, with new values in it."""
    return target if adopted(target, fresh) else replace_contents(target, fresh)


def _stored(module: Any, fresh: Tensor) -> tuple[Any]:
    kept = _kept(module.gradInput, fresh)
    if kept is not module.gradInput:
        module.gradInput = kept
    return (kept,)


# A rule holds no array when it hands over its tensor: an array that is held is copied.


def _sigmoid(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or not _alike(y := module.output, g) or not _alike(x, y):
        return NotImplemented
    fresh = Tensor._wrap(1 - y._array)
    slope = fresh._array
    slope *= g._array
    slope *= y._array
    del slope
    return _stored(module, fresh)


def _tanh(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or not _alike(y := module.output, g) or not _alike(x, y):
        return NotImplemented
    fresh = Tensor._wrap(y._array * y._array)
    slope = fresh._array
    np.subtract(1, slope, out=slope)
    slope *= g._array
    del slope
    return _stored(module, fresh)


def _log_softmax(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or not _alike(y := module.output, g) or not _alike(x, y):
        return NotImplemented
    if g._array.ndim != 2:
        return NotImplemented
    fresh = Tensor._wrap(np.exp(y._array))
    part = fresh._array
    part *= g._array.sum(axis=1, keepdims=True)
    np.subtract(g._array, part, out=part)
    del part
    return _stored(module, fresh)


def _linear(module: Any, g: Any, x: Any) -> Any:
    weight = module.weight
    if module.gradInput is None or not fits_rows(weight, x, g):
        return NotImplemented
    return _stored(module, Tensor._wrap(ops.matmul.forward(np, g._array, weight._array)))


def _split(module: Any, g: Any, x: Any) -> Any:
    own = module.gradInput
    if type(g) is not Table or type(own) is not Tensor or type(x) is not Tensor:
        return NotImplemented
    if not _alike(own, x) or not own._array.flags.c_contiguous or not own._array.flags.writeable:
        return NotImplemented
    axis = module.axis(x.ndim)
    parts, into = g._map, np.moveaxis(own._array, axis, 0)
    if len(parts) != len(into):
        return NotImplemented
    found = [parts.get(i) for i in range(1, len(into) + 1)]
    for part, place in zip(found, into, strict=True):
        array = part._array if type(part) is Tensor else None
        if type(array) is not ndarray or array.dtype is not place.dtype:
            return NotImplemented
        if array.shape != place.shape or np.may_share_memory(array, own._array):
            return NotImplemented
    for part, place in zip(found, into, strict=True):
        place[...] = part._array  # type: ignore[union-attr]  # tensors all, as seen above
    count_write(own._version, "copy_")
    return (own,)


def _reshaped(module: Any, g: Any, x: Any) -> Any:
    own = module.gradInput
    if type(own) is not Tensor or type(g) is not Tensor or type(x) is not Tensor:
        return NotImplemented
    a, b = own._array, g._array
    if type(a) is not ndarray or type(b) is not ndarray or a.dtype is not b.dtype:
        return NotImplemented
    same = (
        own._version is g._version
        and a.shape == x.shape
        and a.nbytes == b.nbytes
        and a.flags.c_contiguous
        and b.flags.c_contiguous
        and a.ctypes.data == b.ctypes.data
    )
    return (own,) if same else NotImplemented


def _product(module: Any, g: Any, x: Any, y: Any) -> Any:
    entries = _entries(module)
    if entries is None or not (_alike(x, g) and _alike(y, g)):
        return NotImplemented
    entries[1] = first = _kept(entries[1], Tensor._wrap(g._array * y._array))
    entries[2] = second = _kept(entries[2], Tensor._wrap(g._array * x._array))
    return first, second


def _sum(module: Any, g: Any, x: Any, y: Any) -> Any:
    entries = _entries(module)
    if entries is None or module.inplace or not (_alike(x, g) and _alike(y, g)):
        return NotImplemented
    first, second = entries[1], entries[2]
    plain = first is not g and second is not g and overwritten(first, g) and overwritten(second, g)
    return (first, second) if plain else NotImplemented


def _entries(module: Any) -> dict[Any, Any] | None:
    """Return the entries of the module's `gradInput`, where they are two tensors."""
    table = module.gradInput
    if type(table) is not Table:
        return None
    entries: dict[Any, Any] = table._map
    if entries.keys() != {1, 2}:
        return None
    return entries if type(entries[1]) is type(entries[2]) is Tensor else None


def _itself(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or not _alike(x, g):
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
    CAddTable: _sum,
    CMulTable: _product,
    Identity: _itself,
}
"""The rules of classes; what parameters add up is asked for after."""


def has_parameters(module: Any) -> bool:
    """Whether a module with a rule has gradients of parameters to add up."""
    return type(module) is Linear
