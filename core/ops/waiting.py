"""Which results wait, and what is computed of those that do; see core/waiting.py.

A recorded operation on a large array returns a tensor that waits if all that it reads is one large
array in private memory, however often and through however many operations: then waiting takes no
more memory than the result would. Small operands are copied. Where there are two such arrays, one
pass computes the result at once, with all the operations that its operands wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import add, mul, neg, sub, truediv
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from ..autograd.modes import MODE
from ..autograd.node import new_node
from ..autograd.versions import Cell
from ..autograd.views import parent_of
from ..kernels.chains import LARGE, Chain
from ..kernels.dispatch import available
from ..kernels.programs import SINGLE
from ..tensor import Tensor
from ..waiting import PRIVATE, private_cell, wait
from .keeping import keep

if TYPE_CHECKING:
    from .op import Op

_STEPS: dict[str, Callable[..., Any]] = {
    "add": add,
    "subtract": sub,
    "multiply": mul,
    "divide": truediv,
    "negative": neg,
    "square": lambda x: x * x,
    "tanh": lambda x: x.function("tanh"),
    "exp": lambda x: x.function("exp"),
    "sigmoid": lambda x: x.function("sigmoid"),
}

_SMALL = 8
"""How many times smaller than the result an operand is that is copied."""

_SHORTEST = 16
"""Elements of rows from which on chains are computed quickly, whatever is broadcast."""

_INTEGERS = 1 << 24
"""Integers below it are the same in single precision."""


def can_wait(op: Op[..., Any]) -> bool:
    """Whether results of an operation may wait."""
    return op.name in _STEPS


def waiting(op: Op[..., Any], *operands: Any) -> Tensor | None:
    """Return the result of a call as a chain or computed by one; None where it is no such case.

    Parameters
    ----------
    op : Op
        One that can wait.
    *operands : Tensor or number
    """
    mode = MODE.get()
    if not mode.grad or mode.watched or not available("compute_chain"):
        return None
    shape = _shape(operands)
    if shape is None:
        return None
    parents = [
        parent_of(x) if isinstance(x, Tensor) and x._node is not None else None for x in operands
    ]
    if all(p is None for p in parents):
        return None
    cells: list[Cell] = []
    parts = [_part(x, shape, cells) for x in operands]
    if any(p is None for p in parts):
        return None
    chain: Chain = _STEPS[op.name](*parts)
    if chain.step >= 0:
        large = [a for a in chain.arrays() if _is_large(a, shape)]
        if len(large) > 1 or not wait(chain, cells):
            chain.evaluated()
    result = object.__new__(Tensor)
    if chain.step >= 0:
        result._array, result._chain = None, chain
        result._version = {"count": 0, PRIVATE: True}
    else:
        result._array = chain.value
        result._version = private_cell(chain.value)
    result._node = node = new_node(op, tuple(parents), shape, SINGLE)
    known = tuple(x._described if isinstance(x, Tensor) else x for x in operands)
    out = chain if chain.step >= 0 else chain.value
    moving = sum(1 << k for k, p in enumerate(parents) if p is not None)
    assert op.masks is not None
    keep(node, op.masks[moving], operands, known, out, result._version)
    return result


def _shape(operands: tuple[Any, ...]) -> tuple[int, ...] | None:
    """Return the shape of the result if it is one for chains and the operands have their dtype."""
    shapes = []
    for x in operands:
        if isinstance(x, Tensor):
            known = x._described
            if type(known) not in (ndarray, Chain) or known.dtype is not SINGLE:
                return None
            shapes.append(known.shape)
        elif type(x) is not float and not (type(x) is int and abs(x) < _INTEGERS):
            return None
    try:
        shape = shapes[0] if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    except ValueError:
        return None
    return shape if shape and shape[-1] >= _SHORTEST and prod(shape) >= LARGE else None


def _is_large(array: Any, shape: tuple[int, ...]) -> bool:
    return bool(array.size * _SMALL > prod(shape))


def _part(x: Any, shape: tuple[int, ...], cells: list[Cell]) -> Chain | None:
    """Return the chain for an operand, None if there is none; note the cell of what it reads."""
    if not isinstance(x, Tensor):
        return Chain.of(float(x))
    chain = x._described
    if type(chain) is Chain and chain.step >= 0:
        cells.append(x._version)
        return chain
    array = x._values()
    if not _is_large(array, shape):
        return Chain.of(np.array(array, order="C"))
    if not array.flags.c_contiguous:
        return None
    cells.append(x._version)
    return Chain.of(array)


def summed(op: Op[..., Any], finish: Callable[[Any, int], Any]) -> None:
    """Let an operation that sums take what waits without writing it down, where chains can.

    Parameters
    ----------
    op : Op
        With the metadata `axis` and `keepdims`.
    finish : callable
        `finish(total, count)` makes the result of the sums of `count` elements.
    """
    general = op.call

    def call(*args: Any, **params: Any) -> Any:
        x = args[0] if len(args) == 1 else None
        if type(x) is Tensor and x._array is None:
            result = _sum(op, x, finish, **params)
            if result is not None:
                return result
        return general(*args, **params)

    op.call = call  # type: ignore[method-assign]  # for this operation alone


def _sum(
    op: Op[..., Any],
    x: Tensor,
    finish: Callable[[Any, int], Any],
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor | None:
    mode = MODE.get()
    chain = x._described
    if type(chain) is not Chain or chain.step < 0 or mode.watched:
        return None
    axes = (*range(chain.ndim),) if axis is None else axis
    axes = (axes,) if hasattr(axes, "__index__") else axes
    if not chain.sums(axes):
        return None
    total = chain.sum(axes, keepdims, keep=chain.is_long())
    count = chain.size // total.size
    result = Tensor._wrap(np.asarray(finish(total, count)))
    parent = parent_of(x) if mode.grad else None
    if parent is not None:
        op._record((x,), (chain,), (parent,), (result,), (), {"axis": axis, "keepdims": keepdims})
    return result
