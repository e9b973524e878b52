"""Lua's math library. What has no value is nan, never a Python error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .arguments import integer, number
from .numbers import whole
from .operators import div, mod, power
from .tausworthe import Tausworthe

pi = math.pi
huge = math.inf

_generator = Tausworthe()


def _unary(name: str, function: Callable[[float], float], says: str) -> Callable[[Any], float]:
    def wrapped(x: Any) -> float:
        value = number(x, 1, name)
        try:
            return function(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.copysign(math.inf, value) if name == "sinh" else math.inf

    wrapped.__name__ = wrapped.__qualname__ = name
    wrapped.__doc__ = f"Return {says}."
    return wrapped


sqrt = _unary("sqrt", math.sqrt, "the square root")
exp = _unary("exp", math.exp, "e to the power of x")
sin = _unary("sin", math.sin, "the sine of an angle in radians")
cos = _unary("cos", math.cos, "the cosine of an angle in radians")
tan = _unary("tan", math.tan, "the tangent of an angle in radians")
asin = _unary("asin", math.asin, "the arc sine in radians")
acos = _unary("acos", math.acos, "the arc cosine in radians")
atan = _unary("atan", math.atan, "the arc tangent in radians")
sinh = _unary("sinh", math.sinh, "the hyperbolic sine")
cosh = _unary("cosh", math.cosh, "the hyperbolic cosine")
tanh = _unary("tanh", math.tanh, "the hyperbolic tangent")
deg = _unary("deg", lambda x: x * (180.0 / math.pi), "an angle in degrees, given in radians")
rad = _unary("rad", lambda x: x * (math.pi / 180.0), "an angle in radians, given in degrees")


def abs_(x: Any) -> float:
    """Return the absolute value."""
    return abs(number(x, 1, "abs"))


def floor(x: Any) -> float:
    """Return the largest whole number that is not larger than x: an int within 2^53."""
    value = number(x, 1, "floor")
    return value if type(value) is int else _rounded(value, math.floor)


def ceil(x: Any) -> float:
    """Return the smallest whole number that is not smaller than x: an int within 2^53."""
    value = number(x, 1, "ceil")
    return value if type(value) is int else _rounded(value, math.ceil)


def _rounded(value: float, how: Callable[[float], int]) -> float:
    return whole(math.copysign(how(value), value)) if math.isfinite(value) else value


def log(x: Any, base: Any = None) -> float:
    """Return the natural logarithm, or the one to a base."""
    value = _log(math.log, number(x, 1, "log"))
    if base is None:
        return value
    # Quotients of binary logarithms are exact for powers of two.
    return div(  # type: ignore[no-any-return]
        _log(math.log2, number(x, 1, "log")), _log(math.log2, number(base, 2, "log"))
    )


def log10(x: Any) -> float:
    """Return the decimal logarithm."""
    return _log(math.log10, number(x, 1, "log10"))


def _log(function: Callable[[float], float], value: float) -> float:
    if value == 0:
        return -math.inf
    return math.nan if value < 0 else function(value)


def pow_(x: Any, y: Any) -> Any:
    """Return x to the power of y."""
    return power(number(x, 1, "pow"), number(y, 2, "pow"))


def fmod(x: Any, y: Any) -> float:
    """Return the rest of x / y rounded towards zero: the sign is x's."""
    a, b = number(x, 1, "fmod"), number(y, 2, "fmod")
    try:
        return math.fmod(a, b)
    except ValueError:
        return math.nan


def mod_(x: Any, y: Any) -> Any:
    """Return what the operator `%` gives."""
    return mod(number(x, 1, "mod"), number(y, 2, "mod"))


def modf(x: Any) -> tuple[float, float]:
    """Return the whole part, towards zero, and the rest.

    Examples
    --------
    >>> modf(-3.75)
    (-3, -0.75)
    """
    value = float(number(x, 1, "modf"))
    if math.isinf(value):
        return value, math.copysign(0.0, value)
    fraction, integral = math.modf(value)
    return whole(integral), fraction


def frexp(x: Any) -> tuple[float, int]:
    """Return m and e with x = m * 2^e and 0.5 <= |m| < 1."""
    return math.frexp(number(x, 1, "frexp"))


def ldexp(m: Any, e: Any) -> float:
    """Return m * 2^e."""
    value = number(m, 1, "ldexp")
    try:
        return math.ldexp(value, integer(e, 2, "ldexp"))
    except OverflowError:
        return math.copysign(math.inf, value)


def atan2(y: Any, x: Any) -> float:
    """Return the angle of the point (x, y) in radians."""
    return math.atan2(number(y, 1, "atan2"), number(x, 2, "atan2"))


def max_(x: Any, *others: Any) -> float:
    """Return the largest number."""
    best = number(x, 1, "max")
    for position, other in enumerate(others, 2):
        value = number(other, position, "max")
        if value > best or best != best:
            best = value
    return best


def min_(x: Any, *others: Any) -> float:
    """Return the smallest number."""
    best = number(x, 1, "min")
    for position, other in enumerate(others, 2):
        value = number(other, position, "min")
        if value < best or best != best:
            best = value
    return best


def random(m: Any = None, n: Any = None) -> float:
    """Return LuaJIT's next random number: from [0, 1), or a whole one from 1..m or m..n.

    Torch's own stream (`torch.uniform`) is another one.
    """
    draw = _generator.random()
    if m is None:
        return draw
    low = number(m, 1, "random")
    if n is None:
        return _rounded(draw * low, math.floor) + 1
    high = number(n, 2, "random")
    return _rounded(draw * (high - low + 1.0), math.floor) + low


def randomseed(seed: Any) -> None:
    """Start `random` anew; LuaJIT itself starts with 0."""
    _generator.seed(number(seed, 1, "randomseed"))
