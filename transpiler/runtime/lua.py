"""Lua's operators and calls for values of unknown type: `lua.add(a, b)`, `lua.call(f, x)`.

`call` and `invoke` give the first result, `call_all` and `invoke_all` all of them: a tuple
where they are not one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from inspect import CO_VARARGS
from types import FunctionType, MethodType
from typing import Any, NoReturn

from rekindle.core.errors import RekindleError
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.bridge.adapt import as_lua_calls
from rekindle.legacy_nn.bridge.classes import call_criterion, call_module, parameters, split_node
from rekindle.legacy_nn.classes import TorchClass
from rekindle.legacy_nn.criterion import Criterion
from rekindle.legacy_nn.lualib import add as add
from rekindle.legacy_nn.lualib import assert_ as assert_
from rekindle.legacy_nn.lualib import div as div
from rekindle.legacy_nn.lualib import each as each
from rekindle.legacy_nn.lualib import eq as eq
from rekindle.legacy_nn.lualib import first as first
from rekindle.legacy_nn.lualib import ge as ge
from rekindle.legacy_nn.lualib import gt as gt
from rekindle.legacy_nn.lualib import index as plain_index
from rekindle.legacy_nn.lualib import le as le
from rekindle.legacy_nn.lualib import length as length_by_metatable
from rekindle.legacy_nn.lualib import lt as lt
from rekindle.legacy_nn.lualib import mod as mod
from rekindle.legacy_nn.lualib import mul as mul
from rekindle.legacy_nn.lualib import newindex as plain_newindex
from rekindle.legacy_nn.lualib import next_ as next_
from rekindle.legacy_nn.lualib import power as power
from rekindle.legacy_nn.lualib import spread as spread
from rekindle.legacy_nn.lualib import sub as sub
from rekindle.legacy_nn.lualib import take as take
from rekindle.legacy_nn.lualib import truth as truth
from rekindle.legacy_nn.lualib import unm as unm
from rekindle.legacy_nn.lualib.calls import single as single
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.nngraph import NnNode

from . import chunks
from .classes import EVENTS, SPECIAL, TorchObject, add_events
from .classes import class_named as class_named
from .classes import type_of as type_of
from .jumps import Jump as Jump
from .table_objects import TableClass
from .tables import Table
from .tensors import tensor_method


class Cell:
    """A variable of which every turn of a loop has its own."""

    __slots__ = ("value",)

    def __init__(self, value: Any = None) -> None:
        self.value = value


class UntranslatedError(RekindleError, NotImplementedError):
    """A place that the transpiler could not translate was reached."""


def untranslated(message: str) -> NoReturn:
    """Stop at a place that was not translated.

    Raises
    ------
    UntranslatedError
        Always.
    """
    raise UntranslatedError(f"{message}: write this place in Python, see the TODO in the source")


def unavailable(name: str) -> Any:
    """Return one of Lua's functions that a translated program does not have, which says so."""
    found = chunks.UNTRANSLATED.get(name) or getattr(lualib, name, None)
    return found or (lambda *_: untranslated(f"'{name}' is not translated"))


def words_for(module: str) -> tuple[str, ...]:
    """Return `...` of a file: the words of the command line, or the name that `require` was given.

    Parameters
    ----------
    module : str
        Its `__name__`.
    """
    if module == "__main__":
        return tuple(sys.argv[1:])
    return () if module.startswith("dofile ") else (module,)


# -- fields -----------------------------------------------------------------------------------


def index(value: Any, key: Any) -> Any:
    """Return `value[key]`."""
    if key in SPECIAL and isinstance(value, type) and not isinstance(value, TableClass):
        return getattr(value, SPECIAL[key], None)
    if key == "__typename" and not isinstance(value, lualib.Table):
        return getattr(value, "t7_typename", None)
    return plain_index(value, key)


def newindex(value: Any, key: Any, new: Any) -> None:
    """Assign `value[key] = new`; a function in the place of an object's method takes the object."""
    of_object = type(new) is FunctionType and isinstance(value, TorchClass) and type(key) is str
    method = getattr(type(value), key, None) if of_object else None
    if callable(method):
        new = MethodType(_with_arguments_of(method, new), value)
    if isinstance(value, type) and key in SPECIAL:
        setattr(value, SPECIAL[key], new)
        return
    if isinstance(value, type) and type(key) is str and key.removesuffix("__") in EVENTS:
        add_events(value, {key.removesuffix("__"): new})
    plain_newindex(value, key, new)


def _with_arguments_of(method: Any, function: FunctionType) -> Callable[..., Any]:
    """Return a function that takes as many arguments as the method that it takes the place of."""
    wanted = getattr(getattr(method, "__code__", None), "co_argcount", None)
    if wanted == function.__code__.co_argcount or function.__code__.co_flags & CO_VARARGS:
        return function
    return lambda *args: lualib.call(function, *args)


def length(value: Any) -> Any:
    """Return `#value`; of tables a border, whatever their metatables say, as Torch7 printed."""
    if isinstance(value, TorchObject):
        return lualib.table.getn(value)
    return len(value) if isinstance(value, lualib.Table) else length_by_metatable(value)


def append(table: Any, value: Any) -> None:
    """Put a value behind the last element: `t[#t + 1] = value`."""
    newindex(table, add(length(table), 1), value)


# -- calls ------------------------------------------------------------------------------------


def call_all(function: Any, *args: Any) -> Any:
    """Call any value; return all results."""
    if isinstance(function, Module):
        return call_module(function, *args)
    if isinstance(function, Criterion):
        return call_criterion(function, *args)
    if isinstance(function, type):
        start = function.__init__  # type: ignore[misc]  # of this very class
        if type(start) is FunctionType and not start.__module__.startswith("rekindle."):
            args += (None,) * _missing(start, len(args) + 1)
        return as_lua_calls(function, start, 1)(*args)
    return lualib.call(function, *args)


def call(function: Any, *args: Any) -> Any:
    """Call any value; return the first result."""
    return first(call_all(function, *args))


def invoke_all(value: Any, name: str, *args: Any) -> Any:
    """Call a method; return all results."""
    if isinstance(value, (Tensor, Storage)):
        return tensor_method(value, name)(value, *args)
    if isinstance(value, Module):
        if name == "parameters":
            return as_tables(_parameters(value))
    elif isinstance(value, NnNode) and name == "split":
        return split_node(value, *args)
    elif isinstance(value, lualib.Table):
        found = plain_index(value, name)
        if found is not None:
            return lualib.call(found, value, *args)
    if not isinstance(value, (lualib.Table, str)):
        if SPECIAL.get(name) == "__repr__":
            return repr(value)
        method = getattr(value, name, None)
        if type(method) is MethodType and type(method.__func__) is FunctionType:
            return as_lua_calls(method, method.__func__, 1)(
                *args, *[None] * _missing(method.__func__, len(args) + 1)
            )
    return lualib.invoke(value, name, *args)


def as_tables(found: Any) -> tuple[Table, ...]:
    """Return nn's lists as the program's tables: of parameters, and of their gradients."""
    return tuple(Table(*listed) for listed in found)


def _parameters(module: Module) -> Any:
    """Return lists of parameters and gradients; of a class of the program's, if there are none."""
    own = not type(module).parameters.__module__.startswith("rekindle.")
    return module.parameters() if own else parameters(module)


def _missing(function: FunctionType, given: int) -> int:
    code = function.__code__
    return code.co_argcount - len(function.__defaults__ or ()) - given


def invoke(value: Any, name: str, *args: Any) -> Any:
    """Call a method; return the first result."""
    return first(invoke_all(value, name, *args))


def asserted(results: Any, *message: Any) -> Any:
    """Return the first of a call's results if it is true, else throw a message, or the second.

    Raises
    ------
    LuaError
        As `assert_` does.
    """
    return first(assert_(first(results), *message) if message else assert_(*spread(results)))


def nothing(_: Any) -> tuple[()]:
    """Return no values: what a call of a function without results gives."""
    return ()


# -- and, or, .., for -------------------------------------------------------------------------


def or_(value: Any, default: Any) -> Any:
    """Return `value or default`."""
    return default if value is None or value is False else value


def or_else(value: Any, otherwise: Callable[[], Any]) -> Any:
    """Return `value or otherwise()`."""
    return otherwise() if value is None or value is False else value


def and_then(value: Any, following: Callable[[], Any]) -> Any:
    """Return `value and following()`."""
    return value if value is None or value is False else following()


def concat(*parts: Any) -> Any:
    """Return `a .. b .. c`, joined from the right."""
    found = parts[-1]
    for part in reversed(parts[:-1]):
        found = lualib.concat(part, found)
    return found


def steps(start: Any, stop: Any, step: Any = 1) -> Iterator[Any]:
    """Yield the numbers of `for i = start, stop, step`.

    Raises
    ------
    LuaError
        "'for' limit must be a number", and likewise for the others.
    """
    bounds = []
    for value, what in ((start, "initial value"), (stop, "limit"), (step, "step")):
        number = lualib.tonumber(value)
        if number is None:
            lualib.error(f"'for' {what} must be a number", 2)
        bounds.append(number)
    i, last, by = bounds
    if isinstance(i, int) and isinstance(by, int) and by and abs(last) < 2**53:
        yield from range(i, int(last // 1) + 1 if by > 0 else -int(-last // 1) - 1, by)
        return
    while (i <= last) if by >= 0 else (i >= last):
        yield i
        i = add(i, by)
