"""Batches on their way from a worker: large tensors go as the name of shared memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..backend import CPU
from ..sharing import block_of, new_block, open_block
from ..tensor import Tensor

SMALL = 1 << 15
"""Bytes up to which a tensor is sent as it is: that is quicker than shared memory."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A tensor in a block that belongs to whoever opens the parcel."""

    block: str
    shape: tuple[int, ...]
    dtype: str


def packed(batch: Any) -> Any:
    """Return a batch with its large tensors as parcels."""
    return _mapped(batch, Tensor, _pack)


def opened(batch: Any) -> Any:
    """Return a batch with its parcels as tensors; the memory goes when they do."""
    return _mapped(batch, Parcel, _open)


def _pack(tensor: Tensor) -> Any:
    plain = tensor.detach()
    if plain.device != CPU or plain.nbytes <= SMALL or block_of(plain.storage().raw) is not None:
        return plain
    block = new_block(plain.nbytes)
    array = block.array(plain.size, plain.dtype).reshape(plain.shape)
    array[...] = plain.array
    return Parcel(block.memory.name, plain.shape, plain.dtype.str)


def _open(parcel: Parcel) -> Tensor:
    block = open_block(parcel.block)
    block.memory.unlink()  # nobody else will open it; it stays as long as it is mapped
    count = 1
    for n in parcel.shape:
        count *= n
    return Tensor(block.array(count, parcel.dtype).reshape(parcel.shape))


def _mapped(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, Mapping):
        return {k: _mapped(v, kind, change) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(v, kind, change) for v in value))
    if type(value) in (tuple, list):
        return type(value)(_mapped(v, kind, change) for v in value)
    return value
