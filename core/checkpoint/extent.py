"""Which part of each storage to write: all of it, unless much of it is out of reach.

A tensor that was cut out of a flattened parameter vector still has the whole vector as
its storage, and Torch7 writes all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..storage import Storage

SPARE = 64 * 1024
"""Bytes of a storage that no tensor reaches, from which on they are left out."""


class Extents:
    """The range of each storage that the tensors being written reach.

    It is used twice: while the objects are walked through, to measure; and, `measured`,
    while they are written.
    """

    def __init__(self) -> None:
        self.measured = False
        self._ranges: dict[int, tuple[int, int]] = {}
        self._storages: dict[int, Storage] = {}

    def reach(
        self, storage: Storage, offset: int, shape: Sequence[int], strides: Sequence[int]
    ) -> int:
        """Note a view of `storage`; return the element at which its written part starts."""
        if self.measured:
            return self.part(storage)[0]
        low = high = offset
        if shape and 0 not in shape:
            for n, s in zip(shape, strides, strict=True):
                low, high = low + min(0, (n - 1) * s), high + max(0, (n - 1) * s)
            self._widen(storage, low, high + 1)
        else:
            self._widen(storage, offset, offset)
        return 0

    def keep(self, storage: Storage) -> None:
        """Note that the storage itself is an object of the file, and so written whole."""
        self._widen(storage, 0, storage.size)

    def _widen(self, storage: Storage, low: int, high: int) -> None:
        known = self._ranges.get(id(storage))
        if known is not None:
            low, high = min(low, known[0]), max(high, known[1])
        self._ranges[id(storage)] = (low, high)
        self._storages[id(storage)] = storage

    def part(self, storage: Storage) -> tuple[int, int]:
        """Return the first element to write and the one after the last."""
        low, high = self._ranges.get(id(storage), (0, storage.size))
        spare = (storage.size - (high - low)) * storage.dtype.itemsize
        return (low, high) if self.measured and spare > SPARE else (0, storage.size)
