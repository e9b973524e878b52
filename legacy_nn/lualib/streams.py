"""The bytes behind Lua's files: an ordinary file, a process, or one of Python's own streams."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, TextIO


class Standard(io.RawIOBase):
    """Python's stdin, stdout or stderr, whichever object it is at the moment.

    Parameters
    ----------
    name : str
        "stdin", "stdout" or "stderr".
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    @property
    def _stream(self) -> TextIO:
        stream: TextIO = getattr(sys, self._name)
        return stream

    def readable(self) -> bool:
        return self._name == "stdin"

    def writable(self) -> bool:
        return self._name != "stdin"

    def readinto(self, buffer: Any) -> int:
        stream = self._stream
        raw = getattr(stream, "buffer", None)
        # One byte, no further than asked, so that Python may read on.
        one = stream.read(1).encode("utf-8", "surrogateescape") if raw is None else raw.read(1)
        buffer[: len(one)] = one
        return len(one)

    def write(self, data: Any) -> int:
        raw = bytes(data)
        write_text(self._stream, raw.decode("latin-1"))
        return len(raw)

    def flush(self) -> None:
        if self.writable():
            self._stream.flush()


class Folder(io.RawIOBase):
    """A folder that was opened as a file, which C allows: only reading from it fails."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))

    def readline(self, size: int | None = -1) -> bytes:
        return self.read(1) or b""

    def readall(self) -> bytes:
        return self.read(1) or b""


def write_text(stream: TextIO, text: str) -> None:
    """Write a Lua string to one of Python's text streams: its bytes, unchanged.

    The order with what Python prints is kept. Characters beyond one byte, which only Python
    code can have put in, are written as text.
    """
    if text.isascii():
        stream.write(text)
        return
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        stream.write(text)
        return
    raw = getattr(stream, "buffer", None)
    if raw is None:
        stream.write(data.decode("utf-8", "surrogateescape"))
    else:
        stream.flush()
        raw.write(data)
