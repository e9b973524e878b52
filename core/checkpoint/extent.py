"""Which part of each storage to write: all of it, unless much of it is out of reach.

A tensor that was cut out of a flattened parameter vector still has the whole vector as
its storage, and Torch7 writes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ..storage import Storage

SPARE = 64 * 1024
"""Bytes of a storage that no tensor reaches, from which on they are left out."""

Part = tuple[int, int]
"""First element and the one after the last."""


class Extents(Protocol):
    """What the writer asks before it writes a view, or a storage as an object of its own."""

    def part(self, storage: Storage, used: Part) -> Part:
        """Return which elements of `storage` the file gets, given that `used` are needed."""
        ...


class Whole:
    """Every storage is written whole, as Torch7 does."""

    def part(self, storage: Storage, used: Part) -> Part:
        """Return the whole range."""
        return 0, storage.size


class Measure:
    """Writes nothing and notes the range of each storage that is used."""

    def __init__(self) -> None:
        self.ranges: dict[int, Part] = {}
        self._alive: list[Storage] = []

    def part(self, storage: Storage, used: Part) -> Part:
        """Note that `used` is needed."""
        low, high = self.ranges.get(id(storage), used)
        self.ranges[id(storage)] = min(low, used[0]), max(high, used[1])
        self._alive.append(storage)
        return 0, storage.size


class Reached:
    """Storages are cut to what all tensors of the file together reach.

    Parameters
    ----------
    measure : callable
        Walks through all objects; called when the first storage with much to spare comes.
    """

    def __init__(self, measure: Callable[[], Measure]) -> None:
        self._measure = measure
        self._measured: Measure | None = None

    def part(self, storage: Storage, used: Part) -> Part:
        """Return the range that is reached, or the whole where little is spared."""
        if not _much_to_spare(storage, used):
            return 0, storage.size
        if self._measured is None:
            self._measured = self._measure()
        reached = self._measured.ranges.get(id(storage), (0, storage.size))
        return reached if _much_to_spare(storage, reached) else (0, storage.size)


def _much_to_spare(storage: Storage, part: Part) -> bool:
    return (storage.size - (part[1] - part[0])) * storage.dtype.itemsize > SPARE


def range_of(offset: int, shape: Sequence[int], strides: Sequence[int]) -> Part:
    """Return the elements of its storage that a view reaches."""
    if not shape or 0 in shape:
        return offset, offset
    low = high = offset
    for n, s in zip(shape, strides, strict=True):
        low, high = low + min(0, (n - 1) * s), high + max(0, (n - 1) * s)
    return low, high + 1
