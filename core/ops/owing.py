"""Values that a storage owes: copied into its order of memory when somebody looks.

What a LuaTorch module leaves in a field is contiguous, and what a convolution computes lies
channels-last. Mostly the only one who reads the field is the next module, which takes any
order. So the field's storage keeps the array that was computed, and fills its memory when
somebody asks for that: all ways into it go through `Storage.array` and `Storage.raw`. Until
then no array of that memory exists outside the storage, which Python's counts of references tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from ..autograd.versions import count_write
from ..backend import holds_alone, strided_view
from ..kernels.copying import copy_into
from ..storage import Storage
from ..tensor import Tensor, contiguous_strides
from ..waiting import PRIVATE
from .adoption import HELD_BY_TENSOR


def owed(target: Any, value: Any) -> bool:
    """Let `target` take the shape and values of `value`, in row-major order, if it can.

    It can where they are tensors of one dtype, `value` is in another order and its array is its
    own, no graph knows of either, and Lua does not look into the target's memory. Where nobody
    holds an array of that memory, the values come later. The caller writes into `value` no more.

    Returns
    -------
    bool
        Whether it did. If not, nothing has changed.
    """
    array = _own_array(value)
    return array is not None and _fits(target, array) and _owe(_moved(target, array), array)


def owed_in_place(target: Any, value: Any, *views: Any) -> bool:
    """Do the same for a tensor that is written into: it keeps its place, or nothing is done.

    Parameters
    ----------
    target, value : Tensor
    *views : Tensor
        Others of the caller's tensors on that memory, which may let go of their arrays.
    """
    array = _own_array(value)
    if array is None or not _fits(target, array) or target.shape != array.shape:
        return False
    return target.is_contiguous() and _owe(target, array, views)


def owed_again(target: Any, value: Any) -> bool:
    """Let `target` take what is owed to `value` as it is taken above, if something is."""
    array = owed_values(value)
    return array is not None and _fits(target, array) and _owe(_moved(target, array), array)


def owed_values(tensor: Any) -> Any:
    """Return the array that holds what is owed to a tensor, or None. It is for reading."""
    if not isinstance(tensor, Tensor) or tensor._array is not None:
        return None
    if not hasattr(tensor, "_geometry"):
        return None
    return tensor._storage.owed_to(tensor._geometry)


def _own_array(value: Any) -> Any:
    """Return the array of a tensor that is not in row-major order, if nobody else has it."""
    if type(value) is not Tensor or value._node is not None or hasattr(value, "_storage"):
        return None
    array = value._array
    if (
        type(array) is not ndarray
        or array.ndim < 3
        or array.flags.c_contiguous
        or not holds_alone(array)
    ):
        return None
    del array
    return value._array if getrefcount(value._array) == HELD_BY_TENSOR else None


def _fits(target: Any, array: ndarray[Any, Any]) -> bool:
    return _is_plain(target) and target.dtype is array.dtype


def _owe(target: Tensor, array: ndarray[Any, Any], views: Sequence[Any] = ()) -> bool:
    storage = target.storage()
    for tensor in (target, *views):
        let_go(tensor)
    geometry = target._geometry
    if _unseen(storage):
        storage.owe(array, geometry)
    else:
        copy_into(np, strided_view(storage.array, *geometry), array)
    count_write(target._version, "copy_")
    return True


def _is_plain(tensor: Any) -> bool:
    return (
        type(tensor) is Tensor
        and tensor._node is None
        and not hasattr(tensor, "_mirror")
        and (hasattr(tensor, "_geometry") or not hasattr(tensor, "_chain"))
        and PRIVATE not in tensor._version
    )


def _moved(target: Tensor, array: ndarray[Any, Any]) -> Tensor:
    """Make `target` a view of this shape: of its storage, if that is large enough; return it."""
    shape = array.shape
    storage = target.storage()
    if storage.size < array.size:
        storage = Storage(np.empty(array.size, array.dtype))
    if storage is not target._storage or target.shape != shape or not target.is_contiguous():
        target.set_(storage, 0, shape, contiguous_strides(shape))
    return target


def let_go(tensor: Any) -> None:
    """Have a tensor make its array again when it is asked for it, as views of storages do."""
    if _is_plain(tensor) and tensor._array is not None and hasattr(tensor, "_storage"):
        tensor._geometry = tensor.storage_offset(), tensor.shape, tensor.stride()
        tensor._array = None


def _counts(storage: Storage) -> tuple[int, int] | None:
    """Return how often the array of a storage, and the one that has its memory, are held."""
    raw = storage._raw
    if type(raw) is not ndarray or not (raw.flags.aligned and raw.dtype.isnative):
        return None
    owner = raw.base if type(raw.base) is ndarray else raw
    if not holds_alone(owner) or not owner.flags.writeable:
        return None
    storage._array = raw
    return getrefcount(raw), getrefcount(owner)


def _unseen(storage: Storage) -> bool:
    """Whether nobody but the storage holds an array of its memory."""
    return _counts(storage) in _ALONE


_ALONE = (_counts(Storage(np.empty(1))), _counts(Storage(np.empty((1, 1)).reshape(-1))))
