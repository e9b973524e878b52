"""The ascii encoding: numbers as text, strings and bytes as they are, each line-terminated."""

from __future__ import annotations

import re
import warnings
from typing import Any, ClassVar

import numpy as np

from ..dtypes import Dtype
from .decoder import Decoder
from .errors import T7Error
from .frames import NO_KEY, Frame, TableFrame
from .table import EXACT, Table, as_key

_INTEGER = re.compile(rb"\s*([+-]?[0-9]{1,20})\n?")
_REAL = re.compile(
    rb"\s*([+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf|nan))\n?"
)
_BLANK = re.compile(rb"\s*\Z")
_WORD = re.compile(rb"\s*\S+")
_ENTRY = re.compile(  # a number, string, boolean or table exactly as Torch7 writes them
    rb"1\n([-+.0-9einfa]+)\n|2\n([0-9]{1,10})\n|5\n([01])\n|3\n([0-9]{1,10})\n"
)

_RECORDS = (b"4\n", b"6\n", b"7\n", b"8\n")
"""The beginnings of classes and functions, which the reader takes over."""

_USUAL = 32
"""Bytes that a number and a space take at most as Torch7 writes them."""

_LONGEST = 400
"""Bytes that a number can take: a double written without an exponent."""


class AsciiDecoder(Decoder):
    """Reads what `torch.save(file, object, "ascii")` writes.

    A number is what C's scanf takes: white space, then the number; one newline after it
    belongs to it. Characters and bytes stand as they are, also with one newline after them.

    Source: torch7 lib/TH/THDiskFile.c.
    """

    smallest_entry: ClassVar[int] = 5

    def unread(self) -> int:
        """Return how many bytes are left, unless they are white space."""
        return 0 if _BLANK.match(self.data, self.pos) else self.left

    def read_int(self) -> int:
        """Read one int."""
        stop = self.data.find(b"\n", self.pos, self.pos + 12)
        if stop > 0:  # as Torch7 writes it, most likely
            text = self.data[self.pos : stop]
            if text.isdigit():
                self.pos = stop + 1
                return int(text)
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

    def read_longs(self, count: int) -> tuple[int, ...]:
        """Read `count` longs."""
        return tuple([self.read_int() for _ in range(count)])

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

    def fill(self, stack: list[Frame], objects: dict[int, Any]) -> bool:
        """Read entries of the table on top of `stack`, and of the tables inside it.

        One regular expression takes what Torch7 writes for most entries; whatever is spaced
        otherwise, or wrong, goes through the general way.
        """
        data, end, entry, base = self.data, self.end, _ENTRY.match, len(stack)
        value: Any
        while True:
            frame = stack[-1]
            assert isinstance(frame, TableFrame)
            while frame.left:
                match = entry(data, self.pos)
                if match is None:
                    if data[self.pos : self.pos + 2] in _RECORDS:
                        return False
                    if super().fill(stack, objects):
                        break
                    return False
                start, pos = match.span()
                kind = match.lastindex
                if kind == 1:
                    value = self._number(match[1])
                elif kind == 2:
                    stop = pos + int(match[2])
                    if stop > end:
                        self.pos = match.start(2)
                        self.read_count("a string")
                    raw = data[pos:stop]
                    value = self.decode_name(raw) if frame.key is NO_KEY else self.decode(raw)
                    if raw and data[stop : stop + 1] == b"\n":
                        stop += 1
                    pos = stop
                elif kind == 3:
                    value = match[3] == b"1"
                else:
                    index = int(match[4])
                    value = objects.get(index)
                    if value is None:
                        if frame.key is NO_KEY:
                            return False
                        self.pos = pos
                        size = self.read_table_size()
                        objects[index] = table = Table()
                        frame = TableFrame(table, size)
                        stack.append(frame)
                        continue
                self.pos = pos
                if frame.key is not NO_KEY:
                    frame.take(value)
                elif value.__class__ is str or value.__class__ is int:
                    frame.key = value
                else:
                    frame.key = self.check_key(as_key(value), start)
            if len(stack) == base:
                return True
            stack.pop()
            outer = stack[-1]
            assert isinstance(outer, TableFrame)
            outer.take(frame.table)

    def _number(self, text: bytes) -> int | float:
        if text.isdigit() and len(text) < 16:
            return int(text)
        try:
            value = float(text)
        except ValueError:
            raise self.fail(f"{text[:20]!r} where a number is expected") from None
        if value.is_integer() and -EXACT <= value <= EXACT and (value or text[0] != 45):
            return int(value)
        return value

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
        stop = self.data.find(b"\n", self.pos, self.pos + count * _USUAL)
        if stop >= 0 and self.data[self.pos : stop].count(b" ") == count - 1:
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
        if b"-nan" in text:  # what x86 calculates; NumPy drops the sign
            negative = np.array([word[:1] == b"-" for word in text.split()])
            values[negative] = -np.abs(values[negative])
        return values
