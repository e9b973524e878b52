"""Activation functions and their derivatives, one pass each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dispatch import Declined
from .arrays import SINGLE, Array, lines, other_dtype
from .compiling import kernel, prange
from .functions import exp as single_exp
from .functions import normal_density, normal_probability, sigmoid
from .functions import tanh as single_tanh

f32 = np.float32

_SLOPE = f32(0.7978845608028654)  # sqrt(2 / pi)
_CUBE = f32(0.044715)


@kernel
def _gelu(x: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = x[i] * normal_probability(x[i])


@kernel
def _gelu_gradient(g: Any, x: Any, out: Any) -> None:
    for i in prange(x.size):
        v = x[i]
        out[i] = g[i] * (normal_probability(v) + v * normal_density(v))


@kernel
def _gelu_tanh(x: Any, out: Any) -> None:
    for i in prange(x.size):
        v = x[i]
        # (1 + tanh(u)) / 2 is sigmoid(2 u), which is exact where the tanh is near -1.
        out[i] = v * sigmoid(f32(2) * _SLOPE * v * (f32(1) + _CUBE * v * v))


@kernel
def _gelu_tanh_gradient(g: Any, x: Any, out: Any) -> None:
    for i in prange(x.size):
        v = x[i]
        gate = sigmoid(f32(2) * _SLOPE * v * (f32(1) + _CUBE * v * v))
        slope = f32(2) * _SLOPE * (f32(1) + f32(3) * _CUBE * v * v)
        out[i] = g[i] * (gate + v * slope * gate * (f32(1) - gate))


@kernel
def _silu(x: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = x[i] * sigmoid(x[i])


@kernel
def _silu_gradient(g: Any, x: Any, out: Any) -> None:
    for i in prange(x.size):
        gate = sigmoid(x[i])
        out[i] = g[i] * gate * (f32(1) + x[i] * (f32(1) - gate))


@kernel
def _tanh(x: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = single_tanh(x[i])


@kernel
def _exp(x: Any, out: Any) -> None:
    for i in prange(x.size):
        out[i] = single_exp(x[i])


def elementwise(compute: Callable[..., None], *arrays: Array) -> Array | Declined:
    """Return what a kernel of this file makes of arrays of one shape."""
    for array in arrays:
        if array.dtype != SINGLE:
            return other_dtype(array)
    views, out, line = lines(*arrays)
    compute(*views, line)
    return out


_GELU = {"none": _gelu, "tanh": _gelu_tanh}
_GELU_GRADIENT = {"none": _gelu_gradient, "tanh": _gelu_tanh_gradient}


def gelu(x: Array, *, approximate: str = "none") -> Array | Declined:
    """Return x times the probability that a standard normal number is below x."""
    compute = _GELU.get(approximate)
    return Declined("approximate") if compute is None else elementwise(compute, x)


def gelu_gradient(g: Array, x: Array, approximate: str) -> Array | Declined:
    """Return g times the derivative of gelu at x."""
    return elementwise(_GELU_GRADIENT[approximate], g, x)


def silu(x: Array) -> Array | Declined:
    """Return x * sigmoid(x)."""
    return elementwise(_silu, x)


def silu_gradient(g: Array, x: Array) -> Array | Declined:
    """Return g times the derivative of silu at x."""
    return elementwise(_silu_gradient, g, x)


def tanh(x: Array) -> Array | Declined:
    """Return the hyperbolic tangent."""
    return elementwise(_tanh, x)


def exp(x: Array) -> Array | Declined:
    """Return the exponential."""
    return elementwise(_exp, x)
