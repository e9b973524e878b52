"""Functions of one element: exponentials, angles, rounding, powers.

Source: torch7 lib/TH/generic/THTensorMath.c, TensorMath.lua.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .functions import FLOATING, NUMERIC, described
from .pointwise import run, with_number, with_tensor

UNARY = "*res=new! src!"


def half_away(a: Any, out: Any = None) -> Any:
    """Round halves away from zero, as C."""
    return np.copysign(np.floor(np.abs(a) + 0.5), a, out=out)


def _sigmoid(a: Any, out: Any = None) -> Any:
    return np.divide(1.0, 1.0 + np.exp(-np.asarray(a)), out=out)


def _rsqrt(a: Any, out: Any = None) -> Any:
    return np.divide(1.0, np.sqrt(a), out=out)


def _frac(a: Any, out: Any = None) -> Any:
    return np.subtract(a, np.trunc(a), out=out)


_WITH_NUMBERS: dict[str, Callable[..., Any]] = {
    "log": np.log,
    "log1p": np.log1p,
    "exp": np.exp,
    "cos": np.cos,
    "acos": np.arccos,
    "cosh": np.cosh,
    "sin": np.sin,
    "asin": np.arcsin,
    "sinh": np.sinh,
    "tan": np.tan,
    "atan": np.arctan,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "round": half_away,
    "ceil": np.ceil,
    "floor": np.floor,
    "trunc": np.trunc,
    "frac": _frac,
    "rsqrt": _rsqrt,
    "sigmoid": _sigmoid,
}


def _unary(name: str, ufunc: Callable[..., Any], types: str, numbers: bool) -> None:
    @described(name, UNARY, types=types)
    def tensor(res: Tensor, src: Tensor) -> None:
        run(name, res, src, lambda a, out: ufunc(a, out=out))

    if numbers:

        @described(name, "value:real", types=types)
        def number(value: float) -> float:
            with np.errstate(all="ignore"):
                return float(ufunc(value))


for _name, _ufunc in _WITH_NUMBERS.items():
    _unary(_name, _ufunc, FLOATING, numbers=True)
_unary("abs", np.abs, FLOATING + "il", numbers=True)
_unary("neg", np.negative, FLOATING, numbers=False)
_unary("cinv", lambda a, out: np.divide(1.0, a, out=out), FLOATING, numbers=False)
_unary("sign", np.sign, NUMERIC, numbers=False)


with_tensor("atan2", np.arctan2, FLOATING)


@described("atan2", "y:real x:real", types=FLOATING)
def atan2_number(y: float, x: float) -> float:
    """Do the same of numbers."""
    return math.atan2(y, x)


with_number("pow", np.power, FLOATING)


@described("pow", "*res=new! value:real src!", types=FLOATING)
def power_of_number(res: Tensor, value: float, src: Tensor) -> None:
    """Value ^ src."""
    base = src.dtype.type(value)
    run("pow", res, src, lambda a, out: np.power(base, a, out=out))


@described("pow", "a:real b:real", types=FLOATING)
def power_number(a: float, b: float) -> float:
    """Do the same of numbers."""
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(a), b))
