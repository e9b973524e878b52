"""Storages that change their size or place, and the tensors on them that go along."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from .errors import UseError
from .storage import Storage
from .tensor import Tensor


def resize_storage(storage: Storage, size: int) -> None:
    """Give a storage another size; its first elements stay, new ones are uninitialised.

    The tensors that view it view it still; one that reaches beyond a smaller storage keeps
    the old memory.

    Parameters
    ----------
    storage : Storage
        In the CPU's memory.
    size : int
        Number of elements.

    Source: torch7 lib/TH/generic/THStorage.c, resize.
    """
    old = storage.array
    grown = np.empty(size, old.dtype)
    kept = min(size, old.size)
    grown[:kept] = old[:kept]
    replace_memory(storage, grown)


def replace_memory(storage: Storage, array: Any) -> None:
    """Give a storage other memory; tensors that view it view it still, where they fit.

    Parameters
    ----------
    storage : Storage
    array : array, shape (n,)
        Of the storage's dtype.

    Raises
    ------
    UseError
        If an operation that was recorded made one of them; then nothing was changed.

    Notes
    -----
    A storage does not know its tensors. Python's collector does: those that refer to the
    storage's cell. To ask it takes milliseconds.
    """
    viewers = [
        (t, (t.storage_offset(), t.shape, t.stride()))
        for t in gc.get_referrers(storage.cell)
        if isinstance(t, Tensor) and t.storage() is storage
    ]
    if not all(tensor.is_leaf for tensor, _ in viewers):
        raise UseError(
            "this memory cannot be replaced: an operation made a tensor on it that gradients "
            "go through; detach() it, or do this before the operation"
        )
    storage.replace(array)
    for tensor, (offset, shape, strides) in viewers:
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if last < array.size or 0 in shape:
            tensor.set_(storage, offset, shape, strides)
