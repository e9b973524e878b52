"""Elementwise exponentials, logarithms, roots and trigonometry."""

from __future__ import annotations

from typing import Any

from .registry import Array, operation
from .samples import positive, real, unit


@operation(samples=positive, methods=("sqrt",))
def sqrt(xp: Any, x: Array) -> Array:
    """Return the square root; nan below 0."""
    return xp.sqrt(x)


sqrt.def_derivative(x=lambda g, out: g * 0.5 / out)


@operation(samples=real, methods=("exp",))
def exp(xp: Any, x: Array) -> Array:
    """Return e to the power x."""
    return xp.exp(x)


exp.def_derivative(x=lambda g, out: g * out)


@operation(samples=unit)
def expm1(xp: Any, x: Array) -> Array:
    """Return exp(x) - 1, exact near 0."""
    return xp.expm1(x)


expm1.def_derivative(x=lambda g, out: g * (out + 1))


@operation(samples=positive, methods=("log",))
def log(xp: Any, x: Array) -> Array:
    """Return the natural logarithm; nan below 0."""
    return xp.log(x)


log.def_derivative(x=lambda g, x: g / x)


@operation(samples=positive)
def log1p(xp: Any, x: Array) -> Array:
    """Return log(1 + x), exact near 0."""
    return xp.log1p(x)


log1p.def_derivative(x=lambda g, x: g / (x + 1))


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
