"""The binary encoding: fixed-size numbers of either byte order, longs of 4 or 8 bytes."""

from __future__ import annotations

import struct
from typing import Any, ClassVar, Literal

import numpy as np

from ..dtypes import Dtype
from .decoder import BOOLEAN, NUMBER, STRING, TABLE, Decoder
from .frames import NO_KEY, Frame, TableFrame
from .longsize import LongSizeGuess, guess_at_storage, guess_at_tensor
from .source import MAPPED, Source
from .table import EXACT, Table, _set_map, as_key, set_array_end, set_metatable


class BinaryDecoder(Decoder):
    """Reads what `torch.save(file, object)` writes.

    Parameters
    ----------
    big_endian : bool
    long_size : int or None
        4 or 8; None to find out at the first tensor or storage.

    Source: torch7 lib/TH/THDiskFile.c.
    """

    smallest_entry: ClassVar[int] = 12

    def __init__(
        self,
        source: Source,
        encoding: str | None,
        *,
        big_endian: bool = False,
        long_size: int | None = None,
    ) -> None:
        super().__init__(source, encoding)
        self.order: Literal["<", ">"] = ">" if big_endian else "<"
        order = self.order
        self.long_size = long_size
        self.unsure_of_long_size = False
        self._int = struct.Struct(order + "i").unpack_from
        self._word = struct.Struct(order + "I").unpack_from
        self._header = struct.Struct(order + "II").unpack_from
        self._class = struct.Struct(order + "I3sI").unpack_from
        self._longs: dict[int, struct.Struct] = {}
        self._stored: dict[Dtype, tuple[np.dtype[Any], bool]] = {}
        self._double = struct.Struct(order + "d").unpack_from
        self._sign = 4 if big_endian else 11

    def with_other_longs(self) -> BinaryDecoder:
        """Return a decoder of the same file, from its start, for the other size of a long."""
        return BinaryDecoder(
            self.source,
            self.encoding,
            big_endian=self.order == ">",
            long_size=4 if self.long_size == 8 else 8,
        )

    def _one(self, kind: str, size: int) -> Any:
        if self.left < size:
            raise self.ends_early("a number")
        (value,) = struct.unpack_from(self.order + kind, self.data, self.pos)
        self.pos += size
        return value

    def read_int(self) -> int:
        """Read one int."""
        try:
            (value,) = self._int(self.data, self.pos)
        except struct.error:
            raise self.ends_early("a number") from None
        self.pos += 4
        return value  # type: ignore[no-any-return]  # struct's types say Any

    def read_long(self) -> int:
        """Read one long."""
        return self.read_longs(1)[0]

    def read_longs(self, count: int) -> tuple[int, ...]:
        """Read `count` longs."""
        form = self._longs.get(count)
        if form is None:
            kind = "i" if self.long_size == 4 else "q"
            form = struct.Struct(f"{self.order}{count}{kind}")
            if self.long_size is not None:
                self._longs[count] = form
        try:
            values = form.unpack_from(self.data, self.pos)
        except struct.error:
            raise self.ends_early("a size or stride") from None
        self.pos += form.size
        return values

    def read_double(self) -> float:
        """Read one double."""
        return float(self._one("d", 8))

    def read_float(self) -> float:
        """Read one float."""
        return float(self._one("f", 4))

    def read_short(self) -> int:
        """Read one short."""
        return int(self._one("h", 2))

    def read_bytes(self, count: int) -> bytes:
        """Read `count` bytes."""
        if count > self.left:
            raise self.ends_early(f"a run of {count} bytes")
        raw = self.data[self.pos : self.pos + count]
        self.pos += count
        return raw

    def read_raw_string(self) -> bytes:
        """Read a string's length and bytes."""
        start = self.pos + 4
        stop = start + self.read_int()
        if not start <= stop <= self.end:
            self.pos = start - 4
            self.read_count("a string")
        self.pos = stop
        return self.data[start:stop]

    def read_class_name(self) -> tuple[str, int]:
        """Read the class and version at the start of an object."""
        try:
            length, version, count = self._class(self.data, self.pos)
        except struct.error:  # an old and short name at the very end
            return super().read_class_name()
        start = self.pos + 11
        stop = start + count
        if length == 3 and version == b"V 1" and stop <= self.end:
            name = self.class_names.get(self.data[start:stop])
            if name is not None:
                self.pos = stop
                return name, 1
        return super().read_class_name()

    def settle_tensor(self, ndim: int) -> None:
        """Find out how long a long is from what follows a tensor's number of dimensions."""
        if self.long_size is None:
            self._settle(guess_at_tensor(self.data, self.pos, self.order, ndim))

    def settle_storage(self, dtype: Dtype | None) -> None:
        """Find out how long a long is from what follows a storage's class."""
        if self.long_size is None:
            self._settle(guess_at_storage(self.data, self.pos, self.order, dtype))

    def _settle(self, guess: LongSizeGuess) -> None:
        self.long_size, self.unsure_of_long_size = guess

    def read_values(self, dtype: Dtype, count: int) -> np.ndarray[Any, Any]:
        """Read a storage's elements: a view of the mapped file above 1 MB, else a copy."""
        stored, short_long = self._stored_as(dtype)
        nbytes = count * stored.itemsize
        if nbytes > self.left:
            raise self.fail(
                f"a storage of {count} elements of {stored.itemsize} bytes, "
                f"but only {self.left} bytes are left",
                hint="The file may be truncated: get it again",
            )
        values = np.frombuffer(self.data, stored, count, self.pos)
        self.pos += nbytes
        if self.source.mapped and nbytes > MAPPED and not short_long:
            return values
        return values.astype(dtype, copy=True)

    def _stored_as(self, dtype: Dtype) -> tuple[np.dtype[Any], bool]:
        """Return the type of the elements in the file, and whether they are shortened longs."""
        known = self._stored.get(dtype)
        if known is None:
            short = dtype == np.int64 and self.long_size == 4
            stored = (np.dtype(np.int32) if short else dtype).newbyteorder(self.order)
            self._stored[dtype] = known = stored, short
        return known

    def fill(self, stack: list[Frame], objects: dict[int, Any]) -> bool:
        """Read entries of the table on top of `stack`, and of the tables inside it.

        The hot loop, once round per entry of every table: everything in local variables,
        decoding in place, keys and values apart. Tables inside tables wait in `inner` and
        become frames of `stack` only where the reader has to take over.
        """
        data, pos, end = self.data, self.pos, self.end
        header, word, double, sign = self._header, self._word, self._double, self._sign
        encoding, known_name, known_object = self.encoding, self.names.get, objects.get
        new_table, set_map = Table.__new__, _set_map
        low, high, no_key = -EXACT, EXACT, NO_KEY
        value: Any

        frame = stack[-1]
        assert isinstance(frame, TableFrame)
        table, entries, left, key = frame.table, frame.entries, frame.left, frame.key
        table_type = type(table)
        inner: list[tuple[Table, dict[Any, Any], int, Any]] = []
        try:
            while True:
                while left:
                    if key is no_key:
                        tag, argument = header(data, pos)
                        if tag == STRING:
                            stop = pos + 8 + argument
                            raw = data[pos + 8 : stop]
                            key = known_name(raw)
                            if key is None:
                                key = self._new_name(raw, pos, argument)
                            pos = stop
                        elif tag == NUMBER:
                            (value,) = double(data, pos + 4)
                            if value.is_integer() and low <= value <= high:
                                value = int(value)
                            elif value != value:
                                self.check_key(value, pos)
                            key = value
                            pos += 12
                        elif tag == BOOLEAN:
                            key = as_key(argument == 1)
                            pos += 8
                        else:
                            return False

                    tag, argument = header(data, pos)
                    if tag == NUMBER:
                        (value,) = double(data, pos + 4)
                        if (
                            value.is_integer()
                            and low <= value <= high
                            and (value or not data[pos + sign])  # -0.0 stays
                        ):
                            value = int(value)
                        pos += 12
                    elif tag == STRING:
                        stop = pos + 8 + argument
                        if stop > end:
                            self.pos = pos + 4
                            self.read_count("a string")
                        value = data[pos + 8 : stop]
                        if encoding is not None:
                            value = value.decode(encoding, "surrogateescape")
                        pos = stop
                    elif tag == TABLE:
                        value = known_object(argument)
                        if value is None:
                            (count,) = word(data, pos + 8)
                            if count * 12 > end - pos - 12:
                                self.pos = pos + 8
                                self.read_table_size()
                            pos += 12
                            inner.append((table, entries, left, key))
                            objects[argument] = entries[key] = table = new_table(table_type)
                            set_map(table, entries := {})
                            set_metatable(table, None)
                            set_array_end(table, 0)
                            left = count
                            key = no_key
                            continue
                        pos += 8
                    elif tag == BOOLEAN:
                        value = argument == 1
                        pos += 8
                    else:
                        return False
                    entries[key] = value
                    key = no_key
                    left -= 1

                if not inner:
                    return True
                table, entries, left, key = inner.pop()
                key = no_key
                left -= 1
        except struct.error:
            raise self.ends_early("a table") from None
        finally:
            self.pos = pos
            inner.append((table, entries, left, key))
            _, _, frame.left, frame.key = inner[0]
            stack += [TableFrame(table, left, key) for table, _, left, key in inner[1:]]

    def _new_name(self, raw: bytes, pos: int, length: int) -> str | bytes:
        """Decode a key not met before, whose header is at `pos`; `raw` may be cut short."""
        if len(raw) != length:
            self.pos = pos + 4
            self.read_count("a string")
        return self.decode_name(raw)
