"""Elementary functions in single precision, as code that vectorises.

Relative errors are a few units of the last place. Infinities, nan and results that are no normal
numbers come out as they should. Coefficients are minimax fits of the functions named.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import helper

f32 = np.float32
i32 = np.int32

LOG2_E = f32(1.4426950408889634)
LN2_HIGH = f32(0.693359375)  # few bits, so that n * LN2_HIGH is exact
LN2_LOW = f32(-2.12194440e-4)
_ROUND = f32(12582912.0)  # 1.5 * 2**23: to add it rounds to an integer, which its last bits are
_ROUND_BITS = i32(0x4B400000)


@helper
def power_of_two(n: Any, x: Any) -> Any:
    """Return x * 2**n for n between -252 and 254, in two steps that reach denormal numbers."""
    half = i32(n >> 1)
    first = i32((half + 127) << 23).view(np.float32)
    second = i32((n - half + 127) << 23).view(np.float32)
    return x * first * second


@helper
def exp_reduced(r: Any) -> Any:
    """Return exp(r) for |r| up to ln(2) / 2."""
    p = f32(0.000199179703486152)
    p = p * r + f32(0.0013946190010756254)
    p = p * r + f32(0.008333264850080013)
    p = p * r + f32(0.041666269302368164)
    p = p * r + f32(0.1666666716337204)
    p = p * r + f32(0.5)
    return p * r * r + r + f32(1)


@helper
def exp(x: Any) -> Any:
    """Return exp(x)."""
    x = f32(-105) if x < f32(-105) else x
    x = f32(89) if x > f32(89) else x
    shifted = f32(x * LOG2_E + _ROUND)
    n = shifted - _ROUND
    r = x - n * LN2_HIGH - n * LN2_LOW
    return power_of_two(i32(shifted.view(np.int32) - _ROUND_BITS), exp_reduced(r))


@helper
def exp_double(x: Any) -> Any:
    """Return exp(x) in single precision for a float64 x up to 0, such as an exact square."""
    x = -105.0 if x < -105.0 else x
    shifted = f32(f32(x) * LOG2_E + _ROUND)
    n = shifted - _ROUND
    r = f32(x - np.float64(n) * 0.6931471805599453)
    return power_of_two(i32(shifted.view(np.int32) - _ROUND_BITS), exp_reduced(r))


@helper
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return f32(1) / (f32(1) + exp(-x))


@helper
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    z = x * x
    p = f32(0.002064662054181099)
    p = p * z + f32(-0.00809196475893259)
    p = p * z + f32(0.02166634425520897)
    p = p * z + f32(-0.05394056439399719)
    p = p * z + f32(0.13333158195018768)
    p = p * z + f32(-0.333333283662796)
    small = x * (f32(1) + z * p)
    size = abs(x)
    large = f32(1) - f32(2) / (exp(f32(2) * size) + f32(1))
    large = -large if x < f32(0) else large
    return small if size < f32(0.65) else large


@helper
def normal_density(x: Any) -> Any:
    """Return the density of the standard normal distribution."""
    return f32(0.3989422804014327) * exp_double(np.float64(x) * np.float64(x) * -0.5)


@helper
def normal_probability(x: Any) -> Any:
    """Return the probability that a standard normal number is below x.

    erfc(z) = exp(-z * z) * s * p(s) with s = 1 / (1 + z / 2), which is exact in the tail.
    """
    size = abs(x)
    size = f32(15) if size > f32(15) else size
    s = f32(1) / (f32(1) + size * f32(0.35355339059327373))
    p = f32(0.03764672349888037)
    p = p * s + f32(-0.2021329134224735)
    p = p * s + f32(0.41012923269018264)
    p = p * s + f32(-0.33232461536960456)
    p = p * s + f32(0.018470620693380825)
    p = p * s + f32(0.01006706621448873)
    p = p * s + f32(0.06550106011553937)
    p = p * s + f32(0.18266144651787378)
    p = p * s + f32(0.24568842019159887)
    p = p * s + f32(0.28220232878731805)
    p = p * s + f32(0.28209063410438584)
    tail = f32(0.5) * exp_double(np.float64(size) * np.float64(size) * -0.5) * s * p
    below = tail if x < f32(0) else f32(1) - tail
    return below if x == x else x
