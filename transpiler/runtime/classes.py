"""Classes of translated programs: what `torch.class` makes, and what Torch says of objects."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table as PlainTable
from rekindle.core.checkpoint.registry import CLASSES, restore
from rekindle.core.checkpoint.table import as_key, new_table
from rekindle.core.checkpoint.torch_types import storage_class, tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import Container, Module, Sequential, lualib
from rekindle.legacy_nn.classes import TorchClass
from rekindle.legacy_nn.torch7.files.classes import STANDARD
from rekindle.legacy_nn.values import tensors_in

from ..text import words
from .shared import G

C = TypeVar("C", bound=type)

SPECIAL = {"__init": "__init__", "__tostring": "__repr__", "__tostring__": "__repr__"}
"""Methods of Torch's classes that have another name in Python."""

EVENTS = words(
    """
        __add __sub __mul __div __mod __pow __unm __concat __len __eq __lt __le __call
        """
)
"""Metamethods, which Torch's classes define with two more underscores."""


class TorchObject(TorchClass):
    """The base of a program's classes that have no parent; fields are attributes.

    `torch.save` writes the fields, or calls the class's own `write(file)`.
    """

    def __getattr__(self, name: str) -> None:
        """Return nil for a field that was never assigned, or that a file does not have."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)

    def __getitem__(self, key: Any) -> Any:
        """Return an entry whose key is no name: `self[1]`."""
        return vars(self).get(as_key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        """Assign an entry whose key is no name; None deletes it."""
        new_table(vars(self))[key] = value

    def t7_fields(self) -> PlainTable:
        """Return the fields as a file holds them."""
        return PlainTable(vars(self))

    def t7_restore(self, version: int, fields: PlainTable) -> None:
        """Take over the fields that a file holds."""
        vars(self).update(fields.items())


def torch_class(typename: str, place: Any = None) -> Callable[[C], C]:
    """Make a class known under its name in Torch, as `torch.class` does.

    Parameters
    ----------
    typename : str
        "nn.Affine": the class becomes an entry of the package nn too, where there is one.
    place : Table, optional
        The table that the class becomes an entry of instead.
    """

    def register(cls: C) -> C:
        cls.t7_typename = typename  # type: ignore[attr-defined]  # classes of Torch have it
        cls.t7_version = 1  # type: ignore[attr-defined]
        checkpoint.register(typename, cls)
        events = {event: vars(cls)[f"{event}__"] for event in EVENTS if f"{event}__" in vars(cls)}
        if events:
            add_events(cls, events)
        if issubclass(cls, Module) and "parameters" in vars(cls):
            setattr(cls, "parameters", _as_lists(vars(cls)["parameters"]))  # noqa: B010
        if _starts_in_no_mode(cls):
            cls.train = None  # type: ignore[attr-defined]
        if getattr(cls, "read", None) is not None:
            _register_reader(cls, typename)
        package, _, name = typename.rpartition(".")
        if place is not None:
            lualib.newindex(place, name, cls)
        elif not package:
            G[name] = cls
        else:
            _publish(package, name, cls)
        return cls

    return register


def set_metatable(table: Any, typename: str) -> Any:
    """Return an object of a class of Torch with the entries of a table for its fields.

    In Lua the table itself becomes the object: translated programs assign what this returns.

    Raises
    ------
    LuaError
        If the class is not known.
    """
    known = CLASSES.get(typename)
    if known is None or known.cls is None:
        raise lualib.LuaError(f"unknown typename {typename}")
    made: Any = object.__new__(known.cls)
    fields = PlainTable(table)
    restore(made, typename, getattr(made, "t7_version", 1), fields)
    return made


def _as_lists(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a method `parameters` that gives nn lists of tensors; programs see tables."""

    @wraps(method)
    def parameters(self: Any) -> tuple[list[Tensor], list[Tensor]]:
        found = method(self)
        weights, gradients = found if isinstance(found, tuple) and found else (found, None)
        return list(tensors_in(weights or None)), list(tensors_in(gradients))

    return parameters


def add_events(cls: type, events: dict[str, Any]) -> None:
    """Give a class metamethods, by their names in Lua."""
    inherited = getattr(cls, "lua_metatable", None)
    above = {} if inherited is None else dict(inherited.items())
    cls.lua_metatable = PlainTable({**above, **events})  # type: ignore[attr-defined]
    setattr(cls, "__hash__", object.__hash__)  # noqa: B010  # `__eq__` takes it away


def _register_reader(cls: type, typename: str) -> None:
    """Let files call a class's own `read` and `write` as Lua calls them."""

    def read(made: Any, file: Any, version: int) -> Any:
        return lualib.call(getattr(cls, "read"), made, file, version)  # noqa: B009  # as it is now

    write = getattr(cls, "write", None)
    STANDARD.register(typename, lambda file: object.__new__(cls), read=read, write=write)


def _starts_in_no_mode(cls: type) -> bool:
    """Whether objects have no `train` before somebody sets it: nn.Module itself sets none."""
    base = next((k for k in cls.__mro__ if k.__module__.startswith("rekindle.legacy_nn.")), None)
    return base in (Module, Container, Sequential)


def _publish(package: str, name: str, cls: type) -> None:
    from .packages import PACKAGES

    owner = G[package]  # the program may have made a package of its own
    if owner is None:
        owner = PACKAGES.get(package)
    if owner is not None:
        lualib.newindex(owner, name, cls)


def class_named(typename: str) -> Any:
    """Return the Python class that a name in Torch means.

    Raises
    ------
    LuaError
        If there is none.
    """
    known = CLASSES.get(typename)
    if known is None or known.cls is None:
        raise lualib.LuaError(f"bad argument #2 (invalid parent class name {typename})")
    return known.cls


def new_class(typename: str, *rest: Any) -> Any:
    """Make a class while the program runs: `torch.class(name, [parent], [place])`.

    Returns
    -------
    class, parent class
        Methods are assigned to the first as attributes.
    """
    parent = next((x for x in rest if isinstance(x, str)), None)
    place = next((x for x in rest if not isinstance(x, str)), None)
    base: Any = TorchObject if parent is None else class_named(parent)
    metaclass: Any = type(base)
    cls = metaclass(typename.rpartition(".")[2], (base,), {})
    torch_class(typename, place)(cls)
    return cls, (None if parent is None else base)


# -- what Torch says of values ----------------------------------------------------------------


def typename(value: Any) -> str | None:
    """Return `torch.typename(value)`: the class's name, None for Lua's own values."""
    if isinstance(value, Tensor):
        return tensor_class(value.dtype)
    if isinstance(value, Storage):
        return storage_class(value.dtype)
    if isinstance(value, (type, PlainTable)):
        return getattr(type(value), "t7_typename", None)
    found = getattr(value, "t7_typename", None)
    return found if isinstance(found, str) else None


def getmetatable(value: Any) -> Any:
    """Return the metatable of a value: of an object of a class of Torch the class itself."""
    if isinstance(value, type):
        return value.__base__ if getattr(value.__base__, "t7_typename", None) else None
    if not isinstance(value, (Tensor, Storage)) and typename(value) is not None:
        return type(value)
    return lualib.getmetatable(value)


def torch_type(value: Any) -> str:
    """Return `torch.type(value)`: the class's name, else Lua's type."""
    return typename(value) or type_of(value)


def type_of(value: Any) -> str:
    """Return Lua's `type(value)`."""
    return lualib.type_of(value)


def is_type_of(value: Any, spec: Any) -> bool:
    """Return `torch.isTypeOf(value, spec)` for a class's name, a pattern, or a class."""
    wanted = spec if isinstance(spec, str) else getattr(spec, "t7_typename", None)
    if not isinstance(wanted, str):
        return False
    if isinstance(value, (Tensor, Storage)):
        names = [typename(value)]
    else:
        names = [vars(cls).get("t7_typename") for cls in type(value).__mro__]
    for name in names:
        if isinstance(name, str):
            match = lualib.first(lualib.string.match(name, wanted))
            if match and (match != wanted or match == name):
                return True
    return False
