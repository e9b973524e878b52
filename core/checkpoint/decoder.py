"""What the binary and the ascii decoder have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from ..dtypes import Dtype
from .errors import T7Error
from .frames import NO_KEY, Frame, TableFrame
from .source import Source
from .table import EXACT, as_key

NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN, FUNCTION, OLD_RECUR_FUNCTION, RECUR_FUNCTION = range(9)
"""Type numbers of records. Source: torch7 File.lua."""

SHARED_NAMES = 1 << 16
"""Short string keys (names of fields) that are kept, so that equal ones are one object."""

SHORT = 40


class Decoder(ABC):
    """Reads the elementary values of a file from `pos` on; Torch7's `torch.File` in that.

    Parameters
    ----------
    source : Source
    encoding : str or None
        How strings are decoded, with surrogateescape; None leaves them bytes.
    """

    smallest_entry: ClassVar[int]
    """Bytes that an entry of a table takes at least; a count that cannot fit is refused."""

    def __init__(self, source: Source, encoding: str | None) -> None:
        self.source = source
        self.data = source.data
        self.pos = source.start
        self.end = len(source.data)
        self.encoding = encoding
        self.names: dict[bytes, str | bytes] = {}
        self.class_names: dict[bytes, str] = {}

    @abstractmethod
    def read_int(self) -> int:
        """Read one int."""

    @abstractmethod
    def read_long(self) -> int:
        """Read one long."""

    @abstractmethod
    def read_longs(self, count: int) -> tuple[int, ...]:
        """Read `count` longs."""

    @abstractmethod
    def read_double(self) -> float:
        """Read one double."""

    @abstractmethod
    def read_float(self) -> float:
        """Read one float."""

    @abstractmethod
    def read_short(self) -> int:
        """Read one short."""

    @abstractmethod
    def read_bytes(self, count: int) -> bytes:
        """Read `count` bytes, as Torch7's readChar and readByte do."""

    @abstractmethod
    def read_values(self, dtype: Dtype, count: int) -> np.ndarray[Any, Any]:
        """Read a storage's `count` elements; large ones may be a view of the mapped file."""

    def settle_tensor(self, ndim: int) -> None:  # noqa: B027  # ascii files have nothing to settle
        """Find out how long a long is, at the first tensor of the file."""

    def settle_storage(self, dtype: Dtype | None) -> None:  # noqa: B027
        """Find out how long a long is, at the first storage of the file or, for None, long."""

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return self.end - self.pos

    def unread(self) -> int:
        """Return how many bytes are left that mean something."""
        return self.left

    def fail(self, problem: str, *, offset: int | None = None, hint: str | None = None) -> T7Error:
        """Return an error at `offset`, by default here."""
        return T7Error(problem, offset=self.pos if offset is None else offset, hint=hint)

    def ends_early(self, what: str) -> T7Error:
        """Return the error for a file that ends inside `what`."""
        return T7Error(
            f"the file ends inside {what}",
            offset=self.end,
            hint="It may be a truncated download or an unfinished save: get it again",
        )

    def read_index(self) -> int:
        """Read the number by which other records refer to an object."""
        return self.read_int() & 0xFFFFFFFF

    def read_count(self, what: str) -> int:
        """Read an int that counts bytes which must follow.

        Raises
        ------
        T7Error
            If it is negative or more than is left.
        """
        offset = self.pos
        count = self.read_int()
        if count < 0:
            raise self.fail(f"{what} of {count} bytes", offset=offset)
        if count > self.left:
            raise self.fail(
                f"{what} of {count} bytes, but only {self.left} are left", offset=offset
            )
        return count

    def read_table_size(self) -> int:
        """Read the number of entries of a table."""
        offset = self.pos
        count = self.read_int()
        if count < 0 or count * self.smallest_entry > self.left:
            raise self.fail(
                f"a table of {count} entries, but only {self.left} bytes are left", offset=offset
            )
        return count

    def read_raw_string(self) -> bytes:
        """Read a string's length and bytes."""
        return self.read_bytes(self.read_count("a string"))

    def read_string(self) -> str | bytes:
        """Read a string's length and bytes, and decode it."""
        return self.decode(self.read_raw_string())

    def read_class_name(self) -> tuple[str, int]:
        """Read the class and version at the start of an object.

        Files of before versions have the name alone; that is version 0. Source: torch7 File.lua.
        """
        offset = self.pos
        raw = self.read_raw_string()
        version = 0
        if raw == b"V 1":
            version = 1
            offset = self.pos
            raw = self.read_raw_string()
        elif raw.startswith(b"V "):
            try:
                version = int(float(raw[2:]))
            except (ValueError, OverflowError):
                raise self.fail(f"a class of version {raw[2:12]!r}", offset=offset) from None
            offset = self.pos
            raw = self.read_raw_string()
        name = self.class_names.get(raw)
        if name is None:
            name = raw.decode("latin-1")
            if not (0 < len(raw) <= 256 and raw.isascii() and name.isprintable()):
                raise self.fail(
                    f"{raw[:20]!r} where the name of a class is expected", offset=offset
                )
            self.class_names[raw] = name
        return name, version

    def decode(self, raw: bytes) -> str | bytes:
        """Return the string for `raw`."""
        encoding = self.encoding
        return raw if encoding is None else raw.decode(encoding, "surrogateescape")

    def decode_name(self, raw: bytes) -> str | bytes:
        """Return the string for `raw`, a key; equal short ones are one object."""
        name = self.names.get(raw)
        if name is None:
            name = self.decode(raw)
            if len(raw) <= SHORT and len(self.names) < SHARED_NAMES:
                self.names[raw] = name
        return name

    def read_number(self) -> int | float:
        """Read a double; whole numbers within 2^53 become int, -0.0 stays."""
        value = self.read_double()
        if value.is_integer() and -EXACT <= value <= EXACT and (value or str(value) == "0.0"):
            return int(value)
        return value

    def read_boolean(self) -> bool:
        """Read a boolean: an int that is 1 for true (File.lua, readBool)."""
        return self.read_int() == 1

    def fill(self, stack: list[Frame], objects: dict[int, Any]) -> bool:
        """Read entries of the table on top of `stack`.

        Returns
        -------
        bool
            True when the table is complete; False where a record begins that is not a nil,
            number, string, boolean or reference, and the reader has to take over.
        """
        frame = stack[-1]
        assert isinstance(frame, TableFrame)
        while frame.left:
            start = self.pos
            tag = self.read_int()
            if tag == NUMBER:
                value: Any = self.read_number()
            elif tag == STRING:
                raw = self.read_raw_string()
                value = self.decode_name(raw) if frame.key is NO_KEY else self.decode(raw)
            elif tag == BOOLEAN:
                value = self.read_boolean()
            elif tag == NIL:
                value = None
            else:
                self.pos = start
                return False
            if frame.key is NO_KEY:
                frame.key = self.check_key(as_key(value), start)
            else:
                frame.take(value)
        return True

    def check_key(self, key: Any, offset: int) -> Any:
        """Return `key`, unless Lua has no such key.

        Raises
        ------
        T7Error
            For nil and nan, and for objects that Python cannot hash.
        """
        if key is None:
            raise self.fail("a table with the key nil", offset=offset)
        if isinstance(key, float) and key != key:
            raise self.fail("a table with the key nan", offset=offset)
        try:
            hash(key)
        except TypeError as error:
            raise self.fail(f"a table's key cannot be one: {error}", offset=offset) from error
        return key
