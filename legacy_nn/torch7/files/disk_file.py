"""torch.DiskFile: a file on disk.

Source: torch7 DiskFile.c, lib/TH/THDiskFile.c, doc/diskfile.md.
"""

from __future__ import annotations

import mmap
import os
import sys
from typing import IO, ClassVar, Self

from rekindle.core.checkpoint.source import Buffer

from ..errors import TorchError
from .classes import FileClasses
from .errors import bad_argument
from .file import File
from .state import check_mode

_SOURCE = "torch7/lib/TH/THDiskFile.c"

_SMALL = 1 << 14
"""Bytes up to which reading all of a file for one object is quicker than mapping it."""


def _lines() -> dict[str, tuple[int, int, int]]:
    elements = {"Byte": 338, "Char": 342, "Short": 346, "Int": 350, "Float": 354, "Double": 362}
    lines = {way + name: (n, n, n) for name, n in elements.items() for way in ("read", "write")}
    lines |= {"readLong": (373, 374, 424), "writeLong": (435, 436, 497)}
    lines |= {"readString": (506, 507, 566), "readString*a": (506, 507, 535)}
    lines |= {"writeString": (598, 599, 606), "longSize": (309, 310, 310)}
    single = {"synchronize": 168, "close": 238, "nativeEndianEncoding": 286}
    single |= {"littleEndianEncoding": 293, "bigEndianEncoding": 300, "noBuffer": 317}
    lines |= {name: (n, n, n) for name, n in single.items()}
    return lines | {
        "seek": (176, 176, 191),
        "seekEnd": (199, 199, 211),
        "position": (218, 218, 230),
    }


class DiskFile(File):
    """A file on disk, opened at once; text unless `binary()` is called.

    Parameters
    ----------
    name : str
    mode : {"r", "w", "rw"}
        "rw" keeps what the file holds and makes it if need be.
    quiet : bool
        Whether errors only set a flag.
    classes : FileClasses, optional

    Raises
    ------
    TorchError
        If the file cannot be opened, quiet or not.
    BadArgument
        For another mode.
    """

    t7_typename: ClassVar[str] = "torch.DiskFile"
    source = _SOURCE
    lines = _lines()

    def __init__(
        self,
        name: str,
        mode: str = "r",
        quiet: bool = False,
        *,
        classes: FileClasses | None = None,
    ) -> None:
        reason = "file mode should be 'r','w' or 'rw'"
        check_mode(mode, ("r", "w", "rw"), reason, f"{_SOURCE}:650")
        super().__init__("r" in mode, "w" in mode, quiet, classes)
        self._name = name
        self._buffered = True
        try:
            self._handle: IO[bytes] | None = _open(name, mode)
        except OSError as error:
            raise self.not_opened(name, self._mode()) from error

    @staticmethod
    def not_opened(name: str, mode: str) -> TorchError:
        """Return the error for a file that cannot be opened."""
        return TorchError(f"cannot open <{name}> in mode {mode} at {_SOURCE}:673")

    @property
    def _stream(self) -> IO[bytes]:
        assert self._handle is not None
        return self._handle

    def isOpened(self) -> bool:
        """Whether the file was not closed yet."""
        return self._handle is not None

    # -- the bytes ----------------------------------------------------------------------

    def _read(self, count: int = -1) -> bytes:
        return self._stream.read(count)

    def _peek(self, count: int) -> bytes:
        raw = self._stream.read(count)
        self._stream.seek(-len(raw), os.SEEK_CUR)
        return raw

    def _write(self, raw: bytes) -> None:
        self._stream.write(raw)
        if not self._buffered:
            self._stream.flush()

    def _position(self) -> int:
        return self._stream.tell()

    def _move(self, position: int) -> None:
        self._stream.seek(position)

    def _contents(self) -> Buffer:
        if self._writable:
            self._stream.flush()
        size = os.fstat(self._stream.fileno()).st_size
        if size > _SMALL:
            return mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_READ)
        position = self._stream.tell()
        self._stream.seek(0)
        raw = self._stream.read()
        self._stream.seek(position)
        return raw

    # -- the position -------------------------------------------------------------------

    def seek(self, position: float) -> Self:
        """Go to a byte, from 1; behind the end is allowed."""
        self._stream_seek(self._seek_argument(position), os.SEEK_SET)
        return self

    def seekEnd(self) -> Self:
        """Go behind the last byte."""
        self._check_open("seekEnd")
        self._stream_seek(0, os.SEEK_END)
        return self

    def _stream_seek(self, offset: int, whence: int) -> None:
        try:
            self._stream.seek(offset, whence)
        except OSError as error:
            if whence == os.SEEK_END:
                self._failed("unable to seek at end of file", "seekEnd", error)
            else:
                self._failed(f"unable to seek to position {offset}", "seek", error)

    def position(self) -> int:
        """Return the position, in bytes from 1."""
        self._check_open("position")
        return self._position() + 1

    def synchronize(self) -> Self:
        """Hand what was written to the operating system."""
        self._check_open("synchronize")
        self._stream.flush()
        return self

    def close(self) -> Self:
        """Close the file."""
        self._check_open("close")
        handle, self._handle = self._stream, None
        handle.close()
        return self

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    # -- how numbers are stored ---------------------------------------------------------

    @staticmethod
    def isLittleEndianCPU() -> bool:
        """Whether this machine stores the lowest byte of a number first."""
        return sys.byteorder == "little"

    @staticmethod
    def isBigEndianCPU() -> bool:
        """Whether this machine stores the highest byte of a number first."""
        return sys.byteorder == "big"

    def nativeEndianEncoding(self) -> Self:
        """Store binary numbers as this machine does: the default."""
        return self._store("nativeEndianEncoding", sys.byteorder == "big")

    def littleEndianEncoding(self) -> Self:
        """Store the lowest byte of a binary number first."""
        return self._store("littleEndianEncoding", False)

    def bigEndianEncoding(self) -> Self:
        """Store the highest byte of a binary number first."""
        return self._store("bigEndianEncoding", True)

    def _store(self, method: str, big_endian: bool) -> Self:
        self._check_open(method)
        self._big_endian = big_endian
        return self

    def longSize(self, size: int = 0) -> Self:
        """Store binary longs in 4 or 8 bytes; 0 is this machine's, 8.

        Raises
        ------
        BadArgument
            For another size.
        """
        self._check_open("longSize")
        self._long_size = check_long_size(size, self._place("longSize", 1))
        return self

    def noBuffer(self) -> Self:
        """Hand everything to the operating system as soon as it is written."""
        self._check_open("noBuffer")
        self._buffered = False
        if self._writable:
            self._stream.flush()
        return self

    def __repr__(self) -> str:
        return (
            f"{self.t7_typename} on <{self._name}> [status: {self._state()} -- mode {self._mode()}]"
        )


def check_long_size(size: int, place: str) -> int:
    """Return the bytes of a long for an argument of `longSize`.

    Raises
    ------
    BadArgument
        If it is not 0, 4 or 8.
    """
    if size not in (0, 4, 8):
        raise bad_argument(1, f"Invalid long size specified at {place}", "longSize")
    return int(size) or 8


def _open(name: str, mode: str) -> IO[bytes]:
    if mode != "rw":
        return open(name, mode + "b")
    try:
        return open(name, "r+b")
    except FileNotFoundError:
        return open(name, "w+b")
