"""Storages that change their size, and the tensors on them that go along."""

from __future__ import annotations

import gc

import numpy as np

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

    Notes
    -----
    A storage does not know its tensors. Python's collector does: those that refer to the
    storage's cell. To ask it takes milliseconds, which only storages that grow cost.

    Source: torch7 lib/TH/generic/THStorage.c, resize.
    """
    old = storage.array
    viewers = [
        (t, (t.storage_offset(), t.shape, t.stride()))
        for t in gc.get_referrers(storage.cell)
        if isinstance(t, Tensor) and t.storage() is storage
    ]
    grown = np.empty(size, old.dtype)
    kept = min(size, old.size)
    grown[:kept] = old[:kept]
    storage.replace(grown)
    for tensor, (offset, shape, strides) in viewers:
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if last < size or 0 in shape:
            tensor.set_(storage, offset, shape, strides)
