"""Lua's operators: arithmetic, comparison, concatenation, with coercion and metatables."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from types import MethodType
from typing import Any

from rekindle.core.checkpoint.table import Table

from .calls import call, first
from .errors import LuaError, located
from .kinds import truth, type_of
from .metatables import metamethod, metatable_of
from .numbers import EXACT, as_number, format_number, parse_number
from .operand_names import refusal

# Whole numbers are ints as long as doubles are exact, so that a program may index with them.


def add(a: Any, b: Any) -> Any:
    """Return `a + b`.

    Raises
    ------
    LuaError
        "attempt to perform arithmetic on a nil value", where neither numbers nor text that
        spells them nor a metamethod (here `__add`) are found. So for all arithmetic.

    Examples
    --------
    >>> add("10", 5), add(2**53, 1)
    (15, 9007199254740992.0)
    """
    ka, kb = type(a), type(b)
    if (ka is int or ka is float) and (kb is int or kb is float):
        result = a + b
        if type(result) is float or -EXACT <= result <= EXACT:
            return result
        return float(result)
    return _arithmetic("__add", add, operator.add, a, b)


def sub(a: Any, b: Any) -> Any:
    """Return `a - b`."""
    ka, kb = type(a), type(b)
    if (ka is int or ka is float) and (kb is int or kb is float):
        result = a - b
        if type(result) is float or -EXACT <= result <= EXACT:
            return result
        return float(result)
    return _arithmetic("__sub", sub, operator.sub, a, b)


def mul(a: Any, b: Any) -> Any:
    """Return `a * b`; 0 * -1 is -0, as for doubles."""
    ka, kb = type(a), type(b)
    if (ka is int or ka is float) and (kb is int or kb is float):
        result = a * b
        if type(result) is float:
            return result
        if not result and (a < 0 or b < 0):
            return -0.0
        return result if -EXACT <= result <= EXACT else float(result)
    return _arithmetic("__mul", mul, operator.mul, a, b)


def div(a: Any, b: Any) -> Any:
    """Return `a / b`, a float; a division by zero gives inf, -inf or nan."""
    ka, kb = type(a), type(b)
    if (ka is int or ka is float) and (kb is int or kb is float):
        if b:
            return a / b
        if not a or a != a:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return _arithmetic("__div", div, operator.truediv, a, b)


def mod(a: Any, b: Any) -> Any:
    """Return `a % b`, that is `a - floor(a / b) * b`: the sign is b's.

    Examples
    --------
    >>> mod(-7, 3), mod(7, -3), mod(5.5, 2), mod(1, 0)
    (2, -2, 1.5, nan)
    """
    ka, kb = type(a), type(b)
    if ka is int and kb is int and b and -EXACT < a < EXACT:
        return a % b
    if (ka is int or ka is float) and (kb is int or kb is float):
        quotient = div(a, b)
        if not math.isfinite(quotient):
            return a - quotient * b
        return float(a) - math.copysign(math.floor(quotient), quotient) * b
    return _arithmetic("__mod", mod, operator.mod, a, b)


def power(a: Any, b: Any) -> Any:
    """Return `a ^ b`, a float, as C's `pow`: inf where it is too large, nan where undefined."""
    ka, kb = type(a), type(b)
    if (ka is int or ka is float) and (kb is int or kb is float):
        odd = float(b).is_integer() and b % 2 == 1
        try:
            return math.pow(a, b)
        except OverflowError:
            return -math.inf if a < 0 and odd else math.inf
        except ValueError:
            if a:
                return math.nan
            return math.copysign(math.inf, a) if odd else math.inf
    return _arithmetic("__pow", power, operator.pow, a, b)


def unm(a: Any) -> Any:
    """Return `-a`; -0 is a number of its own."""
    kind = type(a)
    if kind is float:
        return -a
    if kind is int:
        return -a if a else -0.0
    number = _coerced(a)
    if number is not None:
        return unm(number)
    handler = metamethod(a, "__unm")
    if handler is not None:
        return first(call(handler, a, a))
    if _is_foreign(a) and hasattr(type(a), "__neg__"):
        return -a
    raise refusal("perform arithmetic on", a)


def not_(a: Any) -> bool:
    """Return `not a`."""
    return a is None or a is False


def _coerced(value: Any) -> int | float | None:
    return parse_number(value) if type(value) is str else as_number(value)


def _is_foreign(value: Any) -> bool:
    """Whether a value is a Python object with operators of its own: a tensor, a graph node."""
    return not isinstance(value, (Table, str, bool, int, float, list, dict, tuple, type(None)))


def _arithmetic(
    event: str,
    again: Callable[[Any, Any], Any],
    python: Callable[[Any, Any], Any],
    a: Any,
    b: Any,
) -> Any:
    x, y = _coerced(a), _coerced(b)
    if x is not None and y is not None:
        return again(x, y)
    handler = metamethod(a, event)
    if handler is None:
        handler = metamethod(b, event)
    if handler is not None:
        return first(call(handler, a, b))
    if _is_foreign(a) or _is_foreign(b):
        return python(a, b)
    raise refusal("perform arithmetic on", *((a, 0) if x is None else (b, 1)))


def concat(a: Any, b: Any) -> Any:
    """Return `a .. b`: text and numbers are joined, other values through `__concat`.

    Examples
    --------
    >>> concat("epoch ", 10.0), concat(1, 2)
    ('epoch 10', '12')
    """
    if type(a) is str and type(b) is str:
        return a + b
    x, y = _as_text(a), _as_text(b)
    if x is not None and y is not None:
        return x + y
    handler = metamethod(a, "__concat")
    if handler is None:
        handler = metamethod(b, "__concat")
    if handler is None:
        raise refusal("concatenate", a if x is None else b)
    return first(call(handler, a, b))


def _as_text(value: Any) -> str | None:
    if type(value) is str:
        return value
    number = as_number(value)
    return None if number is None else format_number(number)


def rawequal(a: Any, b: Any) -> bool:
    """Whether two values are equal without metamethods.

    Numbers and text are by value, all else by identity.

    Examples
    --------
    >>> rawequal(1, 1.0), rawequal(1, True), rawequal("1", 1)
    (True, False, False)
    """
    if a is b:
        return type(a) is not float or a == a
    ka, kb = type(a), type(b)
    if ka is kb and (ka is str or ka is int or ka is float or ka is MethodType):
        return bool(a == b)
    x, y = as_number(a), as_number(b)
    return x is not None and y is not None and x == y


def eq(a: Any, b: Any) -> bool:
    """Whether `a == b`; two tables that are not the same ask `__eq`, if they have it in common."""
    kind = type(a)
    if kind is type(b) and (kind is str or kind is int or kind is float):
        return bool(a == b)
    if rawequal(a, b):
        return True
    if kind is str or metatable_of(a) is None:
        return False
    if type_of(a) != type_of(b):
        return False
    handler = metamethod(a, "__eq")
    if handler is None or not rawequal(handler, metamethod(b, "__eq")):
        return False
    return truth(first(call(handler, a, b)))


def lt(a: Any, b: Any) -> bool:
    """Whether `a < b`; `a > b` is `lt(b, a)`.

    Raises
    ------
    LuaError
        "attempt to compare number with nil", "attempt to compare two table values".
    """
    ka, kb = type(a), type(b)
    if ((ka is int or ka is float) and (kb is int or kb is float)) or (ka is str and kb is str):
        return a < b  # type: ignore[no-any-return]
    x, y = as_number(a), as_number(b)
    if x is not None and y is not None:
        return x < y
    handler = _common(a, b, "__lt")
    if handler is None:
        raise _incomparable(a, b)
    return truth(first(call(handler, a, b)))


def le(a: Any, b: Any) -> bool:
    """Whether `a <= b`; without `__le` this is `not (b < a)`."""
    ka, kb = type(a), type(b)
    if ((ka is int or ka is float) and (kb is int or kb is float)) or (ka is str and kb is str):
        return a <= b  # type: ignore[no-any-return]
    x, y = as_number(a), as_number(b)
    if x is not None and y is not None:
        return x <= y
    handler = _common(a, b, "__le")
    if handler is not None:
        return truth(first(call(handler, a, b)))
    handler = _common(a, b, "__lt")
    if handler is None:
        raise _incomparable(a, b)
    return not truth(first(call(handler, b, a)))


def gt(a: Any, b: Any) -> bool:
    """Whether `a > b`, which is `b < a`."""
    return lt(b, a)


def ge(a: Any, b: Any) -> bool:
    """Whether `a >= b`, which is `b <= a`."""
    return le(b, a)


def _common(a: Any, b: Any, event: str) -> Any:
    """Return the metamethod that two values share: as in Lua 5.1 only that one orders them."""
    handler = metamethod(a, event)
    return handler if handler is not None and rawequal(handler, metamethod(b, event)) else None


def _incomparable(a: Any, b: Any) -> LuaError:
    ka, kb = type_of(a), type_of(b)
    if ka == kb:
        return located(f"attempt to compare two {ka} values")
    return located(f"attempt to compare {ka} with {kb}")
