"""error, assert, pcall and xpcall, and the functions that need a compiler."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from .arguments import integer
from .calls import call, first, single, spread
from .errors import LuaError, bad_argument, located, place, place_in, protected
from .kinds import truth, type_of
from .operand_names import in_lua
from .values import tostring


def error(message: Any = None, level: Any = None) -> NoReturn:
    """Throw a value.

    Parameters
    ----------
    message : Any
        Text, and a number as text, gets the place of the error in front, "file:line: "; other
        values stay as they are.
    level : int, optional
        Whose place: 1 (default) for the caller of `error`, 2 for the caller's caller, 0 for none.

    Raises
    ------
    LuaError
        Its `value` is the message.
    """
    depth = integer(level, 2, "error", 1)
    if depth > 0 and type_of(message) in ("string", "number"):
        message = place(depth) + tostring(message)
    raise LuaError(message)


def assert_(*args: Any) -> Any:
    """Return all arguments if the first is true, else throw the second.

    Raises
    ------
    LuaError
        With the second argument as its value, "assertion failed!" by default; text, and a
        number as text, has the place of the call in front.

    Source: LuaJIT lib_base.c (lj_err_callermsg).
    """
    if not args:
        raise bad_argument(1, "assert", "value expected")
    if not truth(args[0]):
        message = args[1] if len(args) > 1 else "assertion failed!"
        if type_of(message) in ("string", "number"):
            raise located(tostring(message))
        raise LuaError(message)
    return single(args)


def thrown(exc: Exception) -> Any:
    """Return the Lua value that a Python exception is for `pcall`.

    A LuaError's own value; of other exceptions the text, "stack overflow" for endless recursion.
    Where Python met None in an operation, the text is Lua's.
    """
    if isinstance(exc, LuaError):
        return exc.value
    if isinstance(exc, RecursionError):
        return "stack overflow"
    text = str(exc) or type(exc).__name__
    if isinstance(exc, (AttributeError, TypeError)) and exc.__traceback__ is not None:
        last = exc.__traceback__
        while last.tb_next is not None:
            last = last.tb_next
        words = in_lua(text, last.tb_frame, last.tb_lasti)
        if words is not None:
            return place_in(last.tb_frame, last.tb_lineno) + words
    return text


@protected
def pcall(function: Any, *args: Any) -> tuple[Any, ...]:
    """Call a function; return (true, results...), or (false, what was thrown).

    Exceptions of Python count as errors too; Ctrl-C and `os.exit` go through.

    Examples
    --------
    >>> pcall(lambda x: x, 1), pcall(error, "bad", 0)
    ((True, 1), (False, 'bad'))
    """
    try:
        return (True, *spread(call(function, *args)))
    except Exception as exc:
        return (False, _of_missing(thrown(exc), len(args)))


def _of_missing(value: Any, given: int) -> Any:
    """Return an error of a library function that lacked arguments: no nil was given."""
    found = type(value) is str and re.match(r"bad argument #(\d+) to '\?' .* got nil\)$", value)
    if found and int(found[1]) > given:
        return f"{value.removesuffix('nil)')}no value)"
    return value


@protected
def xpcall(function: Any, handler: Any, *args: Any) -> tuple[Any, ...]:
    """Call a function with arguments; what is thrown is given to the handler first.

    Returns (true, results...), or (false, the first value that the handler returned), as LuaJIT.
    """
    try:
        return (True, *spread(call(function, *args)))
    except Exception as exc:
        try:
            return (False, first(call(handler, thrown(exc))))
        except Exception as second:
            return (False, thrown(second))


def refused(name: str) -> Any:
    """Return a library function that says why it cannot be here, and where to turn."""

    def refuse(*_: Any) -> NoReturn:
        raise located(
            f"{name} compiles Lua source while the program runs, which Python code cannot: "
            "translate that source too, or run it with rekindle.lua.Runtime"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Refuse: `{name}` needs a Lua compiler, which the bridge has."
    return refuse


load = refused("load")
loadstring = refused("loadstring")
loadfile = refused("loadfile")
dofile = refused("dofile")
