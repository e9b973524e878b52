"""Calls of plain operations, which are most of all calls, without detours.

An operation is plain if it makes one array of one or two and has no metadata. What the general
call (op.py) does, written out for NumPy arrays and numbers, saves well over half of its cost;
everything else goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from ..autograd.modes import MODE
from ..autograd.node import LEAF, Node
from ..autograd.versions import ORDERS, Cell
from ..autograd.views import parent_of
from ..errors import RekindleError
from ..kernels.chains import LARGE, Chain
from ..kernels.elementwise import for_large
from ..tensor import Tensor
from .keeping import keep
from .namespaces import bound_to
from .operand import NUMPY_ERRORS, SCALARS, explained
from .waiting import can_wait, waiting

if TYPE_CHECKING:
    from .op import Op

_new_tensor = partial(object.__new__, Tensor)  # has its arguments at hand: 2% of a whole call
_mode = MODE.get  # bound once: looking the method up takes as long as calling it
_MISSING: Any = object()
_LARGE = 4 * LARGE
"""Bytes of large arrays in single precision: NumPy tells them sooner than the elements."""


def fast_call(op: Op[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls a plain operation.

    Parameters
    ----------
    otherwise : callable
        Called with the operands instead, where they are not tensors of NumPy arrays, or numbers.
    """
    if can_wait(op):
        otherwise = _or_waiting(op, otherwise)
    call = _unary(op, otherwise) if op.arity == 1 else _binary(op, otherwise)
    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = op.__doc__
    return call


def _or_waiting(op: Op[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is called instead of the quick way for an operation whose results may wait."""

    def call(*operands: Any) -> Any:
        if any(isinstance(x, Tensor) and type(x._described) is Chain for x in operands):
            result = waiting(op, *operands)
            if result is not None:
                return result
        return otherwise(*operands)

    return call


def _large(op: Op[..., Any], compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return what computes an operation whose first array is large: it takes tensors, arrays."""
    compute = for_large(op.name, compute)
    may_wait = can_wait(op)

    def call(tensors: tuple[Any, ...], *arrays: Any) -> Any:
        result = waiting(op, *tensors) if may_wait else None
        return compute(*arrays) if result is None else result

    return call


def _unary(op: Op[..., Any], otherwise: Callable[[Any], Any]) -> Callable[..., Any]:
    compute = bound_to(np, op.forward)
    compute_large = _large(op, compute)

    def call(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return otherwise(x)
        array = x._array
        mode = _mode()
        if type(array) is not ndarray or mode.watched:
            return otherwise(x)
        try:
            out = compute(array) if array.nbytes < _LARGE else compute_large((x,), array)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(op.name, (array,), error) from error
        if type(out) is not ndarray:
            if type(out) is Tensor:
                return out
            out = np.asarray(out)
        result = _new_tensor()
        result._array = out
        version: Cell = {}
        result._version = version
        parent: Any = x._node
        if parent is None or op.masks is None or not mode.grad:
            result._node = None
            return result
        if type(parent) is not Node:
            parent = x if parent is LEAF else parent_of(x)
            if parent is None:
                result._node = None
                return result
        result._node = node = Node()
        node.op = op
        node.order = next(ORDERS)
        node.many = (parent,)
        node.shape = out.shape
        node.dtype = out.dtype
        node.hooks = None
        mask = op.masks[1]
        if mask == 4:
            node.saved = (None, out, version, 0)
            node.versions = 2
        elif mask == 1:
            cell = x._version
            node.saved = (array, None, cell, cell["count"] if cell else 0)
            node.versions = 2
        else:
            keep(node, mask, (x,), (array,), out, version)
        return result

    return call


def _binary(op: Op[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    compute = bound_to(np, op.forward)
    compute_large = _large(op, compute)
    with_number = _with_number(op, otherwise)

    def call(x: Any, y: Any = _MISSING) -> Any:
        # The usual cases come first: in a chain of small operations every look-up counts.
        if (type(x) is not Tensor and not isinstance(x, Tensor)) or (
            type(y) is not Tensor and not isinstance(y, Tensor)
        ):
            return with_number(x, y)
        a = x._array
        b = y._array
        if type(a) is not ndarray or type(b) is not ndarray:
            return otherwise(x, y)
        mode = _mode()
        if mode.watched:
            return otherwise(x, y)
        try:
            out = compute(a, b) if a.nbytes < _LARGE else compute_large((x, y), a, b)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(op.name, (a, b), error) from error
        if type(out) is not ndarray:
            if type(out) is Tensor:
                return out
            out = np.asarray(out)
        result = _new_tensor()
        result._array = out
        version: Cell = {}
        result._version = version
        masks = op.masks
        p: Any = x._node
        q: Any = y._node
        if p is q is None or masks is None or not mode.grad:
            result._node = None
            return result
        if type(p) is not Node and p is not None:
            p = x if p is LEAF else parent_of(x)
        if q is LEAF:
            q = y
        elif type(q) is not Node and q is not None:
            q = parent_of(y)
        if p is None or q is None:
            if p is q:
                result._node = None
                return result
            mask = masks[2 if p is None else 1]
        else:
            mask = masks[3]
        result._node = node = Node()
        node.op = op
        node.order = next(ORDERS)
        node.x = p
        node.y = q
        node.many = None
        node.shape = out.shape
        node.dtype = out.dtype
        node.hooks = None
        if mask == 3:
            u = x._version
            v = y._version
            node.saved = (a, b, None, u, u["count"] if u else 0, v, v["count"] if v else 0)
            node.versions = 3
        elif mask == 0:
            node.saved = ()
            node.versions = 0
        elif mask == 2:
            v = y._version
            node.saved = (None, b, None, v, v["count"] if v else 0)
            node.versions = 3
        elif mask == 1:
            u = x._version
            node.saved = (a, None, None, u, u["count"] if u else 0)
            node.versions = 3
        else:
            keep(node, mask, (x, y), (a, b), out, version)
        return result

    return call


def _with_number(op: Op[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call of an operation of two operands on one tensor and one number."""
    compute = bound_to(np, op.forward)
    compute_large = _large(op, compute)

    def call(x: Any, y: Any) -> Any:
        if type(y) in SCALARS and isinstance(x, Tensor):
            tensor, a, b = x, x._array, y
            array = a
        elif type(x) in SCALARS and isinstance(y, Tensor):
            tensor, a, b = y, x, y._array
            array = b
        else:
            return otherwise(x) if y is _MISSING else otherwise(x, y)
        mode = _mode()
        if type(array) is not ndarray or mode.watched:
            return otherwise(x, y)
        try:
            out = compute(a, b) if array.nbytes < _LARGE else compute_large((x, y), a, b)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(op.name, (a, b), error) from error
        if type(out) is not ndarray:
            if type(out) is Tensor:
                return out
            out = np.asarray(out)
        result = _new_tensor()
        result._array = out
        version: Cell = {}
        result._version = version
        parent: Any = tensor._node
        if parent is None or op.masks is None or not mode.grad:
            result._node = None
            return result
        if type(parent) is not Node:
            parent = tensor if parent is LEAF else parent_of(tensor)
            if parent is None:
                result._node = None
                return result
        result._node = node = Node()
        node.op = op
        node.order = next(ORDERS)
        if tensor is x:
            node.x = parent
            node.y = None
            mask = op.masks[1]
        else:
            node.x = None
            node.y = parent
            mask = op.masks[2]
        node.many = None
        node.shape = out.shape
        node.dtype = out.dtype
        node.hooks = None
        if mask == 0:
            node.saved = ()
            node.versions = 0
        elif mask == 1 and b is array:
            node.saved = (a, None, None)
            node.versions = 0
        elif mask == 2 and a is array:
            node.saved = (None, b, None)
            node.versions = 0
        else:
            keep(node, mask, (x, y), (a, b), out, version)
        return result

    return call
