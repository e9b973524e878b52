"""Where the bytes of a checkpoint come from: a file, a stream, or bytes."""

from __future__ import annotations

import io
import mmap
import os
import stat
from dataclasses import dataclass
from typing import IO, Any, cast

from .errors import T7Error
from .sniff import refuse_other_formats

MAPPED = 1 << 20
"""Files and storages of more bytes are mapped, smaller ones read."""

Buffer = bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a checkpoint and the name to use for them in errors.

    Attributes
    ----------
    data : bytes or mmap
        All of it; a mapping is private (copy-on-write), so nothing is ever written back.
    start : int
        Where reading starts: the position of a file object.
    name : str or None
    views : bool
        Whether storages may be views of a mapping; False for a file that is open for more
        than this reading, and may be written.
    """

    data: Buffer
    start: int
    name: str | None
    views: bool = True

    @property
    def mapped(self) -> bool:
        """Whether storages can be views of the file."""
        return self.views and isinstance(self.data, mmap.mmap)


def open_source(file: str | os.PathLike[str] | IO[bytes], *, use_mmap: bool) -> Source:
    """Return the bytes of a path, a binary file object or a stream.

    Raises
    ------
    T7Error
        If it is a folder or a device, or at once, unread, if it begins as another format does.
    OSError
        As `open` does: no such file, no permission.
    """
    if isinstance(file, (str, os.PathLike)):
        return _open_path(file, use_mmap)
    if not hasattr(file, "read"):
        raise TypeError(
            "a checkpoint is read from a path or an object with read(); "
            f"given {type(file).__name__} (for bytes there is loads)"
        )
    name = getattr(file, "name", None)
    label = os.fsdecode(name) if isinstance(name, (str, bytes)) else None
    if use_mmap and isinstance(file, (io.BufferedReader, io.FileIO)) and file.seekable():
        position = file.tell()
        mapping = _map(file.fileno())
        if mapping is not None:
            file.seek(0, os.SEEK_END)
            return Source(mapping, position, label)
    return Source(_read_stream(file), 0, label)


def _open_path(path: str | os.PathLike[str], use_mmap: bool) -> Source:
    name = os.fspath(path)
    mode = os.stat(name).st_mode
    if stat.S_ISDIR(mode):
        raise _named(T7Error("this is a folder, not a checkpoint file"), name)
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise _named(T7Error("this is a device, not a checkpoint file"), name)
    with open(name, "rb") as file:
        mapping = _map(file.fileno()) if use_mmap else None
        if mapping is not None:
            return Source(mapping, 0, name)
        try:
            return Source(_read_stream(file), 0, name)
        except T7Error as error:
            raise _named(error, name) from None


def _named(error: T7Error, name: str) -> T7Error:
    error.file = name
    return error


def _map(fileno: int) -> mmap.mmap | None:
    """Return a private mapping of a regular file of more than `MAPPED` bytes, else None."""
    status = os.fstat(fileno)
    if not stat.S_ISREG(status.st_mode) or status.st_size <= MAPPED:
        return None
    return mmap.mmap(fileno, 0, access=mmap.ACCESS_COPY)


def _read_stream(file: IO[bytes]) -> bytes:
    """Return all that is left; an endless stream of something else is noticed at its start."""
    head = file.read(4096)
    if not isinstance(head, bytes):
        raise T7Error(
            "the file is open in text mode", hint="Open it with mode 'rb', or use sys.stdin.buffer"
        )
    refuse_other_formats(head)
    parts = [head]
    while part := cast(Any, file).read(1 << 24):
        parts.append(part)
    return b"".join(parts) if len(parts) > 1 else head
