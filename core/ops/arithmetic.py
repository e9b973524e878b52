"""Elementwise arithmetic.

Binary operations broadcast as in the array API; Python numbers do not widen a tensor.
"""

from __future__ import annotations

from typing import Any

from .registry import Array, operation
from .samples import pairs, real


@operation(samples=pairs, methods=("add",), operator="add", inplace=("add_", "__iadd__"))
def add(xp: Any, x: Array, y: Array) -> Array:
    """Return x + y."""
    return xp.add(x, y)


add.def_derivative(x=lambda g: g, y=lambda g: g)


@operation(samples=pairs, methods=("sub",), operator="sub", inplace=("sub_", "__isub__"))
def subtract(xp: Any, x: Array, y: Array) -> Array:
    """Return x - y."""
    return xp.subtract(x, y)


subtract.def_derivative(x=lambda g: g, y=lambda g: -g)


@operation(samples=pairs, methods=("mul",), operator="mul", inplace=("mul_", "__imul__"))
def multiply(xp: Any, x: Array, y: Array) -> Array:
    """Return x * y."""
    return xp.multiply(x, y)


multiply.def_derivative(x=lambda g, y: g * y, y=lambda g, x: g * x)


@operation(samples=pairs, methods=("div",), operator="truediv", inplace=("div_", "__itruediv__"))
def divide(xp: Any, x: Array, y: Array) -> Array:
    """Return x / y; integers give floats."""
    return xp.divide(x, y)


divide.def_derivative(x=lambda g, y: g / y, y=lambda g, y, out: -g * out / y)


@operation(samples=pairs, operator="floordiv", inplace=("__ifloordiv__",))
def floor_divide(xp: Any, x: Array, y: Array) -> Array:
    """Return x / y rounded towards minus infinity."""
    return xp.floor_divide(x, y)


@operation(samples=pairs, operator="mod", inplace=("__imod__",))
def remainder(xp: Any, x: Array, y: Array) -> Array:
    """Return what floor division leaves; its sign is y's."""
    return xp.remainder(x, y)


@operation(samples=pairs, methods=("pow",), operator="pow", inplace=("__ipow__",))
def power(xp: Any, x: Array, y: Array) -> Array:
    """Return x to the power y."""
    return xp.pow(x, y)


@operation(samples=pairs)
def maximum(xp: Any, x: Array, y: Array) -> Array:
    """Return the larger of x and y; nan where either is."""
    return xp.maximum(x, y)


@operation(samples=pairs)
def minimum(xp: Any, x: Array, y: Array) -> Array:
    """Return the smaller of x and y; nan where either is."""
    return xp.minimum(x, y)


@operation(samples=real, methods=("__neg__", "neg"))
def negative(xp: Any, x: Array) -> Array:
    """Return -x."""
    return xp.negative(x)


@operation(samples=real, methods=("__abs__", "abs"))
def abs(xp: Any, x: Array) -> Array:
    """Return the absolute value."""
    return xp.abs(x)


@operation(samples=real, methods=("sign",))
def sign(xp: Any, x: Array) -> Array:
    """Return -1, 0 or 1 by the sign of x."""
    return xp.sign(x)


@operation(samples=real, methods=("square",))
def square(xp: Any, x: Array) -> Array:
    """Return x * x."""
    return xp.square(x)
