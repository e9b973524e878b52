"""Taking over a fresh array instead of copying it, where nobody can tell the two apart.

A tensor that keeps its identity from call to call, as a LuaTorch module's output does, is to
hold new values each time. Who views its memory has to see them, so they are copied in; but
where nothing views it, it may as well get the array that holds them. Python counts who holds an
object, and an array's views hold it, so that can be told exactly.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from ..autograd.modes import MODE
from ..autograd.node import Node
from ..autograd.versions import count_write
from ..autograd.views import set_history
from ..backend import holds_alone
from ..tensor import Tensor


def _held(value: object) -> int:
    return getrefcount(value)


HELD_HERE = _held(object())
"""`getrefcount(x)` in a function whose parameter `x` is all that holds an object."""

_SAMPLE = Tensor._wrap(np.empty(1))
HELD_BY_TENSOR = getrefcount(_SAMPLE._array)
"""`getrefcount(t._array)` where the tensor `t` is all that holds its array."""


def adopted(target: Any, value: Any) -> bool:
    """Make the array of `value` that of `target` if that is as good as a copy; return whether.

    It is where they are tensors of one shape and dtype, `value` in row-major order or in that of
    `target`, each array belongs to its tensor alone, and no graph knows of either. The caller has
    made sure that nobody but itself holds `value`, which it must not use any more: see `HELD_HERE`.
    """
    if type(target) is not Tensor or type(value) is not Tensor:
        return False
    into, source = target._array, value._array
    if (
        type(into) is not ndarray
        or type(source) is not ndarray
        or into.shape != source.shape
        or into.dtype is not source.dtype
        or not holds_alone(into)
        or not holds_alone(source)
        or not (source.flags.c_contiguous or source.strides == into.strides)
        or target._node is not None
        or value._node is not None
        or hasattr(target, "_storage")
        or hasattr(target, "_mirror")
        or hasattr(value, "_storage")
    ):
        return False
    del into
    if getrefcount(target._array) != HELD_BY_TENSOR:
        return False
    del source
    if getrefcount(value._array) != HELD_BY_TENSOR:
        return False
    target._array = value._array
    count_write(target._version, "copy_")
    return True


def became(target: Any, value: Any) -> bool:
    """Make `target` what `value` is, its history too, if that is as good as a recorded write.

    It is where both were recorded, are no views, and agree in shape, dtype and order of memory,
    and where nobody but their tensors holds their arrays, and what made `value` that one. The
    caller has made sure that nobody but itself holds `value`, as above.
    """
    node = getattr(value, "_node", None)
    if (
        type(target) is not Tensor
        or type(target._node) is not Node
        or type(node) is not Node
        or type(node.saved) is not tuple
        or not MODE.get().grad
    ):
        return False
    into, source = target._array, value._array
    if (
        type(into) is not ndarray
        or type(source) is not ndarray
        or into.shape != source.shape
        or into.strides != source.strides
        or into.dtype is not source.dtype
        or not holds_alone(into)
        or not holds_alone(source)
        or hasattr(target, "_storage")
        or hasattr(target, "_mirror")
        or hasattr(value, "_storage")
    ):
        return False
    del into
    if getrefcount(target._array) != HELD_BY_TENSOR:
        return False
    saved = sum(kept is source for kept in node.saved)
    del source
    if getrefcount(value._array) != HELD_BY_TENSOR + saved:
        return False
    target._array, target._version = value._array, value._version
    set_history(target, node)
    return True


def move_to(target: Tensor, fresh: Tensor) -> Tensor:
    """Do what `target.set_(fresh)` does, with the memory of a new tensor that nobody else has.

    No storage is made before somebody asks for it, so that the memory stays the tensor's own.
    """
    if target._node is not None or hasattr(target, "_mirror"):
        return target.set_(fresh)
    count_write(target._version, "set_")
    target._array, target._version = fresh._array, fresh._version
    if hasattr(target, "_storage"):
        del target._storage
    return target
