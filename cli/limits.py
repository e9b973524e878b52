"""How much more than its file holds a small file may become."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from rekindle.core.dtypes import Dtype, is_floating
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.naming import StateEntry
from rekindle.legacy_nn.ties import view_of

from .group import Problem
from .texts import shape_text, size_text


def check_size(entries: Collection[StateEntry], dtype: Dtype | None, max_bytes: int) -> None:
    """Check that tensors written out take no more than their storages and `max_bytes`.

    Parameters
    ----------
    entries : collection of StateEntry
        Those that are the same view count once.
    dtype : dtype or None
        The type that floating tensors are converted to.
    max_bytes : int

    Raises
    ------
    Problem
        If views repeat or share so many elements that it would.
    """
    wanted: dict[int, int] = defaultdict(int)
    storages: dict[int, Storage] = {}
    for entry in {view_of(entry.tensor): entry for entry in entries}.values():
        storage = entry.tensor.storage()
        storages[id(storage)] = storage
        wanted[id(storage)] += entry.tensor.size * _itemsize(entry.tensor, dtype)
    itemsize = dtype.itemsize if dtype else 0
    extra = sum(
        max(0, wanted[i] - s.size * max(s.dtype.itemsize, itemsize)) for i, s in storages.items()
    )
    if extra <= max_bytes:
        return
    largest = max(entries, key=lambda e: e.tensor.size)
    raise Problem(
        f"the tensors written out take {size_text(extra)} more than the file's storages hold: "
        f"{largest.lua_path} alone is {shape_text(largest.tensor)} on a storage of "
        f"{size_text(largest.tensor.storage().nbytes)}. --max-bytes allows it"
    )


def _itemsize(tensor: Tensor, dtype: Dtype | None) -> int:
    return dtype.itemsize if dtype and is_floating(tensor.dtype) else tensor.dtype.itemsize
