"""Reading tensors and storages: a tensor is a view, checked against its storage."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Dtype
from ..storage import Storage, ViewError
from ..tensor import Tensor
from .decoder import NIL, TORCH, Decoder
from .torch_types import STORAGE_CLASSES

MOST_DIMENSIONS = 64
"""NumPy's limit. Torch7 has none, and nothing that it can do needs more than 8 or so."""

_ADDRESSABLE = 1 << 63


def read_storage(decoder: Decoder, dtype: Dtype) -> Storage:
    """Read the record of a storage: its size, then its elements."""
    decoder.settle_storage(dtype)
    offset = decoder.pos
    size = decoder.read_long()
    if size < 0:
        raise decoder.fail(f"a storage of {size} elements", offset=offset)
    if size == 0:
        return Storage(np.empty(0, dtype))
    return Storage(decoder.read_values(dtype, size))


def read_tensor(decoder: Decoder, dtype: Dtype, objects: dict[int, Any]) -> Tensor:
    """Read the record of a tensor: dimensions, sizes, strides, offset from 1, storage.

    Torch7's tensor without dimensions has no elements and becomes one of shape (0,).
    Nothing of the elements is touched.

    Source: torch7 generic/Tensor.c, torch_Tensor_(read).
    """
    start = decoder.pos
    ndim = decoder.read_int()
    if not 0 <= ndim <= MOST_DIMENSIONS:
        raise decoder.fail(f"a tensor of {ndim} dimensions", offset=start)
    decoder.settle_tensor(ndim)
    numbers = decoder.read_longs(2 * ndim + 1)
    shape, strides, offset = numbers[:ndim], numbers[ndim:-1], numbers[-1] - 1
    volume = largest = 1
    for n, s in zip(shape, strides, strict=True):
        if n < 0:
            raise decoder.fail(f"a tensor of sizes {list(shape)}", offset=start)
        volume *= n or 1  # NumPy's limit is on this product, zeros or not
        largest = max(largest, abs(s))
    if max(volume, largest) * dtype.itemsize >= _ADDRESSABLE:
        raise decoder.fail(
            f"a tensor of sizes {list(shape)} and strides {list(strides)} is beyond any memory",
            offset=start,
        )
    storage = _read_storage_of_tensor(decoder, dtype, objects)
    if not ndim:
        shape, strides, volume = (0,), (1,), 0
    if storage is None:
        if volume and 0 not in shape:
            raise decoder.fail(f"a tensor of sizes {list(shape)} without a storage", offset=start)
        storage, offset = Storage(np.empty(0, dtype)), 0
    try:
        return Tensor.view_of(storage, offset, shape, strides)
    except ViewError as error:
        raise decoder.fail(str(error), offset=start) from None


def _read_storage_of_tensor(
    decoder: Decoder, dtype: Dtype, objects: dict[int, Any]
) -> Storage | None:
    offset = decoder.pos
    tag = decoder.read_int()
    if tag == NIL:
        return None
    if tag != TORCH:
        raise decoder.fail(
            f"a record of type {tag} where a tensor's storage is expected", offset=offset
        )
    index = decoder.read_index()
    storage = objects.get(index)
    if storage is None:
        name, _ = decoder.read_class_name()
        if name not in STORAGE_CLASSES:
            raise decoder.fail(f"a {name} where a tensor's storage is expected", offset=offset)
        storage = read_storage(decoder, STORAGE_CLASSES[name])
        objects[index] = storage
    if not isinstance(storage, Storage) or storage.raw.dtype.num != dtype.num:
        kind = (
            f"storage of {storage.dtype}"
            if isinstance(storage, Storage)
            else type(storage).__name__
        )
        raise decoder.fail(f"a {kind} where a {dtype} tensor's storage is expected", offset=offset)
    return storage
