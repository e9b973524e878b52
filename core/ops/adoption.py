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
    if not _alike(target, value) or target._node is not None or value._node is not None:
        return False
    fresh, old = value._array, target._array
    if not (fresh.flags.c_contiguous or fresh.strides == old.strides):
        return False
    del fresh, old
    if not _alone(target) or not _alone(value):
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
    if not _alike(target, value) or target._array.strides != value._array.strides:
        return False
    node = value._node
    if type(target._node) is not Node or type(node) is not Node or not MODE.get().grad:
        return False
    if type(node.saved) is not tuple or not _alone(target):
        return False
    if not _alone(value, sum(kept is value._array for kept in node.saved)):
        return False
    target._array, target._version = value._array, value._version
    set_history(target, node)
    return True


def _alike(target: Any, value: Any) -> bool:
    """Whether two tensors have arrays of their own, of one shape and dtype, and no storages."""
    if type(target) is not Tensor or type(value) is not Tensor:
        return False
    into, source = target._array, value._array
    return (
        type(into) is ndarray
        and type(source) is ndarray
        and into.shape == source.shape
        and into.dtype is source.dtype
        and holds_alone(into)
        and holds_alone(source)
        and not hasattr(target, "_storage")
        and not hasattr(target, "_mirror")
        and not hasattr(value, "_storage")
    )


def _alone(tensor: Tensor, others: int = 0) -> bool:
    """Whether nobody holds a tensor's array but the tensor, and so many others that are known."""
    return getrefcount(tensor._array) == HELD_BY_TENSOR + others


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
