"""What the reader and the writer of one class's record work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import T7Error
from .table import as_key

if TYPE_CHECKING:
    from .decoder import Decoder
    from .encoder import Encoder


class RecordReader:
    """One object's record while it is read: Torch7's `torch.File` as a class's `read` sees it.

    Attributes
    ----------
    typename : str
    version : int
        The class as the file names it.
    """

    __slots__ = ("_decoder", "_index", "_objects", "typename", "version")

    def __init__(
        self,
        typename: str,
        version: int,
        index: int | None,
        decoder: Decoder,
        objects: dict[int, Any],
    ) -> None:
        self.typename = typename
        self.version = version
        self._index = index
        self._decoder = decoder
        self._objects = objects

    def announce(self, value: Any) -> None:
        """Say which object this will be, before its parts are read that may refer to it."""
        if self._index is not None:
            self._objects[self._index] = value

    def read_int(self) -> int:
        """Read an int, as `file:writeInt` wrote it."""
        return self._decoder.read_int()

    def read_long(self) -> int:
        """Read a long, as `file:writeLong` wrote it."""
        self._decoder.settle_storage(None)
        return self._decoder.read_long()

    def read_short(self) -> int:
        """Read a short, as `file:writeShort` wrote it."""
        return self._decoder.read_short()

    def read_double(self) -> float:
        """Read a double, as `file:writeDouble` wrote it."""
        return self._decoder.read_double()

    def read_float(self) -> float:
        """Read a float, as `file:writeFloat` wrote it."""
        return self._decoder.read_float()

    def read_bool(self) -> bool:
        """Read a boolean, as `file:writeBool` wrote it."""
        return self._decoder.read_boolean()

    def read_bytes(self, count: int) -> bytes:
        """Read `count` bytes, as `file:writeChar` and `writeByte` wrote them."""
        return self._decoder.read_bytes(count)

    def read_count(self, smallest: int = 1) -> int:
        """Read a long that counts things of at least `smallest` bytes each.

        Raises
        ------
        T7Error
            If that many cannot follow.
        """
        offset = self._decoder.pos
        count = self.read_long()
        if count < 0 or count * smallest > self._decoder.left:
            raise self._decoder.fail(
                f"{count} elements, but only {self._decoder.left} bytes are left", offset=offset
            )
        return count

    def check_key(self, key: Any) -> Any:
        """Return what stands for `key` in a table's dict.

        Raises
        ------
        T7Error
            If it cannot be a key: nil, nan, or an object that Python cannot hash.
        """
        return self._decoder.check_key(as_key(key), self._decoder.pos)

    def fail(self, problem: str, hint: str | None = None) -> T7Error:
        """Return the error to raise for a record that is not what it should be."""
        return self._decoder.fail(f"{self.typename}: {problem}", hint=hint)


class RecordWriter:
    """One object's record while it is written: the counterpart of RecordReader."""

    __slots__ = ("_encoder",)

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def write_int(self, value: int) -> None:
        """Write an int, for `file:readInt`."""
        self._encoder.write_int(value)

    def write_long(self, value: int) -> None:
        """Write a long, for `file:readLong`."""
        self._encoder.write_longs([value])

    def write_short(self, value: int) -> None:
        """Write a short, for `file:readShort`."""
        self._encoder.write_short(value)

    def write_double(self, value: float) -> None:
        """Write a double, for `file:readDouble`."""
        self._encoder.write_double(value)

    def write_float(self, value: float) -> None:
        """Write a float, for `file:readFloat`."""
        self._encoder.write_float(value)

    def write_bool(self, value: bool) -> None:
        """Write a boolean, for `file:readBool`."""
        self._encoder.write_int(int(value))

    def write_bytes(self, value: bytes) -> None:
        """Write bytes, for `file:readChar` and `readByte`."""
        self._encoder.write_bytes(value)


def register_hint(typename: str) -> str:
    """Return what to do about a class that writes its own record."""
    return (
        f"Register a reader for it: rekindle.register({typename!r}, read=...), "
        "which does what the class's read method does in Lua"
    )
