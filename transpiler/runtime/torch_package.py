"""The package torch: functions, tensor types and classes under their Lua names."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import ref

from rekindle.core.checkpoint import Table as PlainTable
from rekindle.core.checkpoint.registry import CLASSES as KNOWN
from rekindle.core.checkpoint.torch_types import STORAGE_CLASSES, TENSOR_CLASSES
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.bridge.adapt import as_lua_calls
from rekindle.legacy_nn.torch7 import api, types
from rekindle.legacy_nn.torch7.classes import CLASSES, FUNCTIONS
from rekindle.legacy_nn.torch7.cmdline import CmdLine
from rekindle.legacy_nn.torch7.generator import Generator

from . import classes
from .shared import G
from .tables import Table
from .tensors import Metatable, add_method, tensor_method
from .torch_in_lua import IN_LUA


class TensorType:
    """`torch.DoubleTensor`, or `torch.Tensor`: makes tensors, and has their methods.

    What a program assigns to it becomes a method of these tensors.
    """

    lua_type = "table"
    lua_metatable = PlainTable({"__index": getattr, "__newindex": setattr})
    _name: str

    def __init__(self, name: str) -> None:
        vars(self)["_name"] = name

    @property
    def t7_typename(self) -> str:
        """The type's name, as `torch.isTypeOf` takes it."""
        return api.get_default_tensor_type() if self._name == "torch.Tensor" else self._name

    def __call__(self, *args: Any) -> Tensor:
        """Return a new tensor, of sizes, a table of numbers, or a storage."""
        return api.construct(types.dtype_of(self.t7_typename), args)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return tensor_method(self(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        add_method(self(), name, value)


class StorageType:
    """`torch.LongStorage` and the others."""

    lua_type = "table"

    def __init__(self, name: str) -> None:
        self.t7_typename = name

    def __call__(self, *args: Any) -> Storage:
        """Return a new storage, of a size or a table of numbers."""
        return api.construct_storage(STORAGE_CLASSES[self.t7_typename], args)


class Torch:
    """The package; what it has not reads as None, and programs may add to it."""

    lua_type = "table"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _member(name)
        if found is not None:
            setattr(self, name, found)
        return found


class CommandLine(CmdLine):
    """torch.CmdLine, which gives the options as a program's own table."""

    def parse(self, arg: Any) -> Table:
        """Return the values given, and the defaults of what is not."""
        return Table.of(super().parse(arg).items())


def _member(name: str) -> Any:
    full = f"torch.{name}"
    if name == "Tensor" or full in TENSOR_CLASSES:
        return TensorType(full)
    if name == "Storage":
        return lambda *args: api.construct_storage(types.default_dtype(), args)
    if full in STORAGE_CLASSES:
        return StorageType(full)
    if name == "CmdLine":
        return CommandLine
    for table in (_OWN, IN_LUA, api.FUNCTIONS):
        if name in table:
            return table[name]
    if name in FUNCTIONS:
        return as_lua_calls(FUNCTIONS[name])
    if full in CLASSES:
        return CLASSES[full]
    return Generator if name == "Generator" else None


def _is_tensor(value: Any = None) -> bool:
    return isinstance(value, Tensor)


def _is_storage(value: Any = None) -> bool:
    return isinstance(value, Storage)


def _typename(value: Any) -> Any:
    name = classes.typename(value)
    return () if name is None else name


def _metatable(name: str) -> Any:
    """Return what objects of a type have: a class, or the methods of tensors or storages."""
    if name in TENSOR_CLASSES:
        return Metatable(api.construct(types.dtype_of(name), ()))
    if name in STORAGE_CLASSES:
        return Metatable(api.construct_storage(STORAGE_CLASSES[name], ()))
    known = KNOWN.get(name)
    return CLASSES.get(name) if known is None else known.cls


_POINTERS: dict[int, tuple[Callable[[], Any], int]] = {}
_addresses = count(0x7F0000000000, 16)


def _pointer(value: Any) -> int:
    """Return a number that is the value's own: no later value gets it, as it would its `id`."""
    known = _POINTERS.get(id(value))
    if known is not None and known[0]() is value:
        return known[1]
    try:
        alive: Callable[[], Any] = ref(value)
    except TypeError:  # Tables, whose addresses Lua programs only print
        return id(value)
    _POINTERS[id(value)] = alive, (address := next(_addresses))
    return address


def _nothing(*_: Any) -> None:
    """Do nothing: threads and heaps are Python's affair here."""


def _track_heap(tracked: bool) -> None:
    vars(torch)["_heaptracking"] = tracked


def _totable(value: Any) -> Any:
    return tensor_method(value, "totable")(value)


def _threads() -> int:
    return os.cpu_count() or 1


_OWN: dict[str, Callable[..., Any]] = {
    "class": classes.new_class,
    "type": classes.torch_type,
    "typename": _typename,
    "isTypeOf": classes.is_type_of,
    "isTensor": _is_tensor,
    "isStorage": _is_storage,
    "getmetatable": _metatable,
    "setmetatable": classes.set_metatable,
    "pointer": _pointer,
    "setnumthreads": _nothing,
    "getnumthreads": _threads,
    "getnumcores": _threads,
    "setheaptracking": _track_heap,
    "updateerrorhandlers": _nothing,
    "updatethreadlocals": _nothing,
    "totable": _totable,
}

torch = Torch()
"""The package torch."""

_track_heap(True)

G["torch"] = torch
