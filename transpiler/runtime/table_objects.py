"""Classes of programs that make objects of tables and metatables: tables still, with methods."""

from __future__ import annotations

from typing import Any, Self

from rekindle.core.checkpoint import Table as PlainTable
from rekindle.core.checkpoint.table import set_metatable
from rekindle.legacy_nn import lualib

from . import classes, tables
from .tables import Table, as_program_table

EVENTS = {
    "__add__": "__add",
    "__sub__": "__sub",
    "__mul__": "__mul",
    "__truediv__": "__div",
    "__mod__": "__mod",
    "__pow__": "__pow",
    "__neg__": "__unm",
    "__eq__": "__eq",
    "__lt__": "__lt",
    "__le__": "__le",
    "__call__": "__call",
    "__concat__": "__concat",
    "__repr__": "__tostring",
}
"""Metamethods by their names in Python."""


class TableClass(type):
    """The class of such classes: its objects have the metatable that Lua's operators ask for."""

    metatable: PlainTable

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> TableClass:
        """Make a class whose objects have no more than a table has."""
        body.setdefault("__slots__", ())
        if "__eq__" in body:
            body.setdefault("__hash__", object.__hash__)
        cls = super().__new__(mcs, name, bases, body)
        events = {lua: body[python] for python, lua in EVENTS.items() if python in body}
        cls.metatable = PlainTable({**events, "__index": cls._member})
        return cls

    def _member(cls, _: Any, key: Any) -> Any:
        """Return a method, or what else the class has, for an object that has no such field."""
        for owner in cls.__mro__:
            if owner is TableObject:
                return None
            if key in vars(owner):
                found = vars(owner)[key]
                return found.__func__ if isinstance(found, staticmethod) else found
        return None


class TableObject(Table, metaclass=TableClass):
    """The base of such classes: fields are entries, and those that are missing read as None.

    Examples
    --------
    >>> class Point(TableObject):
    ...     def sum(self):
    ...         return self.x + self.y
    >>> p = Point(x=1, y=2)
    >>> p.sum(), p["x"], p.z
    (3, 1, None)
    """

    def __new__(cls, *elements: Any, **fields: Any) -> Self:
        """Make the table, which a class's own `__init__` fills."""
        made = super().__new__(cls)
        Table.__init__(made)
        set_metatable(made, cls.metatable)
        return made

    def __init__(self, *elements: Any, **fields: Any) -> None:
        super().__init__(*elements, **fields)
        set_metatable(self, type(self).metatable)


def setmetatable(table: Any, metatable: Any) -> Any:
    """Give a table a metatable, or make it an object of a class."""
    if not isinstance(metatable, TableClass):
        return tables.setmetatable(table, metatable)
    made = as_program_table(table)
    object.__setattr__(made, "__class__", metatable)
    return lualib.setmetatable(made, metatable.metatable)


def getmetatable(value: Any) -> Any:
    """Return the metatable of a value: of an object of a class the class itself."""
    if isinstance(type(value), TableClass):
        return type(value)
    return classes.getmetatable(value)
