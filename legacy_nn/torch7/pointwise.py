"""Functions of single elements: arithmetic, powers, rounding, bits.

Operands need the same number of elements, whatever their sizes; nothing is broadcast, and
integers wrap. Source: torch7 lib/TH/generic/THTensorMath.c, TensorMath.lua.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import BadArgument, TorchError
from .functions import FLOATING, NUMERIC, described
from .memory import Array, resize_as, same_count, size_text, values, wrote

UNARY = "*res=new! src!"
NUMBER = "*res=new! src! value:real"
SCALED = "*res=new! src! scale:real=1 other"
PAIR = "*res=new! src! other"


def _run(name: str, res: Tensor, src: Tensor, compute: Callable[[Array, Array], Any]) -> None:
    """Put `compute(source, out)` into `res`, which takes the sizes of `src`."""
    if res is not src:
        resize_as(res, src)
    if src.size:
        out = values(res)
        with np.errstate(all="ignore"):
            compute(values(src), out)
    wrote(res, name)


def _aligned(name: str, res: Tensor, src: Tensor, other: Tensor) -> Array:
    """Return the elements of `other` in the sizes of `src`."""
    if src.size != other.size:
        same_count([("r_", res if res.size else src), ("t", src), ("src", other)])
    array = values(other)
    return array if array.shape == src.shape else array.reshape(values(src).shape)


# -- arithmetic with a number -----------------------------------------------------------


def _with_number(name: str, ufunc: Callable[..., Any], types: str = NUMERIC) -> None:
    @described(name, NUMBER, types=types)
    def body(res: Tensor, src: Tensor, value: Any) -> None:
        number = src.dtype.type(value)
        _run(name, res, src, lambda a, out: ufunc(a, number, out=out))


def _with_tensor(name: str, ufunc: Callable[..., Any], types: str = NUMERIC) -> None:
    @described(name, PAIR, types=types)
    def body(res: Tensor, src: Tensor, other: Tensor) -> None:
        b = _aligned(name, res, src, other)
        _run(name, res, src, lambda a, out: ufunc(a, b, out=out))


def divide(a: Array, b: Any, out: Array) -> None:
    """Divide as C does: integers towards zero."""
    if a.dtype.kind == "f":
        np.divide(a, b, out=out)
        return
    if np.any(np.equal(b, 0)):
        raise TorchError("an integer tensor is divided by zero, which ends Torch7's process")
    quotient = np.floor_divide(a, b)
    if a.dtype.kind == "i":
        quotient += (np.not_equal(quotient * b, a) & ((a < 0) != np.less(b, 0))).astype(a.dtype)
    out[...] = quotient


def c_fmod(a: Array, b: Any, out: Array) -> None:
    """Remainder with the sign of the dividend, as C's fmod."""
    if a.dtype.kind != "f" and np.any(np.equal(b, 0)):
        raise TorchError("an integer tensor is divided by zero, which ends Torch7's process")
    np.fmod(a, b, out=out)


def c_remainder(a: Array, b: Any, out: Array) -> None:
    """Remainder with the sign of the divisor; nan for a divisor of zero."""
    if a.dtype.kind == "f":
        out[...] = np.where(np.equal(b, 0), np.nan, a - b * np.floor(a / b))
    else:
        if np.any(np.equal(b, 0)):
            raise TorchError("an integer tensor is divided by zero, which ends Torch7's process")
        np.remainder(a, b, out=out)


_with_number("add", np.add)


def _gathered(ufunc: Any, a: Array, b: Array, out: Array) -> None:
    """Compute element after element, as C does: one that stands for many takes them all."""
    repeated = tuple(i for i, n in enumerate(out.shape) if n > 1 and out.strides[i] == 0)
    if not repeated or a is not out:
        ufunc(a, b, out=out)
        return
    one = tuple(slice(1) if i in repeated else slice(None) for i in range(out.ndim))
    ufunc(out[one], b.sum(axis=repeated, keepdims=True), out=out[one])


@described("add", SCALED)
def add_scaled(res: Tensor, src: Tensor, scale: Any, other: Tensor) -> None:
    """Src + scale * other."""
    b = _aligned("add", res, src, other)
    if scale != 1:
        with np.errstate(all="ignore"):
            b = b * src.dtype.type(scale)
    _run("add", res, src, lambda a, out: _gathered(np.add, a, b, out))


_with_number("csub", np.subtract)


@described("csub", SCALED)
def subtract_scaled(res: Tensor, src: Tensor, scale: Any, other: Tensor) -> None:
    """Src - scale * other."""
    b = _aligned("csub", res, src, other)
    if scale != 1:
        with np.errstate(all="ignore"):
            b = b * src.dtype.type(scale)
    _run("csub", res, src, lambda a, out: np.subtract(a, b, out=out))


def _shift(ufunc: Callable[..., Any], factor: float) -> Callable[..., Any]:
    def compute(a: Array, b: Any, out: Array) -> None:
        if a.dtype.kind == "f":
            np.multiply(a, np.power(a.dtype.type(factor), b), out=out)
        else:
            ufunc(a, b, out=out)

    return compute


def _bits(ufunc: Callable[..., Any], name: str) -> Callable[..., Any]:
    def compute(a: Array, b: Any, out: Array) -> None:
        if a.dtype.kind == "f":
            raise TorchError(f"{name} is only supported for integer type tensors")
        ufunc(a, b, out=out)

    return compute


_NUMBERS: dict[str, Callable[..., Any]] = {
    "mul": np.multiply,
    "div": divide,
    "fmod": c_fmod,
    "mod": c_fmod,
    "remainder": c_remainder,
    "lshift": _shift(np.left_shift, 2.0),
    "rshift": _shift(np.right_shift, 0.5),
    "bitand": _bits(np.bitwise_and, "bitand"),
    "bitor": _bits(np.bitwise_or, "bitor"),
    "bitxor": _bits(np.bitwise_xor, "bitxor"),
}
for _name, _ufunc in _NUMBERS.items():
    _with_number(_name, _ufunc)


def c_power(a: Any, b: Any, out: Array) -> None:
    """C's pow, whose integers pass through double."""
    if out.dtype.kind == "f":
        np.power(a, b, out=out)
    else:
        out[...] = np.power(np.asarray(a, np.float64), np.asarray(b, np.float64)).astype(np.int64)


_TENSORS: dict[str, Callable[..., Any]] = {
    "cmul": np.multiply,
    "cdiv": divide,
    "cpow": c_power,
    "cfmod": c_fmod,
    "cmod": c_fmod,
    "cremainder": c_remainder,
    "clshift": _shift(np.left_shift, 2.0),
    "crshift": _shift(np.right_shift, 0.5),
    "cbitand": _bits(np.bitwise_and, "cbitand"),
    "cbitor": _bits(np.bitwise_or, "cbitor"),
    "cbitxor": _bits(np.bitwise_xor, "cbitxor"),
}
for _name, _ufunc in _TENSORS.items():
    _with_tensor(_name, _ufunc)


@described("clamp", "*res=new! src! low:real high:real")
def clamp(res: Tensor, src: Tensor, low: Any, high: Any) -> None:
    """Values below `low` become `low`, values above `high` become `high`; nan stays."""

    def compute(a: Array, out: Array) -> None:
        out[...] = np.where(a < low, src.dtype.type(low), np.where(a > high, high, a))

    _run("clamp", res, src, compute)


def _extreme(name: str, ufunc: Callable[..., Any]) -> None:
    # THTensorMath.c compares with > and <, so that a nan on the left gives way
    def pick(a: Array, b: Any, out: Array) -> None:
        keep = a > b if name == "cmax" else a < b
        out[...] = np.where(keep, a, b)

    @described(name, "*res=new src! other")
    def tensors(res: Tensor, src: Tensor, other: Tensor) -> None:
        b = _aligned(name, res, src, other)
        _run(name, res, src, lambda a, out: pick(a, b, out))

    @described(name, "*res=new src! value:real")
    def number(res: Tensor, src: Tensor, value: Any) -> None:
        _run(name, res, src, lambda a, out: pick(a, src.dtype.type(value), out))


_extreme("cmax", np.maximum)
_extreme("cmin", np.minimum)


def _multiplied(name: str, ufunc: Callable[..., Any]) -> None:
    @described(name, "*res=new! src! scale:real=1 first second")
    def body(res: Tensor, src: Tensor, scale: Any, first: Tensor, second: Tensor) -> None:
        if src.size != first.size or first.size != second.size:
            raise TorchError(
                f"inconsistent tensor size, expected r_ {size_text(src)}, t {size_text(src)}, "
                f"src1 {size_text(first)} and src2 {size_text(second)} to have the same number "
                f"of elements, but got {src.size}, {src.size}, {first.size} and {second.size} "
                "elements respectively"
            )
        sizes = values(src).shape
        with np.errstate(all="ignore"):
            term = np.empty(sizes, src.dtype)
            a = np.multiply(values(first).reshape(sizes), src.dtype.type(scale))
            ufunc(a, values(second).reshape(sizes), out=term)
        _run(name, res, src, lambda a, out: np.add(a, term, out=out))


_multiplied("addcmul", np.multiply)
_multiplied("addcdiv", divide)


@described("lerp", "*res=new! src! other weight:real", types=FLOATING)
def lerp(res: Tensor, src: Tensor, other: Tensor, weight: float) -> None:
    """Src + weight * (other - src)."""
    b = _aligned("lerp", res, src, other)
    _run("lerp", res, src, lambda a, out: np.add(a, weight * (b - a), out=out))


@described("lerp", "a:real b:real weight:real", types=FLOATING)
def lerp_number(a: float, b: float, weight: float) -> float:
    """Do the same of numbers."""
    return a + weight * (b - a)


# -- functions of one element -------------------------------------------------------------


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
        _run(name, res, src, lambda a, out: ufunc(a, out=out))

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


_with_tensor("atan2", np.arctan2, FLOATING)


@described("atan2", "y:real x:real", types=FLOATING)
def atan2_number(y: float, x: float) -> float:
    """Do the same of numbers."""
    return math.atan2(y, x)


_with_number("pow", np.power, FLOATING)


@described("pow", "*res=new! value:real src!", types=FLOATING)
def power_of_number(res: Tensor, value: float, src: Tensor) -> None:
    """Value ^ src."""
    base = src.dtype.type(value)
    _run("pow", res, src, lambda a, out: np.power(base, a, out=out))


@described("pow", "a:real b:real", types=FLOATING)
def power_number(a: float, b: float) -> float:
    """Do the same of numbers."""
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(a), b))


# -- filling -----------------------------------------------------------------------------


@described("zero", "*res")
def zero(res: Tensor) -> None:
    """Make all elements 0."""
    values(res)[...] = 0
    wrote(res, "zero")


@described("fill", "*res value:real")
def fill(res: Tensor, value: Any) -> None:
    """Make all elements `value`."""
    values(res)[...] = value
    wrote(res, "fill")


# -- comparisons -------------------------------------------------------------------------


def _compared(name: str, ufunc: Callable[..., Any]) -> None:
    def compute(res: Tensor, src: Tensor, b: Any) -> None:
        resize_as(res, src)
        if src.size:
            values(res)[...] = ufunc(values(src), b)
        wrote(res, name)

    @described(name, "*res:ByteTensor=new src value:real", "*res src value:real")
    def number(res: Tensor, src: Tensor, value: Any) -> None:
        compute(res, src, src.dtype.type(value))

    @described(name, "*res:ByteTensor=new src other", "*res src other")
    def tensor(res: Tensor, src: Tensor, other: Tensor) -> None:
        compute(res, src, _aligned(name, res, src, other))


for _name, _ufunc in {
    "lt": np.less,
    "gt": np.greater,
    "le": np.less_equal,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    _compared(_name, _ufunc)


@described("equal", "a b")
def equal(a: Tensor, b: Tensor) -> bool:
    """Whether sizes and elements are the same."""
    return values(a).shape == values(b).shape and bool(np.all(values(a) == values(b)))


@described("all", "src", types="B")
def all_set(src: Tensor) -> bool:
    """Whether no element is 0."""
    _not_empty(src)
    return bool(np.all(values(src)))


@described("any", "src", types="B")
def any_set(src: Tensor) -> bool:
    """Whether an element is not 0."""
    _not_empty(src)
    return bool(np.any(values(src)))


def _not_empty(src: Tensor) -> None:
    if not src.size:
        raise BadArgument(1, "empty Tensor")
