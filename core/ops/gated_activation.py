"""Activation functions that multiply x by a gate made of x itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels.blocks import in_blocks
from ..kernels.dispatch import dispatched
from .activation import sigmoid
from .batch_rules import elementwise
from .dispatching import dispatched_rule
from .registry import Array, OperandError, Sample, operation
from .samples import real
from .special import erfc

LARGE = 4096
"""Elements from which on a call of a fused kernel takes less time than NumPy."""


def _gelu_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from real(rng)
    yield Sample(rng.normal(size=(3, 4)), approximate="tanh")


@operation(samples=real, methods=("silu",))
@dispatched("fused.activation", least=LARGE)
def silu(xp: Any, x: Array) -> Array:
    """Return x * sigmoid(x), also called swish.

    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".
    """
    return _silu(xp, x)


@in_blocks
def _silu(xp: Any, x: Any) -> Any:
    return x * sigmoid.forward(xp, x)


@dispatched_rule("fused.activation", least=LARGE)
@in_blocks
def silu_gradient(xp: Any, g: Any, x: Any) -> Any:
    """Return g times the derivative of silu at x."""
    gate = xp.sigmoid(x)
    return g * gate * (1 + x * (1 - gate))


silu.def_derivative(x=silu_gradient)


@operation(samples=_gelu_samples, methods=("gelu",))
@dispatched("fused.activation", least=LARGE)
def gelu(xp: Any, x: Array, *, approximate: str = "none") -> Array:
    """Return x times the probability that a standard normal number is below x.

    Parameters
    ----------
    x : Tensor, floating
    approximate : str
        "none" takes the error function; "tanh" takes
        0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))).

    Raises
    ------
    OperandError
        If `approximate` is neither.

    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".
    """
    if approximate == "none":
        return 0.5 * x * erfc.forward(xp, x * -math.sqrt(0.5))
    if approximate == "tanh":
        return _gelu_tanh(xp, x)
    raise OperandError(f'gelu: approximate is "none" or "tanh"; given {approximate!r}')


@in_blocks
def _gelu_tanh(xp: Any, x: Any) -> Any:
    return 0.5 * x * (1 + xp.tanh(_gelu_angle(x)))


def _gelu_angle(x: Any) -> Any:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


@dispatched_rule("fused.activation", least=LARGE)
@in_blocks
def gelu_gradient(xp: Any, g: Any, x: Any, approximate: str) -> Any:
    """Return g times the derivative of gelu at x."""
    if approximate == "none":
        gate = 0.5 * xp.erfc(x * -math.sqrt(0.5))
        return g * (gate + x * xp.exp(x * x * -0.5) / math.sqrt(2 * math.pi))
    t = xp.tanh(_gelu_angle(x))
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return g * (0.5 * (1 + t) + 0.5 * x * slope * (1 - t * t))


gelu.def_derivative(x=gelu_gradient)


@operation(samples=real)
def mish(xp: Any, x: Array) -> Array:
    """Return x * tanh(softplus(x)).

    Source: Misra 2019, "Mish: A Self Regularized Non-Monotonic Activation Function".
    """
    return x * xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))))


def _mish_slope(xp: Any, g: Any, x: Any) -> Any:
    gate = xp.tanh(xp.softplus(x))
    return g * (gate + x * (1 - gate * gate) * xp.sigmoid(x))


mish.def_derivative(x=_mish_slope)


@operation(samples=real)
def hardswish(xp: Any, x: Array) -> Array:
    """Return x * clamp(x + 3, 0, 6) / 6.

    Source: Howard et al. 2019, "Searching for MobileNetV3".
    """
    return x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6


# At -3 and 3 the slope is that of the side away from 0, as in PyTorch.
hardswish.def_derivative(x=lambda xp, g, x: g * ((x >= 3) + (xp.abs(x) < 3) * (x / 3 + 0.5)))

for _op in (silu, gelu, mish, hardswish):
    _op.def_batch(elementwise)
