"""What crosses between Python and Lua: values, tables with one state, calls with their errors.

Plain values cross as they are. A Python object goes to Lua as a stand-in, the same one while it is
alive; a Lua table or function comes to Python as the same Table or LuaFunction while that is
alive. Neither side holds the other's object strongly for the other's sake, so what neither uses is
collected; only cycles that cross the border are not.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from rekindle.core.autograd import is_grad_enabled
from rekindle.core.backend import holds_alone
from rekindle.core.checkpoint.objects import TorchObject
from rekindle.core.checkpoint.table import Table, new_table, set_metatable
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from ..torch7 import types
from ..values import as_torch
from .adapt import as_lua_function
from .errors import BridgeError, LuaError
from .mapping import LuaMapping
from .mirror import memory_of, mirror_address, row
from .values import Handle, LuaFunction, LuaObject, LuaValue, OwnMethod

PLAIN = frozenset({type(None), bool, int, float})

_set_map = Table.__dict__["_map"].__set__

active = threading.local()
"""`active.border` is that of the runtime whose Lua code this thread runs, if any."""


class Border:
    """The border of one runtime.

    Parameters
    ----------
    lua : lupa.LuaRuntime
    table_type : type of Table
        What tables of Lua become.

    Attributes
    ----------
    pending : BaseException or None
        An exit or an interrupt on its way through Lua, which no protected call stops.
    overrides : dict
        By class and name, what Lua code has put in place of methods of Rekindle's classes.
    """

    def __init__(self, lua: Any, table_type: type[Table]) -> None:
        self.lua = lua
        self._table_type = table_type
        self._by_id: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._makers: dict[type, Callable[[Any], Any]] = {}
        self._default_dtype = types.default_dtype()
        self._last_error: tuple[str, BaseException] | None = None
        self.pending: BaseException | None = None
        self.overrides: dict[tuple[type, str], Any] = {}
        self.stand_in_of: Callable[[Any], Any] | None = None

    def host(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that the Lua side is built on."""
        return {
            "find": self._find,
            "new_table": self._new_table,
            "set_metatable": _take_metatable,
            "new_function": self._new_function,
            "new_opaque": self._new_opaque,
            "new_object": self._new_object,
            "pointer": lambda handle: id(handle.value),
            "address": lambda handle: handle.value.array.__array_interface__["data"][0],
            "negative_zero": lambda: Handle(-0.0),
            "mirror": lambda handle: mirror_address(handle.value),
            "memory_of": lambda handle: Handle(memory_of(handle.value)),
            "row": lambda memory, *numbers: Handle(row(memory.value, *map(int, numbers))),
        }

    def connect_marks(self, shared: Any) -> None:
        """Take what functions return for an error, and for their first argument."""
        self._fail = shared.FAIL
        self._self = shared.SELF

    def connect(self, shared: Any) -> None:
        """Take the functions of the Lua side, once its files have run."""
        self.before_tensors: Callable[[], Any] = lambda: None
        self.take = shared.take
        self._table_get = shared.table_get
        self.table_set = shared.table_set
        self.table_count = shared.table_count
        self.table_keys = shared.table_keys
        self._table_item = shared.table_item
        self._table_new = shared.table_new
        self.table_meet = shared.table_meet
        self._class_entry = shared.class_entry
        self._stand_in = shared.stand_in
        self._closure = shared.closure
        self._tensor = shared.tensor
        self._storage = shared.storage
        self._object_of_class = shared.object_of_class
        self._call = shared.call

    # -- from Lua -------------------------------------------------------------------------

    def _find(self, id: int) -> Handle | None:
        value = self._by_id.get(id)
        return None if value is None else Handle(value)

    def _keep(self, id: int, value: Any) -> Handle:
        self._by_id[id] = value
        return Handle(value)

    def _fields(self) -> Table:
        entries: Any = LuaMapping(self, self.take())
        return new_table(entries, self._table_type)

    def _new_table(self, id: int) -> Handle:
        return self._keep(id, self._fields())

    def _new_function(self, id: int) -> Handle:
        return self._keep(id, LuaFunction(self, self.take()))

    def _new_opaque(self, id: int) -> Handle:
        return self._keep(id, LuaValue(self, self.take()))

    def _new_object(self, id: int, typename: str, version: int) -> Handle:
        return self._keep(id, LuaObject(typename, version, self._fields()))

    def table_get(self, table: Any, key: Any) -> Any:
        """Return an entry of a Lua table, without its metatable; None if there is none."""
        value = self._table_get(table, key)
        return value.value if type(value) is Handle else value

    def table_item(self, table: Any, keys: Any, position: int) -> tuple[Any, Any]:
        """Return a key that `table_keys` listed, and its value."""
        key, value = self._table_item(table, keys, position)
        if type(key) is Handle:
            key = key.value
        return key, value.value if type(value) is Handle else value

    def class_entry(self, table: Any, key: str) -> Any:
        """Return what the class of a Lua object has under a name; None if it has nothing."""
        value = self._class_entry(table, key)
        return value.value if type(value) is Handle else value

    # -- to Lua ---------------------------------------------------------------------------

    def to_lua(self, value: Any) -> Any:
        """Return what stands for `value` in a call of lupa."""
        kind = type(value)
        if kind in PLAIN:
            return value
        maker = self._makers.get(kind)
        if maker is None:
            maker = self._makers[kind] = self._maker(kind)
        return maker(value)

    def _maker(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, str):
            return _text
        if issubclass(kind, (bool, int, float)):
            return kind.__mro__[-2]
        if issubclass(kind, (Tensor, Storage)):
            self.before_tensors()
        for family, maker in (
            (bytes, lambda value: value.decode("latin-1")),
            (Tensor, self._tensor_to_lua),
            (Storage, lambda value: self._storage(id(value), Handle(value), value.dtype.char)),
            (Table, self._table_to_lua),
            (LuaValue, self._reference),
            (OwnMethod, lambda value: self._reference(value.function)),
            (TorchObject, self._object_to_lua),
            (np.generic, lambda value: self.to_lua(value.item())),
            (np.ndarray, lambda value: self.to_lua(Tensor(value))),
            ((list, tuple, dict), lambda value: self._table_to_lua(Table(value))),
        ):
            if issubclass(kind, family):
                return maker
        if kind.__module__.startswith("lupa."):
            return lambda value: value
        return self._python_to_lua

    def _python_to_lua(self, value: Any) -> Any:
        assert self.stand_in_of is not None
        made = self.stand_in_of(value)
        if made is not None:
            return made
        called = as_lua_function(value) if type(value) is FunctionType else value
        return self._closure(id(value), self.guard(called), Handle(value))

    def _reference(self, value: LuaValue) -> Any:
        if value.border is not self:
            raise BridgeError("this value belongs to another Lua runtime; values cannot change it")
        return value.reference

    def _tensor_to_lua(self, tensor: Tensor) -> Any:
        array = tensor._array
        owned = 0 if array is None or not holds_alone(array) else array.nbytes
        return self._tensor(id(tensor), Handle(tensor), tensor.dtype.char, owned)

    def _table_to_lua(self, table: Table) -> Any:
        entries: Any = table._map
        if isinstance(entries, LuaMapping):
            return self._reference(entries)  # type: ignore[arg-type]  # has the same two slots
        return self._move(table)

    def _move(self, table: Table) -> Any:
        """Move the entries of a table, of tables inside and of metatables, to Lua."""
        pending: list[tuple[Any, list[tuple[Any, Any]]]] = []

        def begin(moving: Table) -> Any:
            target, key = self._table_new()
            self._by_id[key] = moving
            pending.append((target, list(moving.items())))
            _set_map(moving, LuaMapping(self, target))
            if type(moving) is Table and moving._metatable is not None:
                self.table_meet(target, moved(moving._metatable))
            return target

        def moved(part: Any) -> Any:
            if isinstance(part, (list, tuple, dict)):
                part = Table(part)
            if isinstance(part, Table) and not isinstance(part._map, LuaMapping):
                return begin(part)
            return self.to_lua(part)

        result = begin(table)
        while pending:
            target, entries = pending.pop()
            for key, value in entries:
                self.table_set(target, moved(key), moved(value))
        return result

    def _object_to_lua(self, value: TorchObject) -> Any:
        fields = self._table_to_lua(value.t7_fields())
        made, key = self._object_of_class(fields, value.t7_typename)
        self._by_id[key] = value
        return made

    # -- calls ----------------------------------------------------------------------------

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` for calls from Lua: results cross, and exceptions become errors."""
        fail, own, to_lua = self._fail, self._self, self.to_lua

        def guarded(*args: Any) -> Any:
            try:
                if self.pending is not None:
                    raise self.pending
                args = tuple([a.value if type(a) is Handle else a for a in args])
                result = function(*args)
                if type(result) in PLAIN:
                    return result
                if type(result) is tuple:
                    return tuple([to_lua(part) for part in result])
                if args and result is args[0]:
                    return own
                return to_lua(result)
            except BaseException as error:
                return fail, self._raised(error)

        return guarded

    def _raised(self, error: BaseException) -> Any:
        """Return what Lua's `error` is called with for a Python exception."""
        if not isinstance(error, Exception):
            self.pending = error
        if isinstance(error, LuaError):
            value = message_of(error) if isinstance(error.value, str) else error.value
            self._last_error = (str(value), error)
            return self.to_lua(value)
        text = _text(message_of(error))
        self._last_error = (text, error)
        return text

    def invoke(self, reference: Any, args: tuple[Any, ...]) -> Any:
        """Call a Lua function with Python values.

        Raises
        ------
        LuaError
            If it raises an error.
        """
        before = getattr(active, "border", None)
        if before is self and not is_grad_enabled():
            return self._invoke(reference, args, before)
        with as_torch():
            return self._invoke(reference, args, before)

    def _invoke(self, reference: Any, args: tuple[Any, ...], before: Border | None) -> Any:
        active.border = self
        outside = types.default_dtype()
        if before is not self:
            types.set_default_dtype(self._default_dtype)
        try:
            answer = self._call(reference, *[self.to_lua(a) for a in args])
        finally:
            active.border = before
            if before is not self:  # torch.setdefaulttensortype is for this runtime
                self._default_dtype = types.default_dtype()
                types.set_default_dtype(outside)
        if before is not self and (answer is True or answer[0]):
            self._last_error = None  # one that Lua caught
        if answer is True:
            return None
        values = [a.value if type(a) is Handle else a for a in answer]
        if values[0]:
            return values[1] if len(values) == 2 else tuple(values[1:])
        raise self._error(values[1], values[2])

    def _error(self, value: Any, traceback: str) -> BaseException:
        """Return what a Lua error is raised as."""
        if self.pending is not None:
            pending, self.pending = self.pending, None
            return pending
        if isinstance(value, BaseException):
            return value
        last, self._last_error = self._last_error, None
        cause = last[1] if last and isinstance(value, str) and value.endswith(last[0]) else None
        error = LuaError(value, traceback)
        error.__cause__ = cause
        return error


def _take_metatable(table: Handle, metatable: Handle | None) -> None:
    """Give a Table the metatable that it has in Lua."""
    set_metatable(table.value, None if metatable is None else metatable.value)


def _text(text: str) -> str:
    """Return a string whose characters are bytes; one that has others becomes UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text


def message_of(error: BaseException) -> str:
    """Return the text of an exception as a Lua error has it.

    Containers say which of their modules failed in lines before it, as Torch7's do.

    Source: torch/nn Container.lua, rethrowErrors.
    """
    text = str(error) or type(error).__name__
    notes = [n for n in getattr(error, "__notes__", ()) if isinstance(n, str)]
    places = [_PLACE.match(n) for n in notes]
    above = [f"\n{note}" for note, found in zip(notes, places, strict=True) if found]
    if above:
        text = "".join([*above, "\n", text])
    if isinstance(error, LuaError):  # its other notes are tracebacks
        return text
    return "\n".join([text, *(n for n, found in zip(notes, places, strict=True) if not found)])


_PLACE = re.compile(r"In (\d+) module of (\S+):$")
"""What `Container` notes on an exception."""
