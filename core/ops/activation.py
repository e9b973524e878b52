"""Elementwise activation functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels.dispatch import dispatched
from .batch_rules import elementwise
from .dispatching import dispatched_rule
from .precision import narrow, wide
from .registry import Array, OperandError, Sample, operation
from .samples import real

LARGE = 4096
"""Elements from which on a call of a fused kernel takes less time than NumPy."""


def _prelu_samples(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 3, 4))
    yield Sample(x, np.array([0.25]))
    yield Sample(x, np.array([0.1, 0.2, 0.3])[:, None])


@operation(samples=real, methods=("tanh",), inplace=("tanh_",))
def tanh(xp: Any, x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return xp.tanh(x)


tanh.def_derivative(x=lambda g, out: g * (1 - out * out))


@operation(samples=real, methods=("sigmoid",), inplace=("sigmoid_",))
def sigmoid(xp: Any, x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), without overflow on either side."""
    with np.errstate(over="ignore"):  # where exp(-x) is infinite, the result is 0
        return narrow(xp, 1 / (1 + xp.exp(-wide(xp, x))), x)


sigmoid.def_derivative(x=lambda g, out: g * out * (1 - out))


@operation(samples=real, methods=("relu",), inplace=("relu_",))
@dispatched("fused.rectifiers", least=LARGE)
def relu(xp: Any, x: Array) -> Array:
    """Return x where it is positive, else 0; nan stays nan."""
    return xp.maximum(x, 0)


@dispatched_rule("fused.rectifiers", least=LARGE)
def relu_gradient(xp: Any, g: Any, out: Any) -> Any:
    """Return the gradient of relu; the slope at 0 is 0."""
    return g * (out > 0)


relu.def_derivative(x=relu_gradient)


@operation(samples=real)
@dispatched("fused.rectifiers", least=LARGE)
def threshold(xp: Any, x: Array, *, threshold: float = 0.0, value: float = 0.0) -> Array:
    """Return x where it exceeds `threshold`, else `value`.

    Source: torch/nn Threshold.lua.
    """
    return xp.where(x > threshold, x, xp.asarray(value, dtype=x.dtype))


@dispatched_rule("fused.rectifiers", least=LARGE)
def threshold_gradient(xp: Any, g: Any, x: Any, threshold: float) -> Any:
    """Return the gradient of threshold."""
    return g * (x > threshold)


threshold.def_derivative(x=threshold_gradient)


@operation(samples=real)
def leaky_relu(xp: Any, x: Array, *, negative_slope: float = 0.01) -> Array:
    """Return x where it is positive, else `negative_slope` * x."""
    return xp.where(x > 0, x, x * negative_slope)


leaky_relu.def_derivative(x=lambda xp, g, x, negative_slope: xp.where(x > 0, g, g * negative_slope))


@operation(samples=_prelu_samples)
def prelu(xp: Any, x: Array, weight: Array) -> Array:
    """Return x where it is positive, else `weight` * x.

    Parameters
    ----------
    x : Tensor, any shape
    weight : Tensor
        Broadcasts with x: one slope, or one for each channel.

    Source: He et al. 2015, "Delving Deep into Rectifiers".
    """
    return xp.where(x > 0, x, x * weight)


prelu.def_derivative(
    x=lambda xp, g, x, weight: xp.where(x > 0, g, g * weight),
    weight=lambda xp, g, x: g * xp.minimum(x, 0.0),
)


@operation(samples=real)
def elu(xp: Any, x: Array, *, alpha: float = 1.0) -> Array:
    """Return x where it is positive, else `alpha` * (exp(x) - 1).

    Source: Clevert et al. 2015, "Fast and Accurate Deep Network Learning by ELUs".
    """
    return xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0)))


elu.def_derivative(
    x=lambda xp, g, x, alpha: xp.where(x > 0, g, g * alpha * xp.exp(xp.minimum(x, 0.0)))
)


@operation(samples=real)
def celu(xp: Any, x: Array, *, alpha: float = 1.0) -> Array:
    """Return x where it is positive, else `alpha` * (exp(x / alpha) - 1).

    Source: Barron 2017, "Continuously Differentiable Exponential Linear Units".
    """
    return xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0) / alpha))


celu.def_derivative(
    x=lambda xp, g, x, alpha: xp.where(x > 0, g, g * xp.exp(xp.minimum(x, 0.0) / alpha))
)

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@operation(samples=real)
def selu(xp: Any, x: Array) -> Array:
    """Return a scaled `elu` whose results keep mean 0 and variance 1.

    Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks".
    """
    return SELU_SCALE * xp.where(x > 0, x, SELU_ALPHA * xp.expm1(xp.minimum(x, 0)))


selu.def_derivative(
    x=lambda xp, g, x: (
        g * SELU_SCALE * xp.where(x > 0, 1.0, SELU_ALPHA * xp.exp(xp.minimum(x, 0.0)))
    )
)


@operation(samples=real)
def softsign(xp: Any, x: Array) -> Array:
    """Return x / (1 + |x|)."""
    return x / (1 + xp.abs(x))


softsign.def_derivative(x=lambda xp, g, x: g * xp.square(1 / (1 + xp.abs(x))))


@operation(samples=real)
def softplus(xp: Any, x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return log(1 + exp(beta * x)) / beta; x itself where beta * x > `threshold`."""
    scaled = x * beta
    soft = (xp.maximum(scaled, 0) + xp.log1p(xp.exp(-xp.abs(scaled)))) / beta
    return xp.where(scaled > threshold, x, soft)


softplus.def_derivative(
    x=lambda xp, g, x, beta, threshold: xp.where(x * beta > threshold, g, g * xp.sigmoid(x * beta))
)


@operation(samples=real)
def logsigmoid(xp: Any, x: Array) -> Array:
    """Return log(sigmoid(x)), without overflow on either side."""
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))


logsigmoid.def_derivative(x=lambda xp, g, x: g * xp.sigmoid(-x))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4)), min=-0.5, max=0.5),
        Sample(rng.normal(size=(3, 4)), min=0.25),
        Sample(rng.normal(size=(3, 4)).astype(np.float32), max=0.25),
    ],
    methods=("clamp", "clip"),
    inplace=("clamp_",),
)
def clamp(xp: Any, x: Array, *, min: float | None = None, max: float | None = None) -> Array:
    """Return x limited to [min, max]; None leaves that side open.

    Raises
    ------
    OperandError
        If both sides are open.
    """
    if min is None and max is None:
        raise OperandError("clamp needs a min, a max or both")
    if min is not None:
        x = xp.maximum(x, min)
    return x if max is None else xp.minimum(x, max)


clamp.def_derivative(
    x=lambda xp, g, x, min, max: (
        g
        if min is None and max is None
        else g
        * ((x <= max) if min is None else (x >= min) if max is None else (x >= min) & (x <= max))
    )
)


clip = clamp
"""The array API's name for `clamp`."""


@operation(samples=real)
def hardtanh(xp: Any, x: Array, *, min: float = -1.0, max: float = 1.0) -> Array:
    """Return x limited to [min, max]; unlike in `clamp`, nan becomes `max`.

    Source: torch/nn HardTanh.lua.
    """
    low, high = xp.asarray(min, dtype=x.dtype), xp.asarray(max, dtype=x.dtype)
    return xp.where(x < low, low, xp.where(x <= high, x, high))


hardtanh.def_derivative(x=lambda g, x, min, max: g * ((x > min) & (x < max)))


@operation(samples=real)
def hardshrink(xp: Any, x: Array, *, lambd: float = 0.5) -> Array:
    """Return x where it is beyond `lambd` or below `-lambd`, else 0.

    Source: torch/nn HardShrink.lua.
    """
    return xp.where((x > lambd) | (x < -lambd), x, xp.zeros_like(x))


hardshrink.def_derivative(x=lambda xp, g, x, lambd: g * (xp.abs(x) > lambd))


@operation(samples=real)
def softshrink(xp: Any, x: Array, *, lambd: float = 0.5) -> Array:
    """Return x moved towards 0 by `lambd`, and 0 where it would pass it.

    Source: torch/nn SoftShrink.lua.
    """
    return xp.where(x > lambd, x - lambd, xp.where(x < -lambd, x + lambd, xp.zeros_like(x)))


softshrink.def_derivative(x=lambda xp, g, x, lambd: g * (xp.abs(x) > lambd))

for _op in (
    tanh,
    sigmoid,
    relu,
    threshold,
    leaky_relu,
    prelu,
    elu,
    celu,
    selu,
    softsign,
    softplus,
    logsigmoid,
    clamp,
    hardtanh,
    hardshrink,
    softshrink,
):
    _op.def_batch(elementwise)
