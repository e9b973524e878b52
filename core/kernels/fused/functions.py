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
ROUND = f32(12582912.0)  # 1.5 * 2**23: to add it rounds to an integer, which its last bits are
ROUND_BITS = i32(0x4B400000)

EXP_LOWEST, EXP_HIGHEST = f32(-105), f32(89)
"""Beyond these exp is 0 and infinite."""

TANH_HIGHEST = f32(10)
"""From here on tanh is 1."""

EXPM1 = (
    f32(0.000199179703486152),
    f32(0.0013946190010756254),
    f32(0.008333264850080013),
    f32(0.041666269302368164),
    f32(0.1666666716337204),
    f32(0.5),
)
"""Coefficients of (exp(r) - 1 - r) / r**2 for |r| up to ln(2) / 2, the highest power's first."""


@helper
def power_of_two(n: Any, x: Any) -> Any:
    """Return x * 2**n for n between -252 and 254, in two steps that reach denormal numbers."""
    half = i32(n >> 1)
    first = i32((half + 127) << 23).view(np.float32)
    second = i32((n - half + 127) << 23).view(np.float32)
    return x * first * second


@helper
def expm1_reduced(r: Any) -> Any:
    """Return exp(r) - 1 for |r| up to ln(2) / 2."""
    p = EXPM1[0] * r + EXPM1[1]
    p = p * r + EXPM1[2]
    p = p * r + EXPM1[3]
    p = p * r + EXPM1[4]
    p = p * r + EXPM1[5]
    return p * r * r + r


@helper
def exp_reduced(r: Any) -> Any:
    """Return exp(r) for |r| up to ln(2) / 2."""
    return expm1_reduced(r) + f32(1)


@helper
def exp(x: Any) -> Any:
    """Return exp(x)."""
    x = EXP_LOWEST if x < EXP_LOWEST else x
    x = EXP_HIGHEST if x > EXP_HIGHEST else x
    shifted = f32(x * LOG2_E + ROUND)
    n = shifted - ROUND
    r = x - n * LN2_HIGH - n * LN2_LOW
    return power_of_two(i32(shifted.view(np.int32) - ROUND_BITS), exp_reduced(r))


@helper
def exp_double(x: Any) -> Any:
    """Return exp(x) in single precision for a float64 x up to 0, such as an exact square."""
    x = -105.0 if x < -105.0 else x
    shifted = f32(f32(x) * LOG2_E + ROUND)
    n = shifted - ROUND
    r = f32(x - np.float64(n) * 0.6931471805599453)
    return power_of_two(i32(shifted.view(np.int32) - ROUND_BITS), exp_reduced(r))


@helper
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return f32(1) / (f32(1) + exp(-x))


@helper
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent: e / (e + 2) for e = exp(2 |x|) - 1, with the sign of x."""
    bits = f32(x).view(np.int32)
    size = i32(bits & i32(0x7FFFFFFF)).view(np.float32)
    size = TANH_HIGHEST if size > TANH_HIGHEST else size
    double = size + size
    shifted = f32(double * LOG2_E + ROUND)
    n = shifted - ROUND
    r = double - n * LN2_HIGH - n * LN2_LOW
    power = i32((shifted.view(np.int32) - ROUND_BITS + 127) << 23).view(np.float32)
    e = power * expm1_reduced(r) + (power - f32(1))
    result = f32(e / (e + f32(2)))
    return i32(result.view(np.int32) | (bits & i32(-0x80000000))).view(np.float32)


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
