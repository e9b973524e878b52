"""readObject and writeObject: the checkpoint reader and writer on a file that stays open.

Objects keep their numbers from call to call, and classes may read and write their own
record in the middle of another object, with the file's own methods.

Source: torch7 File.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from rekindle.core.checkpoint import LuaFunction, Table
from rekindle.core.checkpoint.ascii import AsciiDecoder
from rekindle.core.checkpoint.binary import BinaryDecoder
from rekindle.core.checkpoint.decoder import (
    BOOLEAN,
    NIL,
    NUMBER,
    RECUR_FUNCTION,
    STRING,
    TABLE,
    TORCH,
    Decoder,
)
from rekindle.core.checkpoint.encoder import AsciiEncoder, BinaryEncoder, Encoder
from rekindle.core.checkpoint.registry import identity_of
from rekindle.core.checkpoint.source import Source
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .classes import FileClasses
from .object_reader import FileReader
from .object_writer import FileWriter

if TYPE_CHECKING:
    from .file import File

Form = tuple[bool, bool, int, bool]
"""Binary, big-endian, bytes of a long, spacing."""


class ObjectStream:
    """The objects of one file: those read, those written, and how they are encoded.

    Attributes
    ----------
    referenced : bool
        Whether an object that comes twice is written once, and read as one.
    """

    def __init__(self, file: File, classes: FileClasses) -> None:
        self.referenced = True
        self._owner = ref(file)  # a file nobody has any more is closed at once, not later
        self._classes = classes
        self._read_objects: dict[int, Any] = {}
        self._memory: dict[str, Any] = {}
        self._reading: tuple[Form, FileReader] | None = None
        self._writer: FileWriter | None = None
        self._encoding: tuple[Form, Encoder] | None = None

    @property
    def _file(self) -> File:
        file = self._owner()
        assert file is not None
        return file

    def _form(self) -> Form:
        file = self._file
        return file._binary, file._big_endian, file._long_size, file._spacing

    def encoder(self) -> Encoder:
        """Return what writes elementary values in the present form."""
        form = self._form()
        if self._encoding is not None and self._encoding[0] == form:
            return self._encoding[1]
        if self._encoding is not None:
            self._encoding[1].flush()
        binary, big_endian, long_size, spacing = form
        sink: Any = _Sink(self._owner)
        encoder: Encoder
        if binary:
            encoder = BinaryEncoder(sink, big_endian=big_endian, long_size=long_size)
        else:
            encoder = AsciiEncoder(sink, spacing=spacing)
        self._encoding = form, encoder
        return encoder

    def _decoder(self) -> Decoder:
        binary, big_endian, long_size, _ = self._form()
        source = Source(self._file._contents(), 0, None, views=False)
        if not binary:
            return AsciiDecoder(source, "latin-1")
        return BinaryDecoder(source, "latin-1", big_endian=big_endian, long_size=long_size)

    def read(self) -> Any:
        """Read the next object."""
        form, outer = self._form(), self._reading
        if outer is not None and outer[0] == form:
            reader = outer[1]
        else:
            reader = FileReader(
                self._decoder(), self._file, self._classes, self._read_objects, self._memory
            )
        self._reading = form, reader
        reader.decoder.pos = self._file._position()
        try:
            return reader.read_one(self.referenced)
        finally:
            self._file._move(reader.decoder.pos)
            self._reading = outer

    def write(self, value: Any, name: str | None, hook: Callable[[Any], Any] | None) -> None:
        """Write an object."""
        encoder = self.encoder()
        if self._writer is None:
            self._writer = FileWriter(encoder, self._classes)
        try:
            with self._writer.writing_to(self._file, encoder):
                self._writer.write_one(value, name, hook, self.referenced)
        finally:
            encoder.flush()

    def type_number(self, value: Any) -> int | None:
        """Return the type number of the record that would be written, or None."""
        if value is None:
            return NIL
        for kinds, number in _TYPE_NUMBERS:
            if isinstance(value, kinds):
                return number
        if identity_of(value) is not None:
            return TORCH
        if self._classes.foreign.dump(value, {}) is not None:
            return RECUR_FUNCTION
        return TABLE if isinstance(value, (Table, dict, list, tuple)) else None


_TYPE_NUMBERS: tuple[tuple[tuple[type, ...], int], ...] = (
    ((bool, np.bool_), BOOLEAN),
    ((int, float, np.integer, np.floating), NUMBER),
    ((str, bytes), STRING),
    ((LuaFunction,), RECUR_FUNCTION),
    ((Tensor, Storage, np.ndarray), TORCH),
)


class _Sink:
    """What an encoder hands its bytes to."""

    def __init__(self, owner: ref[File]) -> None:
        self._owner = owner

    def write(self, raw: bytes) -> None:
        file = self._owner()
        assert file is not None
        file._write(raw)
