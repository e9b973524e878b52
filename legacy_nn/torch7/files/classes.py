"""How a torch.File makes, reads and writes objects of classes that a program defines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint import LuaFunction, Table

from ...lualib import type_of

if TYPE_CHECKING:
    from .file import File


@dataclass(frozen=True, slots=True)
class FileClass:
    """How the objects of one class are made, and read and written where they do it themselves.

    Attributes
    ----------
    factory : callable
        `factory(file)` returns an object without fields: Torch's `torch.factory(typename)`.
    read : callable or None
        `read(object, file, version)`, the class's method `read` in Lua.
    write : callable or None
        `write(object, file)`, its method `write`.
    """

    factory: Callable[[File], Any]
    read: Callable[[Any, File, int], object] | None = None
    write: Callable[[Any, File], object] | None = None


class Foreign:
    """How functions go into a file and come out of it; here they stay LuaFunction.

    Whoever runs Lua derives a class from this, for the values of that Lua.
    """

    def type_of(self, value: Any) -> str:
        """Return what Lua's `type` says of a value that cannot be written."""
        return type_of(value)

    def dump(self, value: Any, memory: dict[str, Any]) -> LuaFunction | None:
        """Return a value that is a function as it is written; None for anything else.

        `memory` is the file's, for what functions share: empty before the first one.
        """
        return None

    def load(self, bytecode: bytes) -> Any:
        """Return the function of a file, still without its captured variables."""
        return LuaFunction(bytecode)

    def capture(self, function: Any, upvalues: Any, tag: int, memory: dict[str, Any]) -> None:
        """Give a function that `load` returned its captured variables; see LuaFunction."""
        function.upvalues, function.tag = upvalues, tag

    def bind(self, value: Any) -> None:
        """Make functions among the fields of a Python object, now read, its methods."""


class FileClasses:
    """The classes that a file knows beside those registered with `rekindle.register`.

    Classes are looked up here first. A Python class registered there, or with an attribute
    `t7_typename`, may also just have methods `read(file, version)` and `write(file)`.

    Parameters
    ----------
    foreign : Foreign, optional

    Attributes
    ----------
    table_type : type of Table
        What tables in files become.
    """

    table_type: type[Table] = Table

    def __init__(self, foreign: Foreign | None = None) -> None:
        self.foreign = Foreign() if foreign is None else foreign
        self._classes: dict[str, FileClass] = {}

    def register(
        self,
        typename: str,
        factory: Callable[[File], Any],
        *,
        read: Callable[[Any, File, int], object] | None = None,
        write: Callable[[Any, File], object] | None = None,
    ) -> None:
        """Say how the objects of a class are made, read and written: see FileClass.

        Without `read`, an object gets its fields through its method
        `t7_restore(version, fields)`, else as attributes.
        """
        self._classes[typename] = FileClass(factory, read, write)

    def forget(self, typename: str) -> None:
        """Take a class out again."""
        del self._classes[typename]

    def get(self, typename: str) -> FileClass | None:
        """Return how a class is read and written; None if it is not known here."""
        return self._classes.get(typename) or BUILT_IN.get(typename)


BUILT_IN: dict[str, FileClass] = {}
"""Classes of Torch7's own library that every file knows."""

STANDARD = FileClasses()
"""What files use that are given no others."""
