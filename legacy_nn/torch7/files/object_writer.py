"""Objects written to a file that stays open: classes may write their own record themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint.decoder import RECUR_FUNCTION
from rekindle.core.checkpoint.encoder import Encoder
from rekindle.core.checkpoint.extent import Whole
from rekindle.core.checkpoint.frames import NO_KEY
from rekindle.core.checkpoint.records import RecordWriter
from rekindle.core.checkpoint.registry import CLASSES, LAYOUTS, identity_of
from rekindle.core.checkpoint.table import Table
from rekindle.core.checkpoint.writer import ObjectWriter, _Frame

from ..errors import TorchError
from .classes import FileClasses

if TYPE_CHECKING:
    from .file import File

Hook = Callable[[Any], Any]

_DEEPEST = 10_000
"""Levels of tables without references; a table inside itself would have no end."""


class FileWriter(ObjectWriter):
    """Writes objects with Torch's errors and warnings, each storage whole.

    Parameters
    ----------
    encoder : Encoder
    classes : FileClasses
    """

    def __init__(self, encoder: Encoder, classes: FileClasses) -> None:
        super().__init__(encoder, "latin-1", Whole())
        self._file: File | None = None
        self._classes = classes
        self._hook: Hook | None = None
        self._referenced = True
        self._above: list[str] = []
        self._memory: dict[str, Any] = {}

    @contextmanager
    def writing_to(self, file: File, encoder: Encoder) -> Iterator[None]:
        """Let classes write their record to `file`, and use its encoder of the moment."""
        before = self._file
        self._file, self.encoder = file, encoder
        self._record = RecordWriter(encoder)
        try:
            yield
        finally:
            self._file = before

    def write_one(self, value: Any, name: str | None, hook: Hook | None, referenced: bool) -> None:
        """Write an object; see File.writeObject and File.referenced."""
        before = self._hook, self._referenced, self._above
        self._above = [*self._place(), name or "<?>"]
        self._hook, self._referenced = hook, referenced
        try:
            self.write(value)
        finally:
            self._hook, self._referenced, self._above = before

    def _place(self) -> list[str]:
        """Return the names on the way to the object in progress. Source: File.lua, formatStack."""
        names = list(self._above)
        variables: Any = None
        variable: Any = None
        for frame in self._stack:
            key = NO_KEY if frame.shown is None else frame.shown.key
            if isinstance(frame, _FunctionFrame):
                variables = frame.upvalues
            elif variables is not None:  # the table of all captured variables
                variable = variables.get(key) if isinstance(variables, Table) else None
                variables = None
            elif isinstance(variable, Table) and key == "value" and "name" in variable:
                names.append(str(variable["name"]))
                variable = None
            elif frame.typename is not None:
                names.append(frame.typename)
            elif frame.shown is not None:
                plain = key is not NO_KEY and isinstance(key, (str, int, float))
                names.append(str(key) if plain else "<?>")
        return names

    def _start(self, value: Any) -> None:
        if self._hook is None:
            super()._start(value)
            return
        given = self._hook(value)
        if given is not value and self._referenced and id(value) in self._numbers:
            self._numbers[id(given)] = self._numbers[id(value)]
            self._alive.append(given)
        super()._start(given)
        if given is not value and self._referenced and id(given) in self._numbers:
            self._numbers[id(value)] = self._numbers[id(given)]
            self._alive.append(value)

    def _refer(self, tag: int, value: Any) -> bool:
        if self._referenced:
            return super()._refer(tag, value)
        if len(self._stack) > _DEEPEST:
            raise TorchError(
                "stack overflow: without references, a table that holds itself has no end"
            )
        self._last += 1
        self.encoder.write_header(tag, self._last)
        return True

    def _start_unknown(self, value: Any) -> None:
        function = self._classes.foreign.dump(value, self._memory)
        if function is None:
            kind = self._classes.foreign.type_of(value)
            raise TorchError(f"Unwritable object <{kind}> at {'.'.join(self._place())}")
        if self._refer(RECUR_FUNCTION, value):
            self.encoder.write_string(function.bytecode)
            self._stack.append(_FunctionFrame(function.upvalues))

    def _write_object(self, value: Any, typename: str, version: int) -> None:
        known = self._classes.get(typename)
        write = None if known is None else known.write
        if write is None and not _has_record(typename):
            write = getattr(type(value), "write", None)
        if not callable(write):
            super()._write_object(value, typename, version)
            return
        assert self._file is not None
        self._write_class(typename, version)
        write(value, self._file)

    def _fields_of(self, value: Any) -> Table:
        """Return the fields that can be written; say which cannot, as Torch does."""
        fields, kept = super()._fields_of(value), Table()
        for name, field in fields.items():
            assert self._file is not None
            if self._file.isWritableObject(field) is None:
                identity = identity_of(value)
                typename = identity and identity[0]
                place = ".".join(self._place())
                print(f"$ Warning: cannot write object field <{name}> of <{typename}> {place}")
            else:
                kept[name] = field
        return kept


class _FunctionFrame(_Frame):
    """A function whose captured variables are being written."""

    __slots__ = ("upvalues",)

    def __init__(self, upvalues: Any) -> None:
        super().__init__(iter([upvalues]), None)
        self.upvalues = upvalues


def _has_record(typename: str) -> bool:
    """Whether the class is registered with a writer of its record, or has a known one."""
    registered = CLASSES.get(typename)
    return typename in LAYOUTS or (registered is not None and registered.write is not None)
