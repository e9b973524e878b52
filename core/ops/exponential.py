"""Elementwise exponentials, logarithms, roots and reciprocals."""

from __future__ import annotations

import math
from typing import Any

from .batch_rules import elementwise
from .registry import Array, operation
from .samples import pairs, positive, real, unit


@operation(samples=positive, methods=("sqrt",), inplace=("sqrt_",))
def sqrt(xp: Any, x: Array) -> Array:
    """Return the square root; nan below 0."""
    return xp.sqrt(x)


sqrt.def_derivative(x=lambda g, out: g * 0.5 / out)


@operation(samples=positive, methods=("rsqrt",))
def rsqrt(xp: Any, x: Array) -> Array:
    """Return 1 over the square root; infinite at 0, nan below."""
    return 1 / xp.sqrt(x)


rsqrt.def_derivative(x=lambda g, out: g * -0.5 * out * out * out)


@operation(samples=positive, methods=("reciprocal",))
def reciprocal(xp: Any, x: Array) -> Array:
    """Return 1 / x; integers give floats."""
    return 1 / x


reciprocal.def_derivative(x=lambda g, out: -g * out * out)


@operation(samples=real, methods=("exp",), inplace=("exp_",))
def exp(xp: Any, x: Array) -> Array:
    """Return e to the power x."""
    return xp.exp(x)


exp.def_derivative(x=lambda g, out: g * out)


@operation(samples=real, methods=("exp2",))
def exp2(xp: Any, x: Array) -> Array:
    """Return 2 to the power x."""
    return xp.pow(2.0, x)


exp2.def_derivative(x=lambda g, out: g * out * math.log(2))


@operation(samples=unit, methods=("expm1",))
def expm1(xp: Any, x: Array) -> Array:
    """Return exp(x) - 1, exact near 0."""
    return xp.expm1(x)


expm1.def_derivative(x=lambda g, out: g * (out + 1))


@operation(samples=positive, methods=("log",))
def log(xp: Any, x: Array) -> Array:
    """Return the natural logarithm; nan below 0."""
    return xp.log(x)


log.def_derivative(x=lambda g, x: g / x)


@operation(samples=positive, methods=("log1p",))
def log1p(xp: Any, x: Array) -> Array:
    """Return log(1 + x), exact near 0."""
    return xp.log1p(x)


log1p.def_derivative(x=lambda g, x: g / (x + 1))


@operation(samples=positive, methods=("log2",))
def log2(xp: Any, x: Array) -> Array:
    """Return the logarithm to base 2; nan below 0."""
    return xp.log2(x)


log2.def_derivative(x=lambda g, x: g / (x * math.log(2)))


@operation(samples=positive, methods=("log10",))
def log10(xp: Any, x: Array) -> Array:
    """Return the logarithm to base 10; nan below 0."""
    return xp.log10(x)


log10.def_derivative(x=lambda g, x: g / (x * math.log(10)))


@operation(samples=pairs)
def logaddexp(xp: Any, x: Array, y: Array) -> Array:
    """Return log(exp(x) + exp(y)), without overflow."""
    return xp.logaddexp(x, y)


logaddexp.def_derivative(
    x=lambda xp, g, x, y: g * xp.sigmoid(x - y),
    y=lambda xp, g, x, y: g * xp.sigmoid(y - x),
)

for _op in (sqrt, rsqrt, reciprocal, exp, exp2, expm1, log, log1p, log2, log10, logaddexp):
    _op.def_batch(elementwise)
