"""Elementwise arithmetic.

Binary operations broadcast as in the array API; Python numbers do not widen a tensor.
"""

from __future__ import annotations

from typing import Any

from .batch_rules import elementwise
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


# Not by the result, which programs like to go on with in place.
divide.def_derivative(x=lambda g, y: g / y, y=lambda g, x, y: -g * (x / y) / y)


@operation(samples=pairs, operator="floordiv", inplace=("__ifloordiv__",))
def floor_divide(xp: Any, x: Array, y: Array) -> Array:
    """Return x / y rounded towards minus infinity."""
    return xp.floor_divide(x, y)


@operation(samples=pairs, operator="mod", inplace=("__imod__",))
def remainder(xp: Any, x: Array, y: Array) -> Array:
    """Return what floor division leaves; its sign is y's."""
    return xp.remainder(x, y)


remainder.def_derivative(
    x=lambda g: g,
    y=lambda xp, g, x, y: -g * xp.floor_divide(x, y),
)


@operation(samples=pairs, methods=("pow",), operator="pow", inplace=("pow_", "__ipow__"))
def power(xp: Any, x: Array, y: Array) -> Array:
    """Return x to the power y."""
    return xp.pow(x, y)


# x**0 has slope 0 everywhere, also at x = 0: there y - 1 would be an infinite power.
def _by_exponent(xp: Any, g: Any, x: Any, out: Any) -> Any:
    # The logarithm of a plain number would be float64, and the gradient with it.
    base = x if hasattr(x, "dtype") else g * 0 + x
    # Of 0**y the slope is 0, and -inf where that is infinite (y < 0): as in PyTorch.
    return g * xp.log(xp.where((base == 0) & xp.isfinite(out), 1.0, base)) * out


power.def_derivative(
    x=lambda xp, g, x, y: g * y * xp.power(x, y - (y != 0)),
    y=_by_exponent,
)


@operation(samples=pairs)
def maximum(xp: Any, x: Array, y: Array) -> Array:
    """Return the larger of x and y; nan where either is."""
    return xp.maximum(x, y)


# Where x and y are equal each takes half, as in NumPy-based frameworks and PyTorch.
maximum.def_derivative(
    x=lambda g, x, y: g * (x > y) + g * (x == y) * 0.5,
    y=lambda g, x, y: g * (y > x) + g * (x == y) * 0.5,
)


@operation(samples=pairs)
def minimum(xp: Any, x: Array, y: Array) -> Array:
    """Return the smaller of x and y; nan where either is."""
    return xp.minimum(x, y)


minimum.def_derivative(
    x=lambda g, x, y: g * (x < y) + g * (x == y) * 0.5,
    y=lambda g, x, y: g * (y < x) + g * (x == y) * 0.5,
)


@operation(samples=real, methods=("__neg__", "neg"), inplace=("neg_",))
def negative(xp: Any, x: Array) -> Array:
    """Return -x."""
    return xp.negative(x)


negative.def_derivative(x=lambda g: -g)


@operation(samples=real, methods=("__abs__", "abs"), inplace=("abs_",))
def abs(xp: Any, x: Array) -> Array:
    """Return the absolute value."""
    return xp.abs(x)


# The slope at 0 is 0.
abs.def_derivative(x=lambda xp, g, x: g * xp.sign(x))


@operation(samples=real, methods=("sign",))
def sign(xp: Any, x: Array) -> Array:
    """Return -1, 0 or 1 by the sign of x."""
    return xp.sign(x)


@operation(samples=real, methods=("square",))
def square(xp: Any, x: Array) -> Array:
    """Return x * x."""
    return xp.square(x)


square.def_derivative(x=lambda g, x: g * x * 2)

for _op in (
    add,
    subtract,
    multiply,
    divide,
    floor_divide,
    remainder,
    power,
    maximum,
    minimum,
    negative,
    abs,
    sign,
    square,
):
    _op.def_batch(elementwise)
