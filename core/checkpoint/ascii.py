"""The ascii encoding: numbers as text, strings and bytes as they are, each line-terminated."""

from __future__ import annotations

import re
import warnings
from typing import Any, ClassVar

import numpy as np

from ..dtypes import Dtype
from .decoder import Decoder
from .errors import T7Error

_INTEGER = re.compile(rb"\s*([+-]?[0-9]{1,20})\n?")
_REAL = re.compile(
    rb"\s*([+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf|nan))\n?"
)
_WORD = re.compile(rb"\s*\S+")

_LONGEST = 400
"""Bytes that a number can take: a double written without an exponent."""


class AsciiDecoder(Decoder):
    """Reads what `torch.save(file, object, "ascii")` writes.

    A number is what C's scanf takes: white space, then the number; one newline after it
    belongs to it. Characters and bytes stand as they are, also with one newline after them.

    Source: torch7 lib/TH/THDiskFile.c.
    """

    smallest_entry: ClassVar[int] = 5

    def read_int(self) -> int:
        """Read one int."""
        match = _INTEGER.match(self.data, self.pos)
        if match is None:
            raise self._not_a_number("a whole number")
        self.pos = match.end()
        return int(match[1])

    def read_long(self) -> int:
        """Read one long."""
        return self.read_int()

    def read_short(self) -> int:
        """Read one short."""
        return self.read_int()

    def read_longs(self, count: int) -> list[int]:
        """Read `count` longs."""
        return [self.read_int() for _ in range(count)]

    def read_double(self) -> float:
        """Read one double."""
        match = _REAL.match(self.data, self.pos)
        if match is None or match.end() - self.pos > _LONGEST:
            raise self._not_a_number("a number")
        self.pos = match.end()
        return float(match[1])

    def read_float(self) -> float:
        """Read one float."""
        return self.read_double()

    def read_bytes(self, count: int) -> bytes:
        """Read `count` bytes as they are, and the newline that follows them."""
        if count > self.left:
            raise self.ends_early(f"a run of {count} bytes")
        raw = self.data[self.pos : self.pos + count]
        self.pos += count
        if count and self.data[self.pos : self.pos + 1] == b"\n":
            self.pos += 1
        return raw

    def _not_a_number(self, what: str) -> T7Error:
        found = self.data[self.pos : self.pos + 20]
        if not found.strip():
            return self.ends_early(what)
        return self.fail(f"{found!r} where {what} is expected")

    def read_values(self, dtype: Dtype, count: int) -> np.ndarray[Any, Any]:
        """Read a storage's elements: bytes as they are, numbers as text."""
        if dtype.itemsize == 1:
            if count > self.left:
                raise self.fail(f"a storage of {count} elements, but {self.left} bytes are left")
            return np.frombuffer(self.read_bytes(count), dtype).copy()
        if 2 * count - 1 > self.left:
            raise self.fail(f"a storage of {count} numbers, but {self.left} bytes are left")
        stop = self._end_of_numbers(count)
        # Integers of every width are parsed as 64 bits; float16 goes through float32.
        wide = np.dtype(np.int64 if dtype.kind == "i" else max(dtype, np.dtype(np.float32)))
        values = self._parse(self.data[self.pos : stop], wide, count)
        self.pos = stop + (self.data[stop : stop + 1] == b"\n")
        if dtype.kind == "i":
            limits = np.iinfo(dtype)
            if values.min() < limits.min or values.max() > limits.max:
                raise self.fail(f"a {dtype} storage with a value beyond its range")
        with np.errstate(over="ignore"):
            return values.astype(dtype, copy=False)

    def _end_of_numbers(self, count: int) -> int:
        """Return where the next `count` words end: at the end of the line, as Torch7 writes."""
        stop = self.data.find(b"\n", self.pos)
        if stop < 0:
            stop = self.end
        line = self.data[self.pos : stop]
        if line.count(b" ") == count - 1:
            return stop
        position = self.pos
        for _ in range(count):
            match = _WORD.match(self.data, position)
            if match is None:
                raise self.ends_early("a storage")
            position = match.end()
        return position

    def _parse(self, text: bytes, dtype: Dtype, count: int) -> np.ndarray[Any, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            try:
                values = np.fromstring(text, dtype, sep=" ")
            except (DeprecationWarning, ValueError, OverflowError):
                values = np.empty(0, dtype)
        if len(values) != count:
            raise self.fail(f"a storage whose {count} elements are not all numbers")
        return values
