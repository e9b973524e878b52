"""Python functions called as Lua calls functions: arguments may be too many, or nil."""

from __future__ import annotations

from collections.abc import Callable
from inspect import CO_VARARGS
from types import FunctionType
from typing import Any


def as_lua_calls(
    function: Callable[..., Any], described: Any = None, skipped: int = 0
) -> Callable[..., Any]:
    """Return `function` so that surplus arguments are dropped and None means the default.

    Parameters
    ----------
    function : callable
    described : callable, optional
        The Python function that says which arguments there are; by default `function`.
    skipped : int
        How many of its parameters are not arguments of `function`: 1 for a class's `__init__`.
    """
    described = function if described is None else described
    code = getattr(described, "__code__", None)
    if code is None or code.co_flags & CO_VARARGS:
        return function
    most = code.co_argcount - skipped
    defaults = getattr(described, "__defaults__", None) or ()
    required = most - len(defaults)

    def called(*args: Any) -> Any:
        if len(args) > most:
            args = args[:most]
        for i in range(required, len(args)):
            if args[i] is None:
                given = [
                    default if value is None else value
                    for value, default in zip(args[required:], defaults, strict=False)
                ]
                return function(*args[:required], *given)
        return function(*args)

    return called


def as_lua_function(function: FunctionType) -> Callable[..., Any]:
    """Return a Python function that takes any number of arguments: missing ones are None."""
    called = as_lua_calls(function)
    code = function.__code__
    required = code.co_argcount - len(function.__defaults__ or ())
    if not required:
        return called

    def padded(*args: Any) -> Any:
        missing = required - len(args)
        return called(*args, *[None] * missing) if missing > 0 else called(*args)

    return padded
