"""Elementwise trigonometric and hyperbolic functions; angles are in radians."""

from __future__ import annotations

from typing import Any

from .batch_rules import elementwise
from .registry import Array, operation
from .samples import above_one, pairs, real, unit


@operation(samples=real, methods=("sin",))
def sin(xp: Any, x: Array) -> Array:
    """Return the sine of x, in radians."""
    return xp.sin(x)


sin.def_derivative(x=lambda xp, g, x: g * xp.cos(x))


@operation(samples=real, methods=("cos",))
def cos(xp: Any, x: Array) -> Array:
    """Return the cosine of x, in radians."""
    return xp.cos(x)


cos.def_derivative(x=lambda xp, g, x: -g * xp.sin(x))


@operation(samples=unit, methods=("tan",))
def tan(xp: Any, x: Array) -> Array:
    """Return the tangent of x, in radians."""
    return xp.tan(x)


tan.def_derivative(x=lambda g, out: g * (1 + out * out))


@operation(samples=unit, methods=("asin",))
def asin(xp: Any, x: Array) -> Array:
    """Return the angle between -pi/2 and pi/2 whose sine is x; nan outside of [-1, 1]."""
    return xp.asin(x)


asin.def_derivative(x=lambda xp, g, x: g / xp.sqrt(1 - x * x))


@operation(samples=unit, methods=("acos",))
def acos(xp: Any, x: Array) -> Array:
    """Return the angle between 0 and pi whose cosine is x; nan outside of [-1, 1]."""
    return xp.acos(x)


acos.def_derivative(x=lambda xp, g, x: -g / xp.sqrt(1 - x * x))


@operation(samples=real, methods=("atan",))
def atan(xp: Any, x: Array) -> Array:
    """Return the angle between -pi/2 and pi/2 whose tangent is x."""
    return xp.atan(x)


atan.def_derivative(x=lambda g, x: g / (1 + x * x))


@operation(samples=pairs, methods=("atan2",))
def atan2(xp: Any, x: Array, y: Array) -> Array:
    """Return the angle between -pi and pi whose tangent is x / y, by the signs of both.

    Parameters
    ----------
    x : Tensor or number
        The numerator: how far up the point is.
    y : Tensor or number
        The denominator: how far to the right; broadcasts with x.
    """
    return xp.atan2(x, y)


atan2.def_derivative(
    x=lambda g, x, y: g * y / (x * x + y * y),
    y=lambda g, x, y: -g * x / (x * x + y * y),
)


@operation(samples=pairs, methods=("hypot",))
def hypot(xp: Any, x: Array, y: Array) -> Array:
    """Return the square root of x * x + y * y, without overflow on the way."""
    return xp.hypot(x, y)


# The slope at the origin is 0.
hypot.def_derivative(
    x=lambda xp, g, x, out: g * x / xp.where(out == 0, 1.0, out),
    y=lambda xp, g, y, out: g * y / xp.where(out == 0, 1.0, out),
)


@operation(samples=real, methods=("sinh",))
def sinh(xp: Any, x: Array) -> Array:
    """Return the hyperbolic sine."""
    return xp.sinh(x)


sinh.def_derivative(x=lambda xp, g, x: g * xp.cosh(x))


@operation(samples=real, methods=("cosh",))
def cosh(xp: Any, x: Array) -> Array:
    """Return the hyperbolic cosine."""
    return xp.cosh(x)


cosh.def_derivative(x=lambda xp, g, x: g * xp.sinh(x))


@operation(samples=real, methods=("asinh",))
def asinh(xp: Any, x: Array) -> Array:
    """Return the number whose hyperbolic sine is x."""
    return xp.asinh(x)


asinh.def_derivative(x=lambda xp, g, x: g / xp.hypot(x, 1.0))


@operation(samples=above_one, methods=("acosh",))
def acosh(xp: Any, x: Array) -> Array:
    """Return the number of at least 0 whose hyperbolic cosine is x; nan below 1."""
    return xp.acosh(x)


acosh.def_derivative(x=lambda xp, g, x: g / (xp.sqrt(x - 1) * xp.sqrt(x + 1)))


@operation(samples=unit, methods=("atanh",))
def atanh(xp: Any, x: Array) -> Array:
    """Return the number whose hyperbolic tangent is x; nan outside of [-1, 1]."""
    return xp.atanh(x)


atanh.def_derivative(x=lambda g, x: g / (1 - x * x))

for _op in (sin, cos, tan, asin, acos, atan, atan2, hypot, sinh, cosh, asinh, acosh, atanh):
    _op.def_batch(elementwise)
