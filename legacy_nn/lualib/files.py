"""LuaFile: an open file, with Lua's methods."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

from .arguments import integer, string
from .calls import single
from .errors import bad_argument, located
from .iteration import Stepper
from .kinds import type_of
from .numbers import as_number, parse_number
from .os_library import ended, failure, file_name
from .streams import Folder

_NUMERAL = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]*|[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]*)?)")
WHENCE = {"set": os.SEEK_SET, "cur": os.SEEK_CUR, "end": os.SEEK_END}


class LuaFile:
    """An open file; text goes in and comes out with one character per byte.

    Parameters
    ----------
    stream : binary stream
    process : subprocess.Popen, optional
        The process at the other end, of `io.popen`.
    keep : bool, optional
        Whether closing leaves the stream alone, as for stdout.
    """

    lua_type = "userdata"
    __slots__ = ("__weakref__", "_ahead", "_keep", "_process", "_stream", "closed")

    def __init__(
        self, stream: Any, process: subprocess.Popen[bytes] | None = None, keep: bool = False
    ) -> None:
        self._stream = stream
        self._process = process
        self._keep = keep
        self._ahead = b""
        self.closed = False

    def __del__(self) -> None:
        """Close what the program forgot to close, as Lua's collector does."""
        if not self.closed and not self._keep:
            self.close()

    def __repr__(self) -> str:
        return "file (closed)" if self.closed else f"file (0x{id(self):08x})"

    def _open(self) -> Any:
        if self.closed:
            raise located("attempt to use a closed file")
        return self._stream

    # -- bytes, with those that were looked at already -------------------------------------

    def _take(self, count: int) -> bytes:
        stream = self._open()
        parts: list[bytes] = [self._ahead[:count]]
        self._ahead = self._ahead[count:]
        missing = count - len(parts[0])
        while missing > 0:
            data = stream.read(missing)
            if not data:
                break
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def _take_all(self) -> bytes:
        data: bytes = self._ahead + self._open().read()
        self._ahead = b""
        return data

    def _take_line(self) -> bytes:
        ahead = self._ahead
        cut = ahead.find(b"\n") + 1
        if cut:
            self._ahead = ahead[cut:]
            return ahead[:cut]
        self._ahead = b""
        return ahead + bytes(self._open().readline())

    def _sync(self) -> None:
        """Put the file's own position back to where Lua stands."""
        if self._ahead:
            self._stream.seek(-len(self._ahead), os.SEEK_CUR)
            self._ahead = b""

    # -- Lua's methods ---------------------------------------------------------------------

    def read(self, *formats: Any) -> Any:
        """Read by formats, "*l" by default; nil where the file has ended.

        Parameters
        ----------
        *formats : str or int
            "*l" a line without its end, "*L" with it, "*n" a number, "*a" all the rest, or a
            count of bytes.

        Returns
        -------
        one result for each format, or (nil, why, number) if the file cannot be read
        """
        self._open()
        results: list[Any] = []
        try:
            for position, wanted in enumerate(formats or ("*l",), 1):
                results.append(self._read_one(wanted, position))
                if results[-1] is None:
                    break
        except OSError as exc:
            return failure(_with_number(exc))
        return single(tuple(results))

    def _read_one(self, wanted: Any, position: int) -> Any:
        count = as_number(wanted)
        if count is not None:
            return self._read_bytes(int(count))
        if type(wanted) is not str:
            raise bad_argument(position, "read", f"string expected, got {type_of(wanted)}")
        kind = wanted.removeprefix("*")[:1]
        if kind == "n":
            return self._read_number()
        if kind == "a":
            return self._take_all().decode("latin-1")
        if kind not in ("l", "L"):
            raise bad_argument(position, "read", "invalid format")
        line = self._take_line()
        if not line:
            return None
        return (line if kind == "L" else line.removesuffix(b"\n")).decode("latin-1")

    def _read_bytes(self, count: int) -> str | None:
        data = self._take(max(count, 1))
        if count == 0:
            self._ahead = data + self._ahead
        if not data:
            return None
        return data[:count].decode("latin-1")

    def _read_number(self) -> float | None:
        byte = self._take(1)
        while byte.isspace():
            byte = self._take(1)
        seen = b""
        while byte and _NUMERAL.fullmatch((seen + byte).decode("latin-1")):
            seen += byte
            byte = self._take(1)
        self._ahead = byte + self._ahead
        return parse_number(seen.decode("latin-1"))

    def lines(self, *formats: Any) -> Stepper:
        """Return an iterator over the lines, or over what the formats read."""
        self._open()
        return Stepper(self._lines(formats, close=False))

    def _lines(self, formats: tuple[Any, ...], close: bool) -> Iterator[Any]:
        while True:
            result = self.read(*formats)
            if result is None or (type(result) is tuple and result[0] is None):
                if close:
                    self.close()
                return
            yield result

    def write(self, *values: Any) -> Any:
        """Write text and numbers; return the file, or (nil, why, number)."""
        stream = self._open()
        try:
            self._sync()
            for position, value in enumerate(values, 1):
                stream.write(to_bytes(string(value, position, "write")))
        except OSError as exc:
            return failure(_with_number(exc))
        return self

    def seek(self, whence: Any = None, offset: Any = None) -> Any:
        """Move to a place ("set" from the start, "cur", "end"); return it, in bytes."""
        stream = self._open()
        start = string(whence, 1, "seek", "cur")
        if start not in WHENCE:
            raise bad_argument(1, "seek", f"invalid option '{start}'")
        try:
            self._sync()
            return int(stream.seek(integer(offset, 2, "seek", 0), WHENCE[start]))
        except OSError as exc:
            return failure(_with_number(exc))

    def flush(self) -> Any:
        """Write out what is held back; return the file."""
        stream = self._open()
        try:
            stream.flush()
        except OSError as exc:
            return failure(exc)
        return self

    def setvbuf(self, mode: Any, size: Any = None) -> bool:
        """Accept a mode of buffering; Python's own is kept."""
        self._open()
        if string(mode, 1, "setvbuf") not in ("no", "full", "line"):
            raise bad_argument(1, "setvbuf", f"invalid option '{mode}'")
        return True

    def close(self) -> Any:
        """Close the file; of a process, wait for its end and say how that was."""
        stream = self._open()
        if self._keep:
            stream.flush()
            return None, "cannot close standard file"
        self.closed = True
        try:
            stream.close()
        except OSError as exc:
            return failure(exc)
        return True if self._process is None else ended(self._process.wait())


def _with_number(exc: Exception) -> OSError:
    """Return the error of the system that Python's own refusal stands for."""
    if isinstance(exc, OSError) and exc.errno:
        return exc
    # A stream that has no places, or one that is not open for this.
    seeking = isinstance(exc, io.UnsupportedOperation) and "seek" in str(exc)
    code = errno.ESPIPE if seeking else errno.EBADF
    return OSError(code, os.strerror(code))


def to_bytes(text: str) -> bytes:
    """Return a Lua string as its bytes.

    Raises
    ------
    LuaError
        For a character beyond one byte: text from Python that was not encoded.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as exc:
        raise located(
            f"character {text[exc.start]!r} at {exc.start + 1} is no byte: a Lua string has one "
            'character per byte; convert with text.encode("utf-8").decode("latin-1")'
        ) from None


def open_file(name: str, mode: str) -> LuaFile:
    """Open a file.

    Parameters
    ----------
    name : str
    mode : str
        "r", "w", "a", with "+" for both reading and writing; "b" changes nothing.

    Raises
    ------
    OSError
    """
    kind = mode.replace("b", "", 1)
    if kind not in ("r", "w", "a", "r+", "w+", "a+"):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
    path = file_name(name)
    if os.path.isdir(path) and kind == "r":
        return LuaFile(Folder())
    return LuaFile(open(path, kind[0] + "b" + kind[1:]))


def open_process(command: str, mode: str) -> LuaFile:
    """Start a shell command whose output can be read ("r") or whose input written ("w")."""
    pipe = subprocess.PIPE
    reads = mode.startswith("r")
    process = subprocess.Popen(
        file_name(command),
        shell=True,
        stdout=pipe if reads else None,
        stdin=None if reads else pipe,
    )
    return LuaFile(process.stdout if reads else process.stdin, process)
