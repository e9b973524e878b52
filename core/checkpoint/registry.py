"""Which Python class stands for which Torch7 class, and which classes write a special record.

core.checkpoint knows no module class: `rekindle.legacy_nn` registers its own when it is
imported, and users register theirs in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .table import Table

if TYPE_CHECKING:
    from .records import RecordReader, RecordWriter

ReadRecord = Callable[["RecordReader"], Any]
"""Returns the object; in a generator function `value = yield` reads an object inside it."""

WriteRecord = Callable[[Any, "RecordWriter"], Generator[Any, None, None] | None]
"""Writes the object; in a generator function `yield value` writes an object inside it."""


@dataclass(frozen=True, slots=True)
class TorchClass:
    """How one Torch7 class is read and written."""

    typename: str
    cls: type | None = None
    read: ReadRecord | None = None
    write: WriteRecord | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What a class writes around its table of fields, whoever builds the object.

    `read` returns the fields; `write` gets them.
    """

    since: int
    read: Callable[[RecordReader], Generator[None, Any, Table]]
    write: Callable[[Table, RecordWriter], Generator[Any, None, None]]


CLASSES: dict[str, TorchClass] = {}
"""Registered classes by Torch7 name."""

LAYOUTS: dict[str, Layout] = {}
"""Records of classes that write more than one table; filled by layouts.py."""

_TYPENAMES: dict[type, str] = {}

_ORIGIN = "_t7_origin"
"""Attribute of plain instances: class and version in the file, where they are not the usual."""


def register(
    typename: str,
    cls: type | None = None,
    *,
    read: ReadRecord | None = None,
    write: WriteRecord | None = None,
) -> None:
    """Say which Python class stands for a Torch7 class when checkpoints are read and written.

    Parameters
    ----------
    typename : str
        The class's name in Torch7: "nn.MyLayer".
    cls : type, optional
        An instance is made by `cls.__new__(cls)`, without `__init__`, because objects may
        refer to each other in cycles; its fields follow when all are read: through
        `instance.t7_restore(version, fields)` where the class has that method, else as the
        instance's `__dict__`. It is written as `instance.t7_fields()` says, else as its `__dict__`;
        under the name and version that its attributes `t7_typename` and `t7_version` say,
        else under `typename` and version 1.
    read : function or generator function, optional
        For a class that writes its own record. `read(record)` gets a RecordReader with
        `read_int`, `read_long`, `read_double`, `read_bytes` and so on; `value = yield` reads
        the next object; what it returns is the object.
    write : function or generator function, optional
        Its counterpart: `write(object, record)`; `yield value` writes an object.

    Raises
    ------
    TypeError
        If there is nothing to register, or instances of `cls` can take no fields.

    Examples
    --------
    >>> class Scaler:
    ...     pass
    >>> register("my.Scaler", Scaler)

    A class whose Lua `write` does `file:writeObject(self.names); file:writeInt(self.n)`:

    >>> def read_vocabulary(record):
    ...     names = yield
    ...     return names, record.read_int()
    >>> register("my.Vocabulary", read=read_vocabulary)
    """
    if cls is None and read is None:
        raise TypeError(f"register({typename!r}) needs a class or a reader of its record")
    if cls is not None and not hasattr(cls, "t7_restore") and not cls.__dictoffset__:
        raise TypeError(
            f"{cls.__qualname__} can take no fields: give it a method t7_restore(version, "
            "fields), or instances with a __dict__"
        )
    CLASSES[typename] = TorchClass(typename, cls, read, write)
    if cls is not None:
        _TYPENAMES.setdefault(cls, typename)


def restore(value: Any, typename: str, version: int, fields: Table) -> None:
    """Give an object made by `__new__` the fields that a file says it has."""
    names_to_text(fields)
    if hasattr(value, "t7_restore"):
        value.t7_restore(version, fields)
        return
    attributes = vars(value)
    attributes.update(fields.items())
    if (typename, version) != (_TYPENAMES[type(value)], 1):
        attributes[_ORIGIN] = (typename, version)


def identity_of(value: object) -> tuple[str, int] | None:
    """Return the Torch7 class and version that `value` is written as; None if it has none.

    A class with a name and `t7_storable = False` has none: Torch7's files and timers.
    """
    cls = type(value)
    if hasattr(cls, "t7_typename") and getattr(cls, "t7_storable", True):
        described: Any = value  # either may be a property
        return described.t7_typename, int(getattr(described, "t7_version", 1))
    if cls not in _TYPENAMES:
        return None
    origin: tuple[str, int] = getattr(value, _ORIGIN, (_TYPENAMES[cls], 1))
    return origin


def fields_of(value: Any) -> Table:
    """Return the fields under which `value` is written."""
    if hasattr(value, "t7_fields"):
        fields: Table = value.t7_fields()
        return fields
    return Table({name: v for name, v in vars(value).items() if name != _ORIGIN})


def names_to_text(fields: Table) -> None:
    """Make the names of fields text, where strings are read as bytes (encoding=None)."""
    entries = fields._map
    if any(type(key) is bytes for key in entries):
        pairs = list(entries.items())
        entries.clear()
        for key, value in pairs:
            entries[key.decode("utf-8", "surrogateescape") if type(key) is bytes else key] = value
