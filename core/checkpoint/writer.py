"""Writing objects so that Torch7 reads them: the counterpart of reader.py, also iterative."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import numpy as np

from ..backend import to_numpy
from ..dtypes import DtypeError
from ..storage import Storage
from ..tensor import Tensor
from .decoder import BOOLEAN, FUNCTION, NIL, NUMBER, STRING, TABLE, TORCH
from .encoder import Encoder
from .errors import T7Error
from .extent import Extents, Part, range_of
from .frames import TableFrame, object_path
from .objects import LuaFunction
from .records import RecordWriter
from .registry import CLASSES, LAYOUTS, fields_of, identity_of
from .table import EXACT, Table
from .torch_types import storage_class, tensor_class


class ObjectWriter:
    """Writes one object after the other; what was written before is referred to by number.

    Parameters
    ----------
    encoder : Encoder
    encoding : str
        Of strings, with surrogateescape.
    extents : Extents
        Says which part of each storage to write.
    """

    def __init__(self, encoder: Encoder, encoding: str, extents: Extents) -> None:
        self.encoder = encoder
        self.encoding = encoding
        self.extents = extents
        self._record = RecordWriter(encoder)
        self._numbers: dict[int, int] = {}
        self._last = 0
        self._alive: list[Any] = []
        self._stack: list[_Frame] = []

    def write(self, value: Any) -> None:
        """Write one object, with all that it holds.

        The writer of a class's record may call this in the middle of another object.

        Raises
        ------
        T7Error
            For a value that Torch7 has nothing for, with its path.
        """
        outer, self._stack = self._stack, []
        try:
            self._start(value)
            stack = self._stack
            while stack:
                for child in stack[-1].children:
                    depth = len(stack)
                    self._start(child)
                    if len(stack) > depth:
                        break
                else:
                    stack.pop()
        except T7Error as error:
            if error.path is None:
                error.path = self._path(outer + self._stack)
            raise
        finally:
            self._stack = outer

    @staticmethod
    def _path(stack: list[_Frame]) -> str:
        frames = [frame.shown for frame in stack if frame.shown is not None]
        return object_path(list(frames))

    def _start(self, value: Any) -> None:
        """Write a plain value, or the beginning of an object whose parts follow."""
        encoder = self.encoder
        kind = type(value)
        if kind is str:
            raw = self._encode(value)
            encoder.write_header(STRING, len(raw))
            encoder.write_bytes(raw)
        elif kind is int or kind is float:
            encoder.write_number(NUMBER, self._double(value))
        elif kind is bool:
            encoder.write_header(BOOLEAN, int(value))
        elif value is None:
            encoder.write_int(NIL)
        elif kind is Table:
            if self._refer(TABLE, value):
                self._push_table(value)
        else:
            self._start_other(value)

    def _start_other(self, value: Any) -> None:
        if isinstance(value, bytes):
            self.encoder.write_header(STRING, len(value))
            self.encoder.write_bytes(value)
        elif isinstance(value, Tensor):
            if self._refer(TORCH, value):
                self._write_tensor(value)
        elif isinstance(value, Storage):
            self._write_storage(value, self.extents.part(value, (0, value.size)))
        elif isinstance(value, LuaFunction):
            self._write_function(value)
        elif (identity := identity_of(value)) is not None:
            if self._refer(TORCH, value):
                self._write_object(value, *identity)
        elif isinstance(value, np.ndarray):
            if self._refer(TORCH, value):
                self._write_tensor(self._as_tensor(value))
        elif isinstance(value, (Mapping, list, tuple, Table)):
            if self._refer(TABLE, value):
                self._push_table(value if isinstance(value, Table) else self._as_table(value))
        elif isinstance(value, (np.generic, str, int, float)):
            self._start(_plain(value))
        else:
            self._start_unknown(value)

    def _start_unknown(self, value: Any) -> None:
        """Refuse a value that Torch7 has nothing for."""
        raise T7Error(
            f"an object of class {type(value).__qualname__} has no place in a Torch7 file",
            hint="Leave it out, or register its class: rekindle.register('my.Class', cls)",
        )

    def _refer(self, tag: int, value: Any) -> bool:
        """Write an object's type and number; return whether its contents must follow."""
        number = self._numbers.get(id(value))
        if number is not None:
            self.encoder.write_header(tag, number)
            return False
        self._last = number = self._last + 1
        self._numbers[id(value)] = number
        self._alive.append(value)  # or its id could be given to another object
        self.encoder.write_header(tag, number)
        return True

    # -- tables and objects -------------------------------------------------------------

    def _push_table(self, table: Table) -> None:
        frame = TableFrame(table, table.count())
        self.encoder.write_int(table.count())
        self._stack.append(_Frame(_entries(table, frame), frame))

    def _as_table(self, value: Any) -> Table:
        try:
            return Table(value)
        except KeyError as error:
            raise T7Error(f"a {type(value).__name__} is no Lua table: {error.args[0]}") from None

    def _write_class(self, typename: str, version: int) -> None:
        self.encoder.write_string(b"V %d" % version)
        self.encoder.write_string(typename.encode("ascii", "replace"))

    def _write_object(self, value: Any, typename: str, version: int) -> None:
        self._write_class(typename, version)
        known = CLASSES.get(typename)
        parts: Iterator[Any] | None
        if known is not None and known.write is not None:
            parts = known.write(value, self._record)
        elif known is not None and known.read is not None:
            raise T7Error(
                f"class {typename} is registered with a reader of its record and no writer",
                hint=f"register({typename!r}, ..., write=...)",
            )
        elif (layout := LAYOUTS.get(typename)) is not None and version >= layout.since:
            parts = layout.write(fields_of(value), self._record)
        else:
            parts = iter([self._fields_of(value)])
        if parts is not None:
            self._stack.append(_Frame(parts, None, typename))

    def _fields_of(self, value: Any) -> Table:
        """Return the fields under which an object is written."""
        return fields_of(value)

    def _write_function(self, function: LuaFunction) -> None:
        if function.tag == FUNCTION:  # the oldest kind has no number
            self.encoder.write_int(FUNCTION)
        elif not self._refer(function.tag, function):
            return
        self.encoder.write_string(function.bytecode)
        self._stack.append(_Frame(iter([function.upvalues]), None))

    # -- tensors ------------------------------------------------------------------------

    def _as_tensor(self, array: np.ndarray[Any, Any]) -> Tensor:
        if any(s % array.itemsize for s in array.strides):
            array = np.ascontiguousarray(array)
        try:
            return Tensor(array)
        except DtypeError:
            raise T7Error(
                f"an array of {array.dtype} has no tensor type in Torch7",
                hint="Convert it: Torch7 has uint8, int8 to int64, and float16 to float64",
            ) from None

    def _write_tensor(self, tensor: Tensor) -> None:
        """Write a tensor's view, then its storage. Source: torch7 generic/Tensor.c."""
        if any(s < 0 for s in tensor.stride()):
            tensor = Tensor(np.ascontiguousarray(tensor.numpy()))
        storage, shape, strides = tensor.storage(), tensor.shape, tensor.stride()
        offset = tensor.storage_offset()
        if not shape:
            shape, strides = (1,), (1,)
        elif 0 in shape:
            shape, strides = (), ()
        self._write_class(tensor_class(tensor.dtype), 1)
        encoder = self.encoder
        part = self.extents.part(storage, range_of(offset, shape, strides))
        encoder.write_int(len(shape))
        encoder.write_longs(shape)
        encoder.write_longs(strides)
        encoder.write_longs([offset - part[0] + 1])
        if storage.size:
            self._write_storage(storage, part)
        else:
            encoder.write_int(NIL)

    def _write_storage(self, storage: Storage, part: Part) -> None:
        if not self._refer(TORCH, storage):
            return
        start, stop = part
        self._write_class(storage_class(storage.dtype), 1)
        self.encoder.write_longs([stop - start])
        self.encoder.write_values(to_numpy(storage.raw)[start:stop])

    # -- plain values -------------------------------------------------------------------

    def _encode(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding, "surrogateescape")
        except UnicodeEncodeError as error:
            raise T7Error(
                f"the string {text[:40]!r} has characters that {self.encoding} lacks",
                hint="Save with the encoding that the file was loaded with",
            ) from error

    def _double(self, value: int | float) -> float:
        if type(value) is int and abs(value) > EXACT:
            try:
                exact = float(value) == value
            except OverflowError:
                exact = False
            if not exact:
                shown = str(value) if abs(value) < 10**20 else "beyond 10^20"
                raise T7Error(
                    f"the integer {shown} is not a double, which all Lua numbers are",
                    hint="Put it into an int64 tensor, or make it a string",
                )
        return value


class _Frame:
    """An object half written: what is still to come of it, and its part in error paths."""

    __slots__ = ("children", "shown", "typename")

    def __init__(
        self,
        children: Iterator[Any] | Generator[Any, None, None],
        shown: TableFrame | None,
        typename: str | None = None,
    ) -> None:
        self.children = children
        self.shown = shown
        self.typename = typename


def _entries(table: Table, frame: TableFrame) -> Generator[Any, None, None]:
    for key, value in table.items():
        yield key
        frame.key = key
        yield value


def _plain(value: Any) -> Any:
    """Return the plain Python value of a NumPy scalar or of a subclass of str, int or float."""
    if isinstance(value, np.generic):
        plain = value.item()
        if isinstance(plain, (bool, int, float, str, bytes)):
            return plain
        raise T7Error(f"a NumPy scalar of {value.dtype} has no place in a Torch7 file")
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(type(value))
