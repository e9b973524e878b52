"""Calls: arguments that are missing or too many, results that are none, one or several.

A function returns its one result as it is, several as a tuple, and none as `()` or None. Lua
has no tuples, so a tuple is never a value. Varargs are Python's `*args`.
"""

from __future__ import annotations

from inspect import CO_VARARGS
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from rekindle.core.checkpoint.table import Table

from .arguments import integer
from .errors import bad_argument
from .metatables import metamethod
from .operand_names import refusal


def first(results: Any) -> Any:
    """Return the first of a call's results, as `(f())` and an expression do.

    Examples
    --------
    >>> first((1, 2)), first(()), first("one")
    (1, None, 'one')
    """
    if type(results) is tuple:
        return results[0] if results else None
    return results


def spread(results: Any) -> tuple[Any, ...]:
    """Return all results of a call as a tuple: `g(*spread(f()))` is Lua's `g(f())`."""
    return results if type(results) is tuple else (results,)


def take(results: Any, count: int) -> tuple[Any, ...]:
    """Return exactly `count` results: `a, b = take(f(), 2)` is Lua's `a, b = f()`.

    Examples
    --------
    >>> take((1, 2, 3), 2), take("one", 2)
    ((1, 2), ('one', None))
    """
    found = results if type(results) is tuple else (results,)
    missing = count - len(found)
    return found + (None,) * missing if missing >= 0 else found[:count]


def single(results: tuple[Any, ...]) -> Any:
    """Return a tuple of results as a function returns them: one result as it is."""
    return results[0] if len(results) == 1 else results


def call(function: Any, *args: Any) -> Any:
    """Call any Lua value with any number of arguments.

    Missing arguments are nil and surplus ones are dropped, which Python functions alone would
    refuse; a table is called through `__call`.

    Raises
    ------
    LuaError
        "attempt to call a nil value" for what cannot be called.

    Examples
    --------
    >>> def scale(x, factor):
    ...     return x if factor is None else x * factor
    >>> call(scale, 3), call(scale, 3, 2, "surplus")
    (3, 6)
    """
    kind = type(function)
    if kind is FunctionType:
        code = function.__code__
        wanted = code.co_argcount
        if len(args) == wanted:
            return function(*args)
        return function(*_fit(function, args, wanted))
    if kind is MethodType and type(function.__func__) is FunctionType:
        wanted = function.__func__.__code__.co_argcount - 1
        return function(*_fit(function.__func__, args, wanted))
    if kind is BuiltinFunctionType:
        return function(*args)
    handler = metamethod(function, "__call")
    if handler is not None:
        return call(handler, function, *args)
    if isinstance(function, Table) or not callable(function):
        raise refusal("call", function)
    return function(*args)


def _fit(function: FunctionType, args: tuple[Any, ...], wanted: int) -> tuple[Any, ...]:
    code = function.__code__
    given = len(args)
    if given > wanted:
        return args if code.co_flags & CO_VARARGS else args[: max(wanted, 0)]
    required = wanted - len(function.__defaults__ or ())
    return args + (None,) * (required - given) if given < required else args


def select(which: Any, *args: Any) -> Any:
    """Return the arguments from the given one on, or how many there are for "#".

    Examples
    --------
    >>> select("#", None, None), select(2, "a", "b", "c"), select(-1, "a", "b")
    (2, ('b', 'c'), 'b')
    """
    if which == "#":
        return len(args)
    position = integer(which, 1, "select")
    if position < 0:
        position += len(args) + 1
        if position < 1:
            raise bad_argument(1, "select", "index out of range")
    elif position == 0:
        raise bad_argument(1, "select", "index out of range")
    return single(args[position - 1 :])
