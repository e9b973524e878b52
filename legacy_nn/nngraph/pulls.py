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

from rekindle.core.checkpoint import Table
from rekindle.core.ops.adoption import adopted
from rekindle.core.ops.inplace import overwritten
from rekindle.core.tensor import Tensor

from ..identity import Identity
from ..module import replace_contents
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


def _kept(target: Any, array: ndarray) -> Any:
    """Return what becomes of `target`, a tensor of gradInput: the same, with the array in it."""
    fresh = Tensor._wrap(array)
    del array
    return target if adopted(target, fresh) else replace_contents(target, fresh)


def _sigmoid(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or not _alike(y := module.output, g) or not _alike(x, y):
        return NotImplemented
    slope = 1 - y._array
    slope *= g._array
    slope *= y._array
    return _stored(module, slope)


def _tanh(module: Any, g: Any, x: Any) -> Any:
    if module.gradInput is None or not _alike(y := module.output, g) or not _alike(x, y):
        return NotImplemented
    slope = y._array * y._array
    np.subtract(1, slope, out=slope)
    slope *= g._array
    return _stored(module, slope)


def _stored(module: Any, array: ndarray) -> tuple[Any]:
    kept = _kept(module.gradInput, array)
    if kept is not module.gradInput:
        module.gradInput = kept
    return (kept,)


def _product(module: Any, g: Any, x: Any, y: Any) -> Any:
    entries = _entries(module)
    if entries is None or not (_alike(x, g) and _alike(y, g)):
        return NotImplemented
    entries[1] = first = _kept(entries[1], g._array * y._array)
    entries[2] = second = _kept(entries[2], g._array * x._array)
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
    CAddTable: _sum,
    CMulTable: _product,
    Identity: _itself,
}
"""The rules of classes without parameters."""
