"""torch.File: what files on disk, in memory and of other programs have in common.

Methods have Torch's names and count positions from 1. Those that return nothing else return
the file, so that calls can be chained: `torch.DiskFile(name, "w"):binary()` in Lua.

Source: torch7 File.c, lib/TH/THFile.c, THDiskFile.c, THMemoryFile.c, doc/file.md.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from rekindle.core.autograd.versions import count_write
from rekindle.core.backend import to_numpy
from rekindle.core.checkpoint.source import Buffer
from rekindle.core.storage import Storage

from ..errors import TorchError
from . import kinds
from .classes import STANDARD, FileClasses
from .errors import bad_argument
from .kinds import Array, Kind, as_count, as_number
from .objects import ObjectStream
from .scanning import scan
from .state import FileState

_BLANKS = 1 << 10
"""Bytes that are searched for the beginning of an object as text."""


def _reader(kind: Kind) -> Callable[..., Any]:
    def read(self: File, count: Any = None) -> Any:
        return self._read_kind(kind, count)

    read.__name__ = read.__qualname__ = f"read{kind.name}"
    read.__doc__ = f"""Read {kind.name.lower()}s: see File, Notes."""
    return read


def _writer(kind: Kind) -> Callable[..., Any]:
    def write(self: File, value: Any) -> int | None:
        return self._write_kind(kind, value)

    write.__name__ = write.__qualname__ = f"write{kind.name}"
    write.__doc__ = f"""Write {kind.name.lower()}s: see File, Notes."""
    return write


class File(FileState):
    """A file that is open, and how it is read and written.

    Parameters
    ----------
    readable, writable : bool
    quiet : bool
        Whether errors only set the flag that `hasError` returns.
    classes : FileClasses, optional
        How objects of classes that this program made are read and written.

    Notes
    -----
    For each of Byte, Char, Short, Int, Long, Float and Double: `readInt()` returns a number,
    `readInt(n)` a new storage with as many elements as there were, up to n, and
    `readInt(storage)` fills the storage and returns how many there were. `writeInt(number)`
    converts as C does and returns None; `writeInt(storage)` returns the number of elements.
    """

    t7_typename: ClassVar[str] = "torch.File"
    t7_storable: ClassVar[bool] = False
    lua_type: ClassVar[str] = "userdata"

    def __init__(
        self, readable: bool, writable: bool, quiet: bool, classes: FileClasses | None
    ) -> None:
        super().__init__(readable, writable, quiet)
        self._objects = ObjectStream(self, STANDARD if classes is None else classes)

    # -- the bytes ----------------------------------------------------------------------

    @abstractmethod
    def _read(self, count: int = -1) -> bytes:
        """Take up to `count` bytes; all that are left for -1."""

    @abstractmethod
    def _peek(self, count: int) -> bytes:
        """Return up to `count` bytes without taking them."""

    @abstractmethod
    def _write(self, raw: bytes) -> None:
        """Write bytes."""

    @abstractmethod
    def _position(self) -> int:
        """Return the position in what `_contents` returns."""

    @abstractmethod
    def _move(self, position: int) -> None:
        """Set the position in what `_contents` returns."""

    @abstractmethod
    def _contents(self) -> Buffer:
        """Return all bytes, at least from the position on."""

    def _read_items(self, size: int, count: int) -> bytes:
        """Take up to `count` elements of `size` bytes."""
        return self._read(size * count)

    # -- numbers ------------------------------------------------------------------------

    def _read_kind(self, kind: Kind, count: Any) -> Any:
        number = as_number(count)
        if count is None:
            values = self._read_values(kind, 1)
            return values[0].item() if len(values) else 0
        if number is not None:
            return Storage(self._read_values(kind, as_count(number)))
        if isinstance(count, Storage) and count.dtype == kind.dtype:
            values = self._read_values(kind, count.size)
            count.array[: len(values)] = values
            count_write(count.cell, f"read{kind.name}")
            return len(values)
        raise TorchError(f"nothing, number, or {kind.name}Storage expected")

    def _read_values(self, kind: Kind, count: int) -> Array:
        """Read up to `count` elements, as an array of their own."""
        method = f"read{kind.name}"
        self._check_readable(method)
        if self._binary or kind.pattern is None:
            stored = self._stored(kind)
            raw = self._read_items(stored.itemsize, count)
            read = len(raw) // stored.itemsize
            values = np.frombuffer(raw, stored, read).astype(kind.dtype)
        else:
            values = kind.array(scan(self, kind, count))
        if not self._binary and self._spacing and count and self._peek(1) == b"\n":
            self._read(1)
        if len(values) != count:
            self._failed(f"read error: read {len(values)} blocks instead of {count}", method)
        return values

    def _stored(self, kind: Kind) -> np.dtype[Any]:
        stored: np.dtype[Any] = kind.dtype
        if kind is kinds.LONG and self._long_size == 4:
            stored = kinds.INT.dtype
        return stored.newbyteorder(">" if self._big_endian else "<")

    def _write_kind(self, kind: Kind, value: Any) -> int | None:
        number = as_number(value)
        method = f"write{kind.name}"
        if number is None and not (isinstance(value, Storage) and value.dtype == kind.dtype):
            raise TorchError(f"number, or {kind.name}Storage expected")
        self._check_writable(method)
        if number is not None:
            values = np.array([kind.convert(number)], kind.dtype)
        else:
            values = to_numpy(value.array)
        try:
            encoder = self._objects.encoder()
            encoder.write_values(values)
            encoder.flush()
        except OSError as error:
            problem = f"write error: wrote 0 blocks instead of {len(values)}"
            self._failed(problem, method, error)
            return 0
        return None if number is not None else len(values)

    readByte, writeByte = _reader(kinds.BYTE), _writer(kinds.BYTE)
    readChar, writeChar = _reader(kinds.CHAR), _writer(kinds.CHAR)
    readShort, writeShort = _reader(kinds.SHORT), _writer(kinds.SHORT)
    readInt, writeInt = _reader(kinds.INT), _writer(kinds.INT)
    readLong, writeLong = _reader(kinds.LONG), _writer(kinds.LONG)
    readFloat, writeFloat = _reader(kinds.FLOAT), _writer(kinds.FLOAT)
    readDouble, writeDouble = _reader(kinds.DOUBLE), _writer(kinds.DOUBLE)

    def readBool(self) -> bool:
        """Read an int; whether it is 1."""
        return bool(self.readInt() == 1)

    def writeBool(self, value: Any) -> None:
        """Write the int 0 for None and False, else 1."""
        self.writeInt(0 if value is None or value is False else 1)

    # -- strings ------------------------------------------------------------------------

    def readString(self, format: str) -> str:
        """Read a line without its end, for "*l", or all that is left, for "*a".

        Raises
        ------
        TorchError
            At the end of the file, unless it is quiet: then "" is returned.
        BadArgument
            For another format.
        """
        self._check_readable("readString")
        if format[:2] not in ("*a", "*l"):
            reason = f"format must be '*a' or '*l' at {self._place('readString', 1)}"
            raise bad_argument(2, reason, "readString")
        raw = self._read() if format[1] == "a" else self._read_line()
        if not raw:
            method = "readString*a" if format[1] == "a" else "readString"
            self._failed("read error: read 0 blocks instead of 1", method)
        if format[1] == "l":
            raw = raw.removesuffix(b"\n")
        return raw.decode("latin-1")

    def _read_line(self) -> bytes:
        window = 1 << 10
        while True:
            piece = self._peek(window)
            end = piece.find(b"\n")
            if end >= 0 or len(piece) < window:
                return self._read(end + 1 if end >= 0 else len(piece))
            window *= 4

    def writeString(self, text: str) -> int:
        """Write a string as it is, without spacing; return the number of bytes."""
        self._check_writable("writeString")
        raw = text.encode("latin-1")
        try:
            self._write(raw)
        except OSError as error:
            problem = f"write error: wrote 0 blocks instead of {len(raw)}"
            self._failed(problem, "writeString", error)
            return 0
        return len(raw)

    # -- objects ------------------------------------------------------------------------

    def readObject(self) -> Any:
        """Read what `writeObject` wrote; it may refer to objects read before.

        Raises
        ------
        TorchError
            At the end of the file.
        T7Error
            For what is no object, or of a class that nobody knows.
        """
        self._check_readable("readInt")
        piece = self._peek(_BLANKS)
        if not piece or (not self._binary and len(piece) < _BLANKS and piece.isspace()):
            self.readInt()  # which fails as Torch does
            return None
        return self._objects.read()

    def writeObject(
        self, object: Any, debugname: str | None = None, hook: Callable[[Any], Any] | None = None
    ) -> None:
        """Write an object with all that it holds; what was written before by its number.

        Parameters
        ----------
        object : object
        debugname : str, optional
            What errors call it.
        hook : callable, optional
            Gets each object on the way and returns what is written in its place.

        Raises
        ------
        T7Error
            For a value that Torch7 has nothing for, with its place.
        """
        self._check_writable("writeInt")
        self._objects.write(object, debugname, hook)

    def referenced(self, ref: bool) -> Self:
        """Say whether an object that comes twice is written once, and read as one."""
        self._objects.referenced = bool(ref)
        return self

    def isReferenced(self) -> bool:
        """Whether an object that comes twice is written once."""
        return self._objects.referenced

    def isWritableObject(self, object: Any) -> int | None:
        """Return the type number of the record that would be written; None if there is none."""
        return self._objects.type_number(object)

    # -- the position -------------------------------------------------------------------

    @abstractmethod
    def seek(self, position: float) -> Self:
        """Go to a byte, from 1."""

    @abstractmethod
    def seekEnd(self) -> Self:
        """Go behind the last byte."""

    @abstractmethod
    def position(self) -> int:
        """Return the position, in bytes from 1."""

    @abstractmethod
    def synchronize(self) -> Self:
        """Hand what was written to the operating system."""

    @abstractmethod
    def close(self) -> Self:
        """Close the file."""

    def _seek_argument(self, position: float) -> int:
        if int(position) < 1:
            raise bad_argument(2, "position has to be greater than 0! at torch7/File.c:44", "seek")
        self._check_open("seek")
        return int(position) - 1
