"""Writing the elementary values of a file, in binary or ascii, as Torch7 does."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import IO, Any, Literal

import numpy as np

_FLUSH = 1 << 20
_CHUNK = 1 << 24


class Encoder(ABC):
    """Writes elementary values to a binary file object.

    A `file` of None throws everything away: the writer then only walks through the objects.
    """

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._pending: list[bytes] = []
        self._size = 0

    def put(self, raw: bytes) -> None:
        """Write bytes, through a buffer."""
        if self._file is None:
            return
        self._pending.append(raw)
        self._size += len(raw)
        if self._size > _FLUSH:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the file."""
        if self._file is not None:
            self._file.write(b"".join(self._pending))
            self._pending.clear()
            self._size = 0

    @abstractmethod
    def write_int(self, value: int) -> None:
        """Write one int."""

    @abstractmethod
    def write_header(self, tag: int, argument: int) -> None:
        """Write two ints: a record's type, and an index, a length or a boolean."""

    @abstractmethod
    def write_number(self, tag: int, value: float) -> None:
        """Write a record's type and a double."""

    @abstractmethod
    def write_longs(self, values: Sequence[int]) -> None:
        """Write longs."""

    @abstractmethod
    def write_short(self, value: int) -> None:
        """Write one short."""

    @abstractmethod
    def write_double(self, value: float) -> None:
        """Write one double."""

    @abstractmethod
    def write_float(self, value: float) -> None:
        """Write one float."""

    @abstractmethod
    def write_bytes(self, value: bytes) -> None:
        """Write bytes as they are."""

    def write_string(self, value: bytes) -> None:
        """Write a length and bytes."""
        self.write_int(len(value))
        self.write_bytes(value)

    @abstractmethod
    def write_values(self, values: np.ndarray[Any, Any]) -> None:
        """Write the elements of a storage, shape (n,)."""

    def write_in_chunks(self, values: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> None:
        """Write elements as bytes of `dtype`, without copying all of them at once."""
        if self._file is None:
            return
        step = max(1, _CHUNK // dtype.itemsize)
        for start in range(0, len(values), step):
            self.put(values[start : start + step].astype(dtype, copy=False).tobytes())


class BinaryEncoder(Encoder):
    """What `torch.save(file, object)` writes on a little-endian 64-bit machine.

    Parameters
    ----------
    big_endian : bool
    long_size : int
        8 or, where longs lose their upper half, 4: `file:bigEndianEncoding()` and
        `file:longSize(4)`. Every Torch7 reads what is written without them.
    """

    def __init__(
        self, file: IO[bytes] | None, *, big_endian: bool = False, long_size: int = 8
    ) -> None:
        super().__init__(file)
        self._order: Literal["<", ">"] = ">" if big_endian else "<"
        self._long = np.dtype(f"{self._order}i{long_size}")
        self._int = struct.Struct(self._order + "i").pack
        self._header = struct.Struct(self._order + "ii").pack
        self._number = struct.Struct(self._order + "id").pack

    def write_int(self, value: int) -> None:
        """Write one int."""
        self.put(self._int(value))

    def write_header(self, tag: int, argument: int) -> None:
        """Write two ints."""
        self.put(self._header(tag, argument))

    def write_number(self, tag: int, value: float) -> None:
        """Write an int and a double."""
        self.put(self._number(tag, value))

    def write_longs(self, values: Sequence[int]) -> None:
        """Write longs."""
        if self._long.itemsize == 8:
            self.put(struct.pack(f"{self._order}{len(values)}q", *values))
        else:
            self.put(np.array(values, np.int64).astype(self._long).tobytes())

    def write_short(self, value: int) -> None:
        """Write one short."""
        self.put(struct.pack(self._order + "h", value))

    def write_double(self, value: float) -> None:
        """Write one double."""
        self.put(struct.pack(self._order + "d", value))

    def write_float(self, value: float) -> None:
        """Write one float."""
        self.put(struct.pack(self._order + "f", value))

    def write_bytes(self, value: bytes) -> None:
        """Write bytes."""
        self.put(value)

    def write_values(self, values: np.ndarray[Any, Any]) -> None:
        """Write the elements of a storage."""
        long = values.dtype == np.int64
        self.write_in_chunks(values, self._long if long else values.dtype.newbyteorder(self._order))


class AsciiEncoder(Encoder):
    """What `torch.save(file, object, "ascii")` writes: values of a run apart, then a newline.

    Parameters
    ----------
    spacing : bool
        False leaves out what separates, as after `file:noAutoSpacing()`.

    Source: torch7 lib/TH/THDiskFile.c for the formats: %.17g, %.9g, %d.
    """

    def __init__(self, file: IO[bytes] | None, *, spacing: bool = True) -> None:
        super().__init__(file)
        self._space, self._line = (b" ", b"\n") if spacing else (b"", b"")

    def write_int(self, value: int) -> None:
        """Write one int."""
        self.put(b"%d" % value + self._line)

    def write_header(self, tag: int, argument: int) -> None:
        """Write two ints."""
        self.put(b"%d%s%d%s" % (tag, self._line, argument, self._line))

    def write_number(self, tag: int, value: float) -> None:
        """Write an int and a double."""
        self.put(b"%d%s%s%s" % (tag, self._line, _real(value, 17), self._line))

    def write_longs(self, values: Sequence[int]) -> None:
        """Write longs; a run of none leaves no line."""
        if values:
            self.put(self._space.join([b"%d" % value for value in values]) + self._line)

    def write_short(self, value: int) -> None:
        """Write one short."""
        self.write_int(value)

    def write_double(self, value: float) -> None:
        """Write one double."""
        self.put(_real(value, 17) + self._line)

    def write_float(self, value: float) -> None:
        """Write one float."""
        self.put(_real(float(np.float32(value)), 9) + self._line)

    def write_bytes(self, value: bytes) -> None:
        """Write bytes; a run of none leaves no line."""
        if value:
            self.put(value + self._line)

    def write_values(self, values: np.ndarray[Any, Any]) -> None:
        """Write the elements of a storage: bytes as they are, numbers as text."""
        if not len(values) or self._file is None:
            return
        if values.dtype.itemsize == 1:
            self.write_in_chunks(values, values.dtype)
        else:
            digits = 17 if values.dtype.itemsize == 8 else 9
            for start in range(0, len(values), 1 << 16):
                chunk = values[start : start + (1 << 16)].tolist()
                if values.dtype.kind == "f":
                    text = self._space.join([_real(value, digits) for value in chunk])
                else:
                    text = self._space.join([b"%d" % value for value in chunk])
                self.put(self._space + text if start else text)
        self.put(self._line)


def _real(value: float, digits: int) -> bytes:
    """Return C's %.<digits>g. A nan's sign is lost on x86 in Python but not in C: -nan."""
    if value != value:
        negative = struct.pack(">d", value)[0] & 0x80
        return b"-nan" if negative else b"nan"
    return b"%.*g" % (digits, value)
