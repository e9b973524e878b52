"""Operators between tensors and numbers, which are most of all calls, without detours.

What the general call of an operation does, written out for two NumPy arrays or an array and
a number, saves about half of its cost. Everything else goes the general way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ..autograd.modes import MODE
from ..autograd.node import LEAF, Node, next_sequence, position_of
from ..autograd.views import parent_of
from ..errors import RekindleError
from ..tensor import Tensor
from .methods import install_method
from .op import NUMPY_ERRORS, SCALARS, Op, explained

_new = object.__new__


def install_operator(op: Op[..., Any], name: str) -> None:
    """Make a binary operation the operator `name` ("add" fills `__add__` and `__radd__`)."""
    forward = op.forward

    def plain(self: Tensor, other: Any) -> Any:
        x = self._array
        y = other._array if isinstance(other, Tensor) else other
        mode = MODE.get()
        if (
            mode.watched
            or type(x) is not ndarray
            or (type(y) is not ndarray and type(y) not in SCALARS)
        ):
            return op(self, other) if _is_operand(other) else NotImplemented
        try:
            out = forward(np, x, y)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(op.name, (x, y), error) from error
        if type(out) is not ndarray:
            out = np.asarray(out)
        result = _new(Tensor)
        result._array = out
        version = result._version = [0, None]
        p: Any = self._node
        q: Any = None if y is other else other._node
        if (p is None and q is None) or not mode.grad:
            result._node = None
            return result
        if p is not None and type(p) is not Node:
            p = self if p is LEAF else parent_of(self)
        if q is not None and type(q) is not Node:
            q = other if q is LEAF else parent_of(other)
        masks = op.masks
        # No look at the dtype: what has a gradient is floating, and so is what it becomes.
        if masks is None or (p is None and q is None):
            result._node = None
            return result
        node = _new(Node)
        node.op, node.parents, node.sequence = op, (p, q), next_sequence()
        node.shape = out.shape
        if (type(p) is Node and p.op.outputs != 1) or (type(q) is Node and q.op.outputs != 1):
            node.positions = (position_of(self), position_of(other))
        mask = masks[2] if p is None else masks[1] if q is None else masks[3]
        if mask == 0:
            node.saved = node.versions = ()
        elif mask == 3 and y is not other:
            cell, cell_y = self._version, other._version
            node.saved = (x, y, None)
            node.versions = (cell, cell[0], cell_y, cell_y[0])
        else:
            node.saved = (
                x if mask & 1 else None,
                y if mask & 2 else None,
                out if mask & 4 else None,
            )
            versions: tuple[Any, ...] = (version, 0) if mask & 4 else ()
            if mask & 1:
                versions = (*versions, self._version, self._version[0])
            if mask & 2 and y is not other:
                versions = (*versions, other._version, other._version[0])
            node.versions = versions
        result._node = node
        return result

    def swapped(self: Tensor, other: Any) -> Any:
        return op(other, self) if _is_operand(other) else NotImplemented

    install_method(f"__{name}__", plain)
    if name not in ("eq", "ne", "lt", "le", "gt", "ge"):
        install_method(f"__r{name}__", swapped)


def _is_operand(value: Any) -> bool:
    return isinstance(value, (Tensor, bool, int, float)) or hasattr(value, "dtype")
