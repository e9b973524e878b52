"""Single operations on large arrays: with all threads, and into memory that is used again.

For a few elements NumPy's functions are called directly; see ops/fast.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from .chains import LARGE
from .checks import Array
from .dispatch import dispatched
from .programs import SINGLE, STEPS, compute_chain

_NUMBERS = (float, int)

_ARITHMETIC = STEPS[:4]

_PROGRAMS = [np.array([[step, 0, 1]], np.int64) for step in range(len(_ARITHMETIC))]


@dispatched("fused.activation", least=LARGE)
def tanh(xp: Any, x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return xp.tanh(x)


@dispatched("fused.activation", least=LARGE)
def exp(xp: Any, x: Array) -> Array:
    """Return the exponential."""
    return xp.exp(x)


def for_large(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return what computes an operation whose first operand is large.

    Parameters
    ----------
    name : str
        Of the operation.
    compute : callable
        What computes it for others.
    """
    if name in _ARITHMETIC:
        return partial(_arithmetic, _ARITHMETIC.index(name), compute)
    found = {"tanh": tanh, "exp": exp}.get(name)
    return compute if found is None else partial(found, np)


def _arithmetic(step: int, compute: Callable[..., Any], x: Any, y: Any) -> Any:
    """Compute one step of a chain, where the result is laid out as the large operand is."""
    if _plain(x):
        if type(y) in _NUMBERS:
            return compute_chain(np, _PROGRAMS[step], [x, float(y)], shape=x.shape)
        if _plain(y) and _broadcasts(y.shape, x.shape):
            return compute_chain(np, _PROGRAMS[step], [x, y], shape=x.shape)
    elif type(x) in _NUMBERS and _plain(y):
        return compute_chain(np, _PROGRAMS[step], [float(x), y], shape=y.shape)
    return compute(x, y)


def _plain(x: Any) -> bool:
    return type(x) is ndarray and x.dtype is SINGLE and x.flags.c_contiguous


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    if shape == to:
        return True
    if len(shape) > len(to):
        return False
    return all(n in (1, m) for n, m in zip(shape, to[len(to) - len(shape) :], strict=True))
