"""torch.MemoryFile: a file in a CharStorage.

Source: torch7 MemoryFile.c, lib/TH/THMemoryFile.c, doc/memoryfile.md.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from rekindle.core import dtypes
from rekindle.core.autograd.versions import count_write
from rekindle.core.checkpoint.source import Buffer
from rekindle.core.resizing import resize_storage
from rekindle.core.storage import Storage

from ..errors import BadArgument
from .classes import FileClasses
from .disk_file import check_long_size
from .file import File
from .state import check_mode

_SOURCE = "torch7/lib/TH/THMemoryFile.c"


def _lines() -> dict[str, tuple[int, int, int]]:
    elements = {"Byte": 297, "Char": 312, "Short": 325, "Int": 330, "Float": 335, "Double": 347}
    lines = {way + name: (n, n, n) for name, n in elements.items() for way in ("read", "write")}
    lines |= {"readLong": (359, 360, 428), "writeLong": (438, 439, 439)}
    lines |= {"readString": (535, 536, 543), "readString*a": (535, 536, 543)}
    lines |= {"writeString": (599, 600, 600), "seek": (246, 247, 255)}
    single = {"synchronize": 239, "seekEnd": 262, "position": 270, "close": 277, "storage": 229}
    return lines | {name: (n, n, n) for name, n in single.items()} | {"longSize": (222, 222, 222)}


class MemoryFile(File):
    """A file in memory; text unless `binary()` is called.

    Parameters
    ----------
    storage : Storage of int8, optional
        What the file holds and is written to: chars with a 0 at the end, which is no part of
        the file. It grows with the file.
    mode : {"r", "w", "rw"}
        May come first, where there is no storage. What the storage holds stays in all modes.
    classes : FileClasses, optional

    Raises
    ------
    BadArgument
        For another mode, or a storage without the 0.
    """

    t7_typename: ClassVar[str] = "torch.MemoryFile"
    source = _SOURCE
    lines = _lines()

    def __init__(
        self,
        storage: Storage | str | None = None,
        mode: str | None = None,
        *,
        classes: FileClasses | None = None,
    ) -> None:
        if isinstance(storage, str):
            storage, mode = None, storage
        mode = "rw" if mode is None else mode
        if storage is not None and (not storage.size or storage[storage.size - 1] != 0):
            reason = f"provided CharStorage must be terminated by 0 at {_SOURCE}:653"
            raise BadArgument(1, reason)
        reason = "file mode should be 'r','w' or 'rw'"
        check_mode(mode, ("r", "w", "rw"), reason, f"{_SOURCE}:654")
        super().__init__("r" in mode, "w" in mode, False, classes)
        self._given_away = storage is not None
        self._storage: Storage | None = (
            Storage(np.zeros(1, dtypes.int8)) if storage is None else storage
        )
        self._size = self._chars.size - 1
        self._at = 0

    @property
    def _chars(self) -> Storage:
        assert self._storage is not None
        return self._storage

    def isOpened(self) -> bool:
        """Whether the file was not closed yet."""
        return self._storage is not None

    # -- the bytes ----------------------------------------------------------------------

    def _read(self, count: int = -1) -> bytes:
        raw = self._peek(count)
        self._at += len(raw)
        return raw

    def _peek(self, count: int) -> bytes:
        stop = self._size if count < 0 else min(self._size, self._at + count)
        raw: bytes = self._chars.array[self._at : stop].tobytes()
        return raw

    def _read_items(self, size: int, count: int) -> bytes:
        whole = min(count, (self._size - self._at) // size)
        return self._read(size * whole)

    def _write(self, raw: bytes) -> None:
        stop = self._at + len(raw)
        if stop + 1 > self._chars.size:
            self._resize(max(stop + 1, self._chars.size * 3 // 2))
        chars: Any = self._chars.array
        chars[self._at : stop] = np.frombuffer(raw, dtypes.int8)
        self._at = stop
        if stop > self._size:
            self._size = stop
            chars[stop] = 0
        count_write(self._chars.cell, "MemoryFile")

    def _resize(self, size: int) -> None:
        """Give the storage another size; whoever was given it sees that too."""
        storage = self._chars
        if self._given_away:
            resize_storage(storage, size)
            return
        larger = np.empty(size, dtypes.int8)
        kept = min(size, storage.size)
        larger[:kept] = storage.array[:kept]
        storage.replace(larger)

    def _position(self) -> int:
        return self._at

    def _move(self, position: int) -> None:
        self._at = position

    def _contents(self) -> Buffer:
        raw: bytes = self._chars.array[: self._size].tobytes()
        return raw

    def storage(self) -> Storage:
        """Return the storage itself: what the file holds, and a 0."""
        self._check_open("storage")
        if self._chars.size != self._size + 1:
            self._resize(self._size + 1)
        self._given_away = True
        return self._chars

    # -- the position -------------------------------------------------------------------

    def seek(self, position: float) -> Self:
        """Go to a byte, from 1 to the one behind the last.

        Raises
        ------
        TorchError
            For a position behind that, unless the file is quiet.
        """
        start = self._seek_argument(position)
        if start <= self._size:
            self._at = start
        else:
            self._failed(f"unable to seek at position {start}", "seek")
        return self

    def seekEnd(self) -> Self:
        """Go behind the last byte."""
        self._check_open("seekEnd")
        self._at = self._size
        return self

    def position(self) -> int:
        """Return the position, in bytes from 1."""
        self._check_open("position")
        return self._at + 1

    def synchronize(self) -> Self:
        """Do nothing: memory needs none."""
        self._check_open("synchronize")
        return self

    def close(self) -> Self:
        """Close the file; its storage lives on with whoever has it."""
        self._check_open("close")
        self._storage = None
        return self

    def longSize(self, size: int = 0) -> Self:
        """Store binary longs in 4 or 8 bytes; 0 is this machine's, 8.

        Raises
        ------
        BadArgument
            For another size.
        """
        self._long_size = check_long_size(size, self._place("longSize", 1))
        return self

    def __repr__(self) -> str:
        return f"{self.t7_typename} [status: {self._state()} -- mode: {self._mode()}]"
