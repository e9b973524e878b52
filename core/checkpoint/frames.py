"""The reader's stack: what is half read, from the outermost object to the innermost.

A file nests as deep as its writer liked, so the reader keeps its own stack.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from .objects import LuaFunction
from .table import Table, _BoolKey

NO_KEY: Any = object()
"""In a TableFrame: the next object is a key."""

UNFINISHED: Any = object()
"""From a frame's `take`: it wants another object."""


class TableFrame:
    """A table whose entries are being read.

    Attributes
    ----------
    left : int
        Entries still to come, with the one in progress.
    key : object
        Key of the entry in progress, or NO_KEY.
    """

    __slots__ = ("entries", "key", "left", "table")

    def __init__(self, table: Table, left: int, key: Any = NO_KEY) -> None:
        self.table = table
        self.entries = table._map
        self.left = left
        self.key = key

    def take(self, value: Any) -> None:
        """Make `value` the value of the entry in progress; nil deletes, as in Lua."""
        if value is None:
            self.entries.pop(self.key, None)
        else:
            self.entries[self.key] = value
        self.key = NO_KEY
        self.left -= 1

    def label(self) -> str:
        """Return the entry in progress as Lua writes it: `.name` or `[3]`."""
        key = self.key.value if isinstance(self.key, _BoolKey) else self.key
        if key is NO_KEY:
            return ".<key>"
        if isinstance(key, bytes):
            key = key.decode("utf-8", "backslashreplace")
        if isinstance(key, str):
            return f".{key}" if key.isidentifier() else f"[{key[:40]!r}]"
        return (
            f"[{str(key).lower() if isinstance(key, (bool, int, float)) else type(key).__name__}]"
        )


class ObjectFrame:
    """An object whose record is one table of fields, as those of most classes are."""

    __slots__ = ("finish", "typename", "value", "version")

    def __init__(
        self, value: Any, typename: str, version: int, finish: Callable[[ObjectFrame, Any], None]
    ) -> None:
        self.value = value
        self.typename = typename
        self.version = version
        self.finish = finish

    def take(self, value: Any) -> Any:
        """Hand over the fields; return the finished object."""
        self.finish(self, value)
        return self.value

    def label(self) -> str:
        """Return nothing: the fields of an object are named like the entries of a table."""
        return ""


class FunctionFrame:
    """A function whose captured variables are being read."""

    __slots__ = ("function",)

    def __init__(self, function: LuaFunction) -> None:
        self.function = function

    def take(self, value: Any) -> Any:
        """Hand over the variables; return the finished function."""
        self.function.upvalues = value
        return self.function

    def label(self) -> str:
        """Return the part of a path that leads to the variables."""
        return ".<upvalues>"


class RecordFrame:
    """A class's own record; its generator asks for one object after the other."""

    __slots__ = ("generator",)

    def __init__(self, generator: Generator[None, Any, Any]) -> None:
        self.generator = generator

    def take(self, value: Any) -> Any:
        """Hand over the object asked for; return the finished object, or UNFINISHED."""
        try:
            self.generator.send(value)
        except StopIteration as stop:
            return stop.value
        return UNFINISHED

    def label(self) -> str:
        """Return nothing, as ObjectFrame does."""
        return ""


Frame = TableFrame | ObjectFrame | FunctionFrame | RecordFrame


def object_path(stack: list[Frame]) -> str:
    """Return where the reader is, as Lua writes it: `modules[3].weight`."""
    labels = [label for frame in stack if (label := frame.label())]
    if len(labels) > 12:
        labels = [*labels[:4], f"...({len(labels) - 8} levels)...", *labels[-4:]]
    return "".join(labels).removeprefix(".")
