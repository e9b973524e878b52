"""Batches on their way from a worker: large tensors go as the name of shared memory.

A worker keeps its blocks of memory, and fills one again when no tensor of the main process is
on it any more: a new block for each batch would have to be cleared by the system, page after page.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from math import prod
from typing import Any

from ..backend import CPU
from ..sharing import Block, block_of, new_block, open_block
from ..tensor import Tensor

SMALL = 1 << 15
"""Bytes up to which a tensor is sent as it is: that is quicker than shared memory."""

KEPT = 16
"""Blocks that a worker keeps although it has no use for them now."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A tensor in a block of a worker's pool."""

    number: int
    name: str
    shape: tuple[int, ...]
    dtype: str


class Pool:
    """The blocks of a worker, by number: those that are lent, and those that are free."""

    def __init__(self) -> None:
        self._numbers = count()
        self._lent: dict[int, Block] = {}
        self._free: dict[int, Block] = {}
        self._dropped: list[int] = []

    def packed(self, batch: Any) -> Any:
        """Return a batch with its large tensors as parcels."""
        return _mapped(batch, Tensor, self._pack)

    def take_back(self, numbers: Iterable[int]) -> None:
        """Take blocks that the main process has no tensor on any more."""
        for number in numbers:
            self._free[number] = self._lent.pop(number)
        while len(self._free) > KEPT:
            oldest = next(iter(self._free))
            del self._free[oldest]
            self._dropped.append(oldest)

    def dropped(self) -> tuple[int, ...]:
        """Return the blocks that will not be used again, each once."""
        found, self._dropped = tuple(self._dropped), []
        return found

    def _pack(self, tensor: Tensor) -> Any:
        plain = tensor.detach()
        on_block = block_of(plain.storage().raw) is not None
        if plain.device != CPU or plain.nbytes <= SMALL or on_block:
            return plain
        number = self._block(plain.nbytes)
        block = self._lent[number]
        array = block.array(plain.size, plain.dtype).reshape(plain.shape)
        array[...] = plain.array
        return Parcel(number, block.memory.name, plain.shape, plain.dtype.str)

    def _block(self, nbytes: int) -> int:
        """Lend a block, a free one where one is large enough and not much too large."""
        fits = [n for n, b in self._free.items() if nbytes <= b.memory.size <= 2 * nbytes]
        number = min(fits, key=lambda n: self._free[n].memory.size, default=None)
        if number is None:
            number = next(self._numbers)
            self._lent[number] = new_block(nbytes)
        else:
            self._lent[number] = self._free.pop(number)
        return number


class Loan(Block):
    """A block while tensors of this process are on it."""

    def __init__(self, block: Block) -> None:
        self.memory = block.memory
        self.__array_interface__ = block.__array_interface__


class Loans:
    """The blocks of one worker in the main process, which says when it is done with them."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._returned: deque[int] = deque()  # filled by whatever thread lets a tensor go

    def opened(self, batch: Any) -> Any:
        """Return a batch with its parcels as tensors; the block goes back when they do."""
        return _mapped(batch, Parcel, self._open)

    def returned(self) -> tuple[int, ...]:
        """Return the blocks that no tensor is on any more, each once."""
        return tuple(self._returned.popleft() for _ in range(len(self._returned)))

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of blocks that the worker has dropped."""
        for number in numbers:
            del self._blocks[number]

    def _open(self, parcel: Parcel) -> Tensor:
        if parcel.number not in self._blocks:
            block = self._blocks[parcel.number] = open_block(parcel.name)
            block.memory.unlink()  # nobody else will open it; it stays as long as it is mapped
        loan = Loan(self._blocks[parcel.number])
        weakref.finalize(loan, self._returned.append, parcel.number).atexit = False
        return Tensor(loan.array(prod(parcel.shape), parcel.dtype).reshape(parcel.shape))


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
