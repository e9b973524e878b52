"""Reading objects: tables, classes and functions, in any nesting, without recursion."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from .decoder import (
    BOOLEAN,
    FUNCTION,
    NIL,
    NUMBER,
    OLD_RECUR_FUNCTION,
    RECUR_FUNCTION,
    STRING,
    TABLE,
    TORCH,
    Decoder,
)
from .errors import T7Error
from .frames import (
    NO_KEY,
    UNFINISHED,
    Frame,
    FunctionFrame,
    ObjectFrame,
    RecordFrame,
    TableFrame,
    object_path,
)
from .objects import LuaFunction, TorchObject, new_torch_object
from .records import RecordReader, register_hint
from .registry import CLASSES, LAYOUTS, ReadRecord, TorchClass, restore
from .table import Table, as_key
from .tensors import read_storage, read_tensor
from .torch_types import STORAGE_CLASSES, TENSOR_CLASSES


class ObjectReader:
    """Reads one object after the other; they may refer to each other, as in Torch7.

    Attributes
    ----------
    unknown : dict of str to int
        Classes that nobody registered, in order, and where each was last seen.
    table_type : type of Table
        What tables become.
    """

    table_type: type[Table] = Table

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.unknown: dict[str, int] = {}
        self._objects: dict[int, Any] = {}
        self._stack: list[Frame] = []

    def read(self) -> Any:
        """Read the next object, with all that it holds.

        The reader of a class's record may call this in the middle of another object.

        Raises
        ------
        T7Error
            For whatever is wrong in the file, with the path of the object.
        """
        outer, self._stack = self._stack, []
        try:
            with _without_gc():
                return self._read()
        except UnicodeError as cause:  # utf-8 and latin-1 take any bytes, utf-16 does not
            error = self.decoder.fail(
                f"a string is not {self.decoder.encoding}: {cause}",
                hint="Load with encoding='latin-1', or None for bytes",
            )
            error.path = object_path(outer + self._stack)
            raise error from cause
        except T7Error as error:
            if error.path is None:
                error.path = object_path(outer + self._stack)
            if self.unknown and error.hint is None:
                name = next(reversed(self.unknown))
                error.hint = (
                    f"Or class {name}, which was read as one table, writes its own record. "
                    + register_hint(name)
                )
            raise
        finally:
            self._stack = outer

    def _read(self) -> Any:
        stack, objects, fill = self._stack, self._objects, self.decoder.fill
        while True:
            if stack and isinstance(stack[-1], TableFrame):
                frame = stack[-1]
                if fill(stack, objects):
                    value: Any = frame.table
                    stack.pop()
                else:
                    value = self._record()
            else:
                value = self._record()
            while value is not UNFINISHED:
                if not stack:
                    return value
                top = stack[-1]
                if isinstance(top, TableFrame):
                    if top.key is NO_KEY:
                        top.key = self.decoder.check_key(as_key(value), self.decoder.pos)
                    else:
                        top.take(value)
                    break
                value = top.take(value)
                if value is not UNFINISHED:
                    stack.pop()

    def _record(self) -> Any:
        """Read one object, or as much of it as comes before its first part."""
        decoder, objects = self.decoder, self._objects
        offset = decoder.pos
        tag = decoder.read_int()
        if tag == NIL:
            return None
        if tag == NUMBER:
            return decoder.read_number()
        if tag == STRING:
            return decoder.read_string()
        if tag == BOOLEAN:
            return decoder.read_boolean()
        if tag == FUNCTION:
            return self._start_function(tag, None)
        if tag not in (TABLE, TORCH, RECUR_FUNCTION, OLD_RECUR_FUNCTION):
            raise self._no_object(tag, offset)
        index = decoder.read_index()
        known = objects.get(index)
        if known is not None:
            return known
        if tag == TABLE:
            size = decoder.read_table_size()
            objects[index] = table = self.table_type()
            self._stack.append(TableFrame(table, size))
            return UNFINISHED
        if tag == TORCH:
            return self._start_object(index)
        return self._start_function(tag, index)

    def _no_object(self, tag: int, offset: int) -> T7Error:
        return self.decoder.fail(f"a record of type {tag}; types are 0 to 8", offset=offset)

    def _start_object(self, index: int) -> Any:
        offset = self.decoder.pos
        typename, version = self.decoder.read_class_name()
        return self._start_class(typename, version, index, offset)

    def _start_class(self, typename: str, version: int, index: int, offset: int) -> Any:
        """Read an object whose class was read at `offset`, as far as its first part."""
        decoder, objects = self.decoder, self._objects
        dtype = TENSOR_CLASSES.get(typename)
        if dtype is not None:
            objects[index] = value = read_tensor(decoder, dtype, objects)
            return value
        dtype = STORAGE_CLASSES.get(typename)
        if dtype is not None:
            objects[index] = storage = read_storage(decoder, dtype)
            return storage
        known, layout = CLASSES.get(typename), LAYOUTS.get(typename)
        if known is not None and known.read is not None:
            return self._start_record(known.read, typename, version, index)
        if known is None and layout is None:
            self.unknown.pop(typename, None)
            self.unknown[typename] = offset
        objects[index] = value = _new_object(known, typename, version)
        frame = ObjectFrame(value, typename, version, self._finish_object)
        self._stack.append(frame)
        if layout is None or version < layout.since:
            return UNFINISHED
        # What the layout returns are the fields, which the frame below is waiting for.
        return self._start_record(layout.read, typename, version, None)

    def _start_record(
        self, read: ReadRecord, typename: str, version: int, index: int | None
    ) -> Any:
        """Run a reader of a class's own record as far as its first part."""
        record = RecordReader(typename, version, index, self.decoder, self._objects)
        result = read(record)
        if isinstance(result, Generator):
            return self._start(_announced(record, result))
        record.announce(result)
        return result

    def _finish_object(self, frame: ObjectFrame, fields: Any) -> None:
        """Give an object its fields."""
        if not isinstance(fields, Table):
            raise T7Error(
                f"class {frame.typename} writes its own record: no table follows its name",
                offset=self.decoder.pos,
                hint=register_hint(frame.typename),
            )
        try:
            restore(frame.value, frame.typename, frame.version, fields)
        except Exception as error:  # whatever a class makes of fields that nobody checked
            raise self.decoder.fail(
                f"{frame.typename}: cannot be made from its fields: {error!r}"
            ) from error

    def _start_function(self, tag: int, index: int | None) -> Any:
        """Read a function; its bytecode is kept as bytes. Source: torch7 File.lua."""
        decoder = self.decoder
        code = decoder.read_bytes(decoder.read_count("a function"))
        function = LuaFunction(code, None, tag)
        if index is not None:
            self._objects[index] = function
        self._stack.append(FunctionFrame(function))
        return UNFINISHED

    def _start(self, generator: Generator[None, Any, Any]) -> Any:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value
        self._stack.append(RecordFrame(generator))
        return UNFINISHED


def _new_object(known: TorchClass | None, typename: str, version: int) -> Any:
    """Return an object without fields yet, for objects refer to each other in cycles."""
    cls: Any = None if known is None else known.cls
    if cls is None or cls is TorchObject:
        return new_torch_object(typename, version)
    return cls.__new__(cls)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Pause the garbage collector: it would walk over what is read again and again.

    Reading makes containers by the hundred thousand and no garbage; this saves a fifth.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _announced(
    record: RecordReader, generator: Generator[None, Any, Any]
) -> Generator[None, Any, Any]:
    """Run a reader; other objects may refer to its result from then on."""
    value = yield from generator
    record.announce(value)
    return value
