"""Arithmetic of elements with numbers and with the elements of other tensors; filling.

Operands need the same number of elements, whatever their sizes; nothing is broadcast, and
integers wrap. Source: torch7 lib/TH/generic/THTensorMath.c, TensorMath.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import TorchError
from .functions import FLOATING, NUMERIC, described
from .memory import Array, resize_as, same_count, size_text, values, wrote

NUMBER = "*res=new! src! value:real"
SCALED = "*res=new! src! scale:real=1 other"
PAIR = "*res=new! src! other"


def run(name: str, res: Tensor, src: Tensor, compute: Callable[[Array, Array], Any]) -> None:
    """Put `compute(source, out)` into `res`, which takes the sizes of `src`."""
    if res is not src:
        resize_as(res, src)
    if src.size:
        out = values(res)
        with np.errstate(all="ignore"):
            compute(values(src), out)
    wrote(res, name)


def aligned(name: str, res: Tensor, src: Tensor, other: Tensor) -> Array:
    """Return the elements of `other` in the sizes of `src`."""
    if src.size != other.size:
        same_count([("r_", res if res.size else src), ("t", src), ("src", other)])
    array = values(other)
    return array if array.shape == src.shape else array.reshape(values(src).shape)


# -- arithmetic -------------------------------------------------------------------------


def with_number(name: str, ufunc: Callable[..., Any], types: str = NUMERIC) -> None:
    """Register a function of a tensor and a number, which is converted to the tensor's type."""

    @described(name, NUMBER, types=types)
    def body(res: Tensor, src: Tensor, value: Any) -> None:
        number = src.dtype.type(value)
        run(name, res, src, lambda a, out: ufunc(a, number, out=out))


def with_tensor(name: str, ufunc: Callable[..., Any], types: str = NUMERIC) -> None:
    """Register a function of two tensors with as many elements."""

    @described(name, PAIR, types=types)
    def body(res: Tensor, src: Tensor, other: Tensor) -> None:
        b = aligned(name, res, src, other)
        run(name, res, src, lambda a, out: ufunc(a, b, out=out))


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


with_number("add", np.add)


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
    b = aligned("add", res, src, other)
    if scale != 1:
        with np.errstate(all="ignore"):
            b = b * src.dtype.type(scale)
    run("add", res, src, lambda a, out: _gathered(np.add, a, b, out))


with_number("csub", np.subtract)


@described("csub", SCALED)
def subtract_scaled(res: Tensor, src: Tensor, scale: Any, other: Tensor) -> None:
    """Src - scale * other."""
    b = aligned("csub", res, src, other)
    if scale != 1:
        with np.errstate(all="ignore"):
            b = b * src.dtype.type(scale)
    run("csub", res, src, lambda a, out: np.subtract(a, b, out=out))


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
    with_number(_name, _ufunc)


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
    with_tensor(_name, _ufunc)


@described("clamp", "*res=new! src! low:real high:real")
def clamp(res: Tensor, src: Tensor, low: Any, high: Any) -> None:
    """Values below `low` become `low`, values above `high` become `high`; nan stays."""

    def compute(a: Array, out: Array) -> None:
        out[...] = np.where(a < low, src.dtype.type(low), np.where(a > high, high, a))

    run("clamp", res, src, compute)


def _extreme(name: str, larger: bool) -> None:
    # THTensorMath.c compares with > and <, so that a nan on the left gives way
    def pick(a: Array, b: Any, out: Array) -> None:
        keep = a > b if larger else a < b
        out[...] = np.where(keep, a, b)

    @described(name, "*res=new src! other")
    def tensors(res: Tensor, src: Tensor, other: Tensor) -> None:
        b = aligned(name, res, src, other)
        run(name, res, src, lambda a, out: pick(a, b, out))

    @described(name, "*res=new src! value:real")
    def number(res: Tensor, src: Tensor, value: Any) -> None:
        run(name, res, src, lambda a, out: pick(a, src.dtype.type(value), out))


_extreme("cmax", larger=True)
_extreme("cmin", larger=False)


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
        run(name, res, src, lambda a, out: np.add(a, term, out=out))


_multiplied("addcmul", np.multiply)
_multiplied("addcdiv", divide)


@described("lerp", "*res=new! src! other weight:real", types=FLOATING)
def lerp(res: Tensor, src: Tensor, other: Tensor, weight: float) -> None:
    """Src + weight * (other - src)."""
    b = aligned("lerp", res, src, other)
    run("lerp", res, src, lambda a, out: np.add(a, weight * (b - a), out=out))


@described("lerp", "a:real b:real weight:real", types=FLOATING)
def lerp_number(a: float, b: float, weight: float) -> float:
    """Do the same of numbers."""
    return a + weight * (b - a)


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
