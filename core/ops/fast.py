"""Calls of plain operations, which are most of all calls, without detours.

An operation is plain if it makes one array of one or two and has no metadata. What the general
call (op.py) does, written out for NumPy arrays and numbers, saves well over half of its cost;
everything else goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from ..autograd.modes import MODE
from ..autograd.node import LEAF, Node, saved_version
from ..autograd.versions import Cell, next_order
from ..autograd.views import parent_of
from ..errors import RekindleError
from ..tensor import Tensor
from .namespaces import bound_to
from .operand import NUMPY_ERRORS, SCALARS, explained

if TYPE_CHECKING:
    from .op import Op

_new = object.__new__
_mode = MODE.get  # bound once: looking the method up takes as long as calling it
_MISSING: Any = object()


def fast_call(op: Op[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls a plain operation.

    Parameters
    ----------
    otherwise : callable
        Called with the operands instead, where they are not tensors of NumPy arrays, or numbers.
    """
    call = _unary(op, otherwise) if op.arity == 1 else _binary(op, otherwise)
    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = op.__doc__
    return call


def _unary(op: Op[..., Any], otherwise: Callable[[Any], Any]) -> Callable[..., Any]:
    compute = bound_to(np, op.forward)

    def call(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return otherwise(x)
        array = x._array
        mode = _mode()
        if type(array) is not ndarray or mode.watched:
            return otherwise(x)
        try:
            out = compute(array)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(op.name, (array,), error) from error
        if type(out) is not ndarray:
            out = np.asarray(out)
        result = _new(Tensor)
        result._array = out
        result._version = version = [0]
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
        node.order = next_order()
        node.parents = (parent,)
        node.shape = out.shape
        node.dtype = out.dtype
        node.hooks = None
        mask = op.masks[1]
        if mask == 4:
            node.saved = (None, out)
            node.versions = (version, 0)
        elif mask == 1:
            node.saved = (array, None)
            cell = x._version
            node.versions = (cell, cell[0])
        else:
            _keep(node, mask, (x,), (array,), out, version)
        return result

    return call


def _binary(op: Op[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    compute = bound_to(np, op.forward)

    def call(x: Any, y: Any = _MISSING) -> Any:
        p: Any = None
        q: Any = None
        if isinstance(x, Tensor):
            a = x._array
            p = x._node
            if type(a) is not ndarray:
                return otherwise(x, y)
        elif type(x) in SCALARS:
            a = x
        else:
            return otherwise(x, y)
        if isinstance(y, Tensor):
            b = y._array
            q = y._node
            if type(b) is not ndarray:
                return otherwise(x, y)
        elif type(y) in SCALARS:
            b = y
        else:
            return otherwise(x) if y is _MISSING else otherwise(x, y)
        mode = _mode()
        if mode.watched:
            return otherwise(x, y)
        try:
            out = compute(a, b)
        except RekindleError:
            raise
        except NUMPY_ERRORS as error:
            raise explained(op.name, (a, b), error) from error
        if type(out) is not ndarray:
            out = np.asarray(out)
        result = _new(Tensor)
        result._array = out
        result._version = version = [0]
        masks = op.masks
        if (p is None and q is None) or masks is None or not mode.grad:
            result._node = None
            return result
        if p is not None and type(p) is not Node:
            p = x if p is LEAF else parent_of(x)
        if q is not None and type(q) is not Node:
            q = y if q is LEAF else parent_of(y)
        if p is None:
            if q is None:
                result._node = None
                return result
            mask = masks[2]
        else:
            mask = masks[1] if q is None else masks[3]
        result._node = node = Node()
        node.op = op
        node.order = next_order()
        node.parents = (p, q)
        node.shape = out.shape
        node.dtype = out.dtype
        node.hooks = None
        if mask == 3 and a is not x and b is not y:
            node.saved = (a, b, None)
            cell = x._version
            other = y._version
            node.versions = (cell, cell[0], other, other[0])
        elif mask == 0:
            node.saved = node.versions = ()
        elif mask == 2 and b is not y:
            node.saved = (None, b, None)
            cell = y._version
            node.versions = (cell, cell[0])
        else:
            _keep(node, mask, (x, y), (a, b), out, version)
        return result

    return call


def _keep(
    node: Node,
    mask: int,
    operands: tuple[Any, ...],
    arrays: tuple[Any, ...],
    out: Any,
    version: Cell,
) -> None:
    """Save in `node` what `mask` says (see Differentiable.masks): all cases, the rare ones too."""
    saved: list[Any] = []
    versions: list[Any] = []
    for k, (x, array) in enumerate(zip(operands, arrays, strict=True)):
        wanted = mask >> k & 1
        saved.append(array if wanted else None)
        if wanted and array is not x:
            versions += saved_version(x)
    if mask & 4:
        versions += (version, 0)
    saved.append(out if mask & 4 else None)
    if mask >= 8:
        saved += [np.shape(array) for array in arrays]
    node.saved, node.versions = tuple(saved), tuple(versions)
