"""Elementwise special functions: the error function and the gamma function's family.

SciPy computes them, in CuPy's version on a GPU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend
from .batch_rules import elementwise
from .precision import narrow, wide
from .registry import Array, OperandError, Sample, operation
from .samples import positive, real, unit


def _orders(rng: np.random.Generator) -> Iterator[Sample]:
    for n in (0, 1, 3):
        yield Sample(rng.uniform(0.5, 3, (3, 4)), n=n)


def _computed(xp: Any, name: str, x: Array) -> Array:
    return narrow(xp, getattr(backend.special(xp), name)(wide(xp, x)), x)


@operation(samples=real, methods=("erf",))
def erf(xp: Any, x: Array) -> Array:
    """Return the error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x."""
    return _computed(xp, "erf", x)


erf.def_derivative(x=lambda xp, g, x: g * (2 / math.sqrt(math.pi)) * xp.exp(-x * x))


@operation(samples=real, methods=("erfc",))
def erfc(xp: Any, x: Array) -> Array:
    """Return 1 - erf(x), exact where that is small."""
    return _computed(xp, "erfc", x)


erfc.def_derivative(x=lambda xp, g, x: g * (-2 / math.sqrt(math.pi)) * xp.exp(-x * x))


@operation(samples=unit, methods=("erfinv",))
def erfinv(xp: Any, x: Array) -> Array:
    """Return the number whose error function is x; infinite at -1 and 1, nan beyond."""
    return _computed(xp, "erfinv", x)


erfinv.def_derivative(
    x=lambda xp, g, x: g * (math.sqrt(math.pi) / 2) * xp.exp(xp.square(xp.erfinv(x)))
)


@operation(samples=positive, methods=("lgamma",))
def lgamma(xp: Any, x: Array) -> Array:
    """Return the logarithm of the magnitude of the gamma function."""
    return _computed(xp, "gammaln", x)


lgamma.def_derivative(x=lambda xp, g, x: g * xp.digamma(x))


@operation(samples=positive, methods=("digamma",))
def digamma(xp: Any, x: Array) -> Array:
    """Return the derivative of lgamma."""
    return _computed(xp, "digamma", x)


digamma.def_derivative(x=lambda xp, g, x: g * xp.polygamma(x, n=1))


@operation(samples=_orders)
def polygamma(xp: Any, x: Array, *, n: int) -> Array:
    """Return derivative `n` of digamma.

    Parameters
    ----------
    x : Tensor, floating
        Above 0 where n is 1 or more.
    n : int
        0 is digamma itself.

    Raises
    ------
    OperandError
        If n is below 0.
    """
    if n < 0:
        raise OperandError(f"polygamma: the derivative n is 0 or more; given {n}")
    if n == 0:
        return _computed(xp, "digamma", x)
    # (-1)^(n+1) n! zeta(n+1, x), see https://dlmf.nist.gov/5.15
    source = wide(xp, x)
    values = backend.special(xp).zeta(xp.asarray(n + 1, dtype=source.dtype), source)
    return narrow(xp, (-1) ** (n + 1) * math.factorial(n) * values, x)


polygamma.def_derivative(x=lambda xp, g, x, n: g * xp.polygamma(x, n=n + 1))

for _op in (erf, erfc, erfinv, lgamma, digamma, polygamma):
    _op.def_batch(elementwise)
