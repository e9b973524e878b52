"""Lua's values as Python holds them: functions, and what only Lua can use."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint.objects import TorchObject
from rekindle.core.checkpoint.table import Table

if TYPE_CHECKING:
    from .border import Border


class Handle:
    """What Lua holds of a Python object: a new one for every time that the object crosses.

    lupa forgets a reference when an object comes to Lua again while Lua's collector has yet to
    finish with its last wrapper. No handle comes twice.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class LuaValue:
    """A value that only Lua can use: a coroutine, a C structure, a file of Lua's own.

    Attributes
    ----------
    border : Border
        Of the runtime that the value belongs to.
    reference : object
        The value itself.
    """

    __slots__ = ("__weakref__", "border", "reference")

    def __init__(self, border: Border, reference: Any) -> None:
        self.border = border
        self.reference = reference

    def __copy__(self) -> LuaValue:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> LuaValue:
        return self


class LuaFunction(LuaValue):
    """A Lua function. Arguments and results are those of Python code: Tensors, Tables, numbers."""

    __slots__ = ()

    def __call__(self, *args: Any) -> Any:
        """Call it; several results are a tuple, none is None.

        Raises
        ------
        LuaError
            If the function raises one.
        """
        return self.border.invoke(self.reference, args)


class OwnMethod:
    """A Lua function that an object has under the name of a method, which it replaces.

    Python calls it as the class's method is called, with the object first; Lua reads the
    function itself.
    """

    def __init__(self, function: LuaFunction, owner: Any) -> None:
        self.function = function
        self.owner = owner

    def __call__(self, *args: Any) -> Any:
        return self.function(self.owner, *args)

    def __deepcopy__(self, memo: dict[int, Any]) -> OwnMethod:
        return OwnMethod(self.function, memo.get(id(self.owner), self.owner))


class WithoutOwner:
    """A Python function under the name of a method, which Lua calls with the object first."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, owner: Any, *args: Any) -> Any:
        return self.function(*args)


class LuaObject(TorchObject):
    """An object of a class that is Lua's alone: its fields are the Lua table's entries.

    What it has no field for is a method of the class.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            found = None if name.startswith("__") else _class_entry(self, name)
            if found is None:
                raise
        return MethodType(found, self) if isinstance(found, LuaFunction) else found

    def t7_restore(self, version: int, fields: Table) -> None:
        """Take over the fields that a file gives."""
        self.t7_fields().update(fields)


def _class_entry(value: LuaObject, name: str) -> Any:
    entries: Any = value.t7_fields()._map
    if type(entries) is dict:  # a file's, of which Lua has heard nothing yet
        return None
    return entries.border.class_entry(entries.reference, name)


def _operator(event: str) -> Any:
    def operate(*operands: Any) -> Any:
        known = next(x for x in operands if isinstance(x, LuaObject))
        return _class_entry(known, event)(*operands)

    return operate


LuaObject.lua_metatable = Table(  # type: ignore[attr-defined]  # what lualib asks for
    {
        f"__{event}": _operator(f"__{event}")
        for event in (
            *("tostring", "call", "len", "eq", "lt", "le"),
            *("add", "sub", "mul", "div", "mod", "pow", "unm", "concat"),
        )
    }
)
