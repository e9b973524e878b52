"""Classes of programs that make objects of tables and metatables: tables still, with methods."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import Any, Self

from rekindle.core.checkpoint import Table as PlainTable
from rekindle.core.checkpoint.table import set_metatable
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib.iteration import Stepper

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
    "lua_len": "__len",
    "lua_gc": "__gc",
}
"""Metamethods by their names in Python."""

OWN = frozenset(name for name in dir(PlainTable) + dir(Table) if not name.startswith("_"))
"""Names that a table's own methods have: a class's method of that name has a line behind it."""


class Default:
    """What a class holds for its objects: an object's own entry of that name comes first."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    def __get__(self, owner: Any, cls: type) -> Any:
        found = None if owner is None else owner._map.get(self.name)
        return self.value if found is None else found


class overridable:
    """A method that gives way to what an object has under its name."""

    __slots__ = ("function", "name")

    def __init__(self, function: Any) -> None:
        self.function = function
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = _in_lua(name)

    def __get__(self, owner: Any, cls: type) -> Any:
        found = None if owner is None else owner._map.get(self.name)
        if found is None:
            return self.function.__get__(owner, cls)
        bound = isinstance(found, FunctionType) and isinstance(self.function, FunctionType)
        return MethodType(partial(lualib.call, found), owner) if bound else found


class TableClass(type):
    """The class of such classes: its objects have the metatable that Lua's operators ask for.

    Metamethods are kept in the metatable alone. As in Lua a class does not inherit them.
    """

    metatable: PlainTable
    lua_metatable: PlainTable
    """How Lua's operations see a class itself: as a table of its methods and other fields."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> TableClass:
        """Make a class whose objects have no more than a table has."""
        if not bases or bases[0] is Table:  # TableObject itself
            return super().__new__(mcs, name, bases, body)
        events = {lua: body.pop(python) for python, lua in EVENTS.items() if python in body}
        for key, value in body.items():
            if not key.startswith("__") and not _is_method(value):
                body[key] = Default(_in_lua(key), value)
        body.setdefault("__slots__", ())
        cls = super().__new__(mcs, name, bases, body)
        type.__setattr__(cls, "metatable", PlainTable(events))
        cls.metatable["__index"] = cls._of_object
        return cls

    def __setattr__(cls, name: str, value: Any) -> None:
        event = EVENTS.get(name, name)
        if event in EVENTS.values():
            cls.metatable[event] = value
        elif value is None and any(name in vars(above) for above in cls.__mro__[1:]):
            if name in vars(cls):
                type.__delattr__(cls, name)
        else:
            type.__setattr__(
                cls, name, value if _is_method(value) else Default(_in_lua(name), value)
            )

    def _of_object(cls, _: Any, key: Any) -> Any:
        """Return a method, or what else the class has, for an object that has no such field."""
        return cls._member(key)

    def _member(cls, key: Any) -> Any:
        """Return what a class or those that it inherits from have under a name."""
        name = f"{key}_" if key in OWN else key
        for owner in cls.__mro__:
            if owner is TableObject or not isinstance(owner, TableClass):
                return None
            if key == "__index":
                return owner
            events = owner.metatable._map
            found = events[key] if key in events else _plain(vars(owner).get(name))
            if found is not None:
                return found
        return None

    def _assign(cls, key: Any, value: Any) -> None:
        if not isinstance(key, str):
            raise lualib.LuaError(
                f"{cls.__name__} is a Python class: it has no entry {key!r}, only named fields"
            )
        setattr(cls, f"{key}_" if key in OWN else key, value)

    def _entries(cls) -> Stepper:
        """Return what `pairs` shows of a class."""
        found = {**dict(cls.metatable.items()), "__index": cls}
        for name, value in vars(cls).items():
            if not (name.startswith("__") or name == "metatable"):
                found[_in_lua(name)] = _plain(value)
        return Stepper((name, value) for name, value in found.items() if value is not None)


def _in_lua(name: str) -> str:
    """Return the name in Lua of what a class has."""
    return name[:-1] if name[:-1] in OWN else name


def _is_method(value: Any) -> bool:
    return isinstance(value, (FunctionType, staticmethod, classmethod, overridable))


def _plain(value: Any) -> Any:
    """Return the function of a method, the value of another field."""
    if isinstance(value, overridable):
        value = value.function
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    return value.value if isinstance(value, Default) else value


TableClass.lua_metatable = PlainTable(
    {
        "__index": TableClass._member,
        "__newindex": TableClass._assign,
        "__pairs": TableClass._entries,
    }
)


class TableObject(Table, metaclass=TableClass):
    """The base of such classes: fields are entries, and those that are missing read as None.

    Python's operators do on such objects what Lua's do: the metatable decides.

    Examples
    --------
    >>> class Point(TableObject):
    ...     unit = "m"
    ...     def sum(self):
    ...         return self.x + self.y
    ...     def __mul__(a, b):
    ...         return Point(x=a.x * b, y=a.y * b)
    >>> p = Point(x=1, y=2) * 2
    >>> p.sum(), p["x"], p.z, p.unit
    (6, 2, None, 'm')
    """

    __slots__ = ()

    def __new__(cls, *elements: Any, **fields: Any) -> Self:
        """Make the table, which a class's own `__init__` fills."""
        made = super().__new__(cls)
        Table.__init__(made)
        set_metatable(made, cls.metatable)
        return made

    def __init__(self, *elements: Any, **fields: Any) -> None:
        super().__init__(*elements, **fields)
        set_metatable(self, type(self).metatable)

    def __setattr__(self, name: str, value: Any) -> None:
        held = _held(type(self), name)
        if isinstance(held, (Default, overridable)):
            self[held.name] = value
        else:
            super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return bool(lualib.eq(self, other))

    __hash__ = object.__hash__

    def __lt__(self, other: Any) -> bool:
        return bool(lualib.lt(self, other))

    def __le__(self, other: Any) -> bool:
        return bool(lualib.le(self, other))

    def __gt__(self, other: Any) -> bool:
        return bool(lualib.lt(other, self))

    def __ge__(self, other: Any) -> bool:
        return bool(lualib.le(other, self))

    def __add__(self, other: Any) -> Any:
        return lualib.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return lualib.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return lualib.sub(self, other)

    def __rsub__(self, other: Any) -> Any:
        return lualib.sub(other, self)

    def __mul__(self, other: Any) -> Any:
        return lualib.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return lualib.mul(other, self)

    def __truediv__(self, other: Any) -> Any:
        return lualib.div(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return lualib.div(other, self)

    def __mod__(self, other: Any) -> Any:
        return lualib.mod(self, other)

    def __rmod__(self, other: Any) -> Any:
        return lualib.mod(other, self)

    def __pow__(self, other: Any) -> Any:
        return lualib.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return lualib.power(other, self)

    def __neg__(self) -> Any:
        return lualib.unm(self)

    def __repr__(self) -> str:
        told = type(self).metatable.get("__tostring") is not None
        return lualib.tostring(self) if told else super().__repr__()


def _held(cls: type, name: str) -> Any:
    return next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), None)


type.__setattr__(TableObject, "metatable", PlainTable())


def setmetatable(table: Any, metatable: Any) -> Any:
    """Give a table a metatable, or make it an object of a class."""
    if not isinstance(metatable, TableClass):
        if isinstance(table, TableObject):
            object.__setattr__(table, "__class__", Table)
        return tables.setmetatable(table, metatable)
    made = as_program_table(table)
    object.__setattr__(made, "__class__", metatable)
    return lualib.setmetatable(made, metatable.metatable)


def getmetatable(value: Any) -> Any:
    """Return the metatable of a value: of an object of a class the class itself."""
    if isinstance(value, TableClass):
        return None
    if isinstance(type(value), TableClass):
        return type(value)
    return classes.getmetatable(value)
