"""Tensors and storages as Lua's operators see them, and their methods as functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import storage_class, tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.lualib import call, first, index, invoke, newindex, sequence
from rekindle.legacy_nn.lualib.operand_names import no_method
from rekindle.legacy_nn.torch7.api import (
    METHODS,
    STORAGE_METHODS,
    construct,
    construct_storage,
)
from rekindle.legacy_nn.torch7.functions import METHOD_TYPES


def as_callback(value: Any) -> Any:
    """Return a function so that it may be given more arguments, or fewer, than it takes."""
    return partial(call, value) if type(value) is FunctionType else value


def _of_numbers(value: Any) -> Any:
    """Return a function of elements so that it returns None where the program returns nothing."""
    return (lambda *args: first(call(value, *args))) if type(value) is FunctionType else value


def tensor_method(value: Any, name: str) -> Callable[..., Any]:
    """Return a method of a tensor or storage.

    Raises
    ------
    LuaError
        "attempt to call method 'name' (a nil value)".
    """
    found: Callable[..., Any] | None = _entry(value, name)
    if found is None:
        raise no_method(name)
    return found


def _entry(value: Any, name: str) -> Any:
    if _ADDED and (added := _ADDED.get(_kind(value), _NONE).get(name)) is not None:
        return added
    if isinstance(value, Tensor):
        if name in _EXTRA:
            return _EXTRA[name]
        found = METHODS.get(name)
        if found is None or value.dtype.char not in METHOD_TYPES[name]:
            return None
        if name in ("apply", "map", "map2"):
            return lambda *args: found(*map(_of_numbers, args))
        return found
    return _STORAGE_EXTRA.get(name) or STORAGE_METHODS.get(name)


def _typename(value: Any) -> str:
    return tensor_class(value.dtype) if isinstance(value, Tensor) else storage_class(value.dtype)


def _index(value: Any, key: Any) -> Any:
    if type(key) is str:
        if key == "__typename":
            return _typename(value)
        if key == "new":
            return partial(tensor_new, value)
        return _entry(value, key)
    methods = METHODS if isinstance(value, Tensor) else STORAGE_METHODS
    return methods["__index"](value, key)


def tensor_new(value: Any, *args: Any) -> Any:
    """Return what `value.new(...)` makes: a tensor or storage of the same type."""
    return (construct if isinstance(value, Tensor) else construct_storage)(value.dtype, args)


def _new_of(value: Any, *_: Any) -> Any:
    """Return what `value:new()` makes: another view of the same memory."""
    return tensor_new(value, value)


def _newindex(value: Any, key: Any, new: Any) -> None:
    methods = METHODS if isinstance(value, Tensor) else STORAGE_METHODS
    methods["__newindex"](value, key, new)


def _is_true(*_: Any) -> bool:
    return True


_ADDED: dict[tuple[type, str], dict[str, Any]] = {}
"""What programs gave to types of tensors and storages."""

_NONE: dict[str, Any] = {}


def _kind(value: Any) -> tuple[type, str]:
    return (Tensor if isinstance(value, Tensor) else Storage), value.dtype.char


def add_method(example: Tensor | Storage, name: str, value: Any) -> None:
    """Give a method, or an operator, to the tensors or storages of a type."""
    _ADDED.setdefault(_kind(example), {})[name] = as_callback(value)
    events = getattr(type(example), "lua_metatable")  # noqa: B009
    if name in events and name not in ("__index", "__newindex"):
        events[name] = partial(_operate, name, events[name])


def _operate(event: str, usual: Callable[..., Any], *operands: Any) -> Any:
    """Apply an operator that a program has given to a type, where an operand is of that type."""
    for value in operands[:2]:
        if isinstance(value, (Tensor, Storage)):
            added = _ADDED.get(_kind(value), _NONE).get(event)
            if added is not None:
                return added(*operands)
    return usual(*operands)


class Metatable:
    """`torch.getmetatable("torch.FloatTensor")`: what is assigned becomes a method.

    Parameters
    ----------
    example : Tensor or Storage
        Any one of the type.
    """

    lua_type = "table"

    def __init__(self, example: Tensor | Storage) -> None:
        vars(self)["_example"] = example

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _index(self._example, name)

    def __setattr__(self, name: str, value: Any) -> None:
        add_method(self._example, name, value)


def _table_of(methods: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    totable = methods["totable"]
    return lambda value, *_: totable(value)


_EXTRA: dict[str, Callable[..., Any]] = {
    "isTensor": _is_true,
    "new": _new_of,
    "totable": _table_of(METHODS),
}
_STORAGE_EXTRA: dict[str, Callable[..., Any]] = {
    "resize": lambda storage, size, *_: STORAGE_METHODS["resize"](storage, size),
    "totable": _table_of(STORAGE_METHODS),
}


def _metatable(methods: dict[str, Callable[..., Any]]) -> Table:
    events = ["add", "sub", "mul", "div", "mod", "pow", "unm", "tostring", "len"]
    found = {f"__{e}": methods[f"__{e}"] for e in events if f"__{e}" in methods}
    return Table({**found, "__index": _index, "__newindex": _newindex})


# lualib asks a Python class for its metatable by this attribute.
setattr(Tensor, "lua_metatable", _metatable(METHODS))  # noqa: B010
setattr(Storage, "lua_metatable", _metatable(STORAGE_METHODS))  # noqa: B010


def _places(parts: tuple[Any, ...]) -> Table:
    return sequence(*(sequence(*p) if isinstance(p, tuple) else p for p in parts))


class _TensorMethods:
    """The methods of tensors as functions: `tensor.narrow(x, 1, 2, 3)` is Lua's `x:narrow(...)`."""

    @staticmethod
    def part(value: Any, *parts: Any) -> Any:
        """Return a part of a tensor, on its memory, or an element: Lua's `x[{{1, 2}, {}, 3}]`.

        Parameters
        ----------
        value : Tensor
        *parts : int or tuple of int
            For each dimension a place from 1, a range `(first, last)`, or `()` for all;
            negative ones count from the end.
        """
        return index(value, _places(parts))

    @staticmethod
    def set_part(value: Any, *parts: Any, to: Any) -> None:
        """Assign a part of a tensor: Lua's `x[{{1, 2}, {}}] = to`."""
        newindex(value, _places(parts), to)

    @staticmethod
    def new_like(value: Any, *args: Any) -> Any:
        """Return a new tensor or storage of the type of another: Lua's `x.new(2, 3)`."""
        if isinstance(value, (Tensor, Storage)):
            return tensor_new(value, *args)
        return first(call(index(value, "new"), *args))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def method(value: Any, *args: Any) -> Any:
            if isinstance(value, (Tensor, Storage)):
                return tensor_method(value, name)(value, *args)
            return invoke(value, name, *args)  # an object with a method of that name

        method.__name__ = name
        setattr(self, name, method)
        return method


tensor = _TensorMethods()
"""Methods of tensors, as functions."""
