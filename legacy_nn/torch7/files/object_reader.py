"""Objects read from a file that stays open: classes may read their own record themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint.decoder import Decoder
from rekindle.core.checkpoint.frames import UNFINISHED, FunctionFrame, ObjectFrame
from rekindle.core.checkpoint.reader import ObjectReader
from rekindle.core.checkpoint.registry import CLASSES, LAYOUTS
from rekindle.core.checkpoint.table import Table
from rekindle.core.checkpoint.torch_types import STORAGE_CLASSES, TENSOR_CLASSES

from ..errors import TorchError
from .classes import FileClasses, Foreign

if TYPE_CHECKING:
    from .file import File


class FileReader(ObjectReader):
    """Reads objects with Torch's errors; unknown classes are refused, as in Torch.

    Parameters
    ----------
    decoder : Decoder
    file : File
        What classes read their record from.
    classes : FileClasses
    objects : dict
        Objects by number, those read before among them.
    memory : dict
        What the functions read before share; see Foreign.
    """

    def __init__(
        self,
        decoder: Decoder,
        file: File,
        classes: FileClasses,
        objects: dict[int, Any],
        memory: dict[str, Any],
    ) -> None:
        super().__init__(decoder)
        self._file = file
        self._classes = classes
        self.table_type = classes.table_type
        self._numbered = objects
        self._memory = memory

    def read_one(self, referenced: bool) -> Any:
        """Read the next object; where `referenced` is False, numbers mean nothing."""
        before = self._objects
        self._objects = self._numbered if referenced else _Forgetful()
        try:
            return self.read()
        finally:
            self._objects = before

    def _no_object(self, tag: int, offset: int) -> Any:
        return TorchError("unknown object")

    def _start_class(self, typename: str, version: int, index: int, offset: int) -> Any:
        known = self._classes.get(typename)
        if known is not None:
            self._objects[index] = value = known.factory(self._file)
            read = known.read or _own_read(type(value))
            if read is None:
                self._stack.append(ObjectFrame(value, typename, version, self._restore))
                return UNFINISHED
            self._hand_over(read, value, version)
            return value
        registered = CLASSES.get(typename)
        cls: Any = None if registered is None or registered.read else registered.cls
        if cls is not None and (read := _own_read(cls)) is not None:
            self._objects[index] = value = cls.__new__(cls)
            self._hand_over(read, value, version)
            return value
        if registered is None and not any(
            typename in names for names in (TENSOR_CLASSES, STORAGE_CLASSES, LAYOUTS)
        ):
            raise TorchError(f"unknown Torch class <{typename}>")
        return super()._start_class(typename, version, index, offset)

    def _hand_over(self, read: Any, value: Any, version: int) -> None:
        """Let a class read its record from the file."""
        self._file._move(self.decoder.pos)
        read(value, self._file, version)
        self.decoder.pos = self._file._position()

    def _restore(self, frame: ObjectFrame, fields: Any) -> None:
        if not isinstance(fields, Table):
            raise self.decoder.fail(f"{frame.typename}: no table of fields follows its name")
        if hasattr(frame.value, "t7_restore"):
            frame.value.t7_restore(frame.version, fields)
            return
        for name, field in fields.items():
            setattr(frame.value, name, field)

    def _finish_object(self, frame: ObjectFrame, fields: Any) -> None:
        super()._finish_object(frame, fields)
        self._classes.foreign.bind(frame.value)

    def _start_function(self, tag: int, index: int | None) -> Any:
        decoder, foreign = self.decoder, self._classes.foreign
        function = foreign.load(decoder.read_bytes(decoder.read_count("a function")))
        if index is not None:
            self._objects[index] = function
        self._stack.append(_ForeignFrame(function, tag, foreign, self._memory))
        return UNFINISHED


class _ForeignFrame(FunctionFrame):
    """A function of another language whose captured variables are being read."""

    __slots__ = ("foreign", "memory", "tag")

    def __init__(self, function: Any, tag: int, foreign: Foreign, memory: dict[str, Any]) -> None:
        super().__init__(function)
        self.tag = tag
        self.foreign = foreign
        self.memory = memory

    def take(self, value: Any) -> Any:
        """Hand over the variables; return the finished function."""
        self.foreign.capture(self.function, value, self.tag, self.memory)
        return self.function


class _Forgetful(dict[int, Any]):
    """Keeps nothing: every object of a file without references is a new one."""

    def __setitem__(self, key: int, value: Any) -> None:
        pass


def _own_read(cls: type) -> Any:
    read = getattr(cls, "read", None)
    return read if callable(read) else None
