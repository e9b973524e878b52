"""Tensors in tables of any depth: copied, added, filled, in place. `nn.rnn` of Lua programs.

Source: Element-Research/rnn recursiveUtils.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.tensor import Tensor

from ..errors import InputTypeError
from ..torch7 import random
from ..values import replace_contents


def _refuse(*values: Any) -> InputTypeError:
    given = " and ".join(type(value).__name__ for value in values)
    return InputTypeError(f"expecting nested tensors or tables. Got {given} instead")


def paired(target: Any, value: Any, one: Callable[[Any, Tensor], Any]) -> Any:
    """Return `target` with `one(target, value)` in the place of each tensor of `value`."""
    if isinstance(value, Table):
        if not isinstance(target, Table):
            target = Table() if target is None else Table([target])
        for key, part in value.items():
            target[key] = paired(target.get(key), part, one)
        return target
    if not isinstance(value, Tensor):
        raise _refuse(target, value)
    return one(target, value)


def copied(target: Any, value: Any) -> Any:
    """Return `target`, tensors and tables, with the contents of `value`; new ones where need be."""
    return paired(target, value, replace_contents)


def resized(target: Any, value: Any) -> Any:
    """Return `target` with its tensors in the shapes of those of `value`, and zeros in them."""
    return paired(target, value, lambda t, v: replace_contents(t, v * 0))


def added(target: Any, value: Any) -> Any:
    """Add `value` to `target` in place, tensor by tensor, and return `target`.

    Raises
    ------
    InputTypeError
        If there is no tensor to add one to.
    """

    def one(t: Any, v: Tensor) -> Any:
        if not isinstance(t, Tensor):
            raise _refuse(t, v)
        return t.add_(v.reshape(t.shape))

    return paired(target, value, one)


# -- under the names of Lua -----------------------------------------------------------------


def recursiveCopy(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Return `t1` with the contents of `t2`, and `t2`."""
    return copied(t1, t2), t2


def recursiveResizeAs(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Return `t1` in the shapes of `t2`, and `t2`."""
    return resized(t1, t2), t2


def recursiveAdd(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Add `t2` to `t1`; return both."""
    return added(t1, t2), t2


def recursiveSet(t1: Any, t2: Any) -> tuple[Any, Any]:
    """Return `t1` with its tensors views of those of `t2`, and `t2`."""

    def one(t: Any, v: Tensor) -> Any:
        return (t if isinstance(t, Tensor) else empty(0, v.dtype, v.device)).set_(v.detach())

    return paired(t1, t2, one), t2


def recursiveFill(t2: Any, val: float) -> Any:
    """Set all elements to a number; return the table or tensor."""
    return _each(t2, lambda t: t.fill_(val))


def recursiveNormal(t2: Any) -> Any:
    """Draw all elements normally; return the table or tensor."""
    return _each(t2, random.normal)


def recursiveSum(t2: Any) -> float:
    """Return the sum of all elements."""
    total = 0.0

    def one(t: Tensor) -> Tensor:
        nonlocal total
        total += ops.sum(t).item()
        return t

    _each(t2, one)
    return total


def recursiveNew(t2: Any) -> Any:
    """Return tables as `t2` has them, of empty tensors of the same types."""
    return paired(None, t2, lambda _, v: empty(0, v.dtype, v.device))


def recursiveTensorEq(t1: Any, t2: Any) -> bool:
    """Whether `t1` has all the tensors of `t2`, to 0.00001."""
    if isinstance(t2, Table):
        return isinstance(t1, Table) and all(
            recursiveTensorEq(t1.get(key), part) for key, part in t2.items()
        )
    if not (isinstance(t1, Tensor) and isinstance(t2, Tensor)):
        raise _refuse(t1, t2)
    return bool(ops.max(ops.abs(t1 - t2)).item() < 1e-5)


def _each(value: Any, function: Callable[[Tensor], Any]) -> Any:
    """Put `function` of each tensor in its place; return the table or tensor."""
    if isinstance(value, Table):
        for key, part in list(value.items()):
            value[key] = _each(part, function)
        return value
    if not isinstance(value, Tensor):
        raise InputTypeError(f"expecting tensor or table thereof. Got {type(value).__name__}")
    return function(value)
