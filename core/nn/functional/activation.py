"""Nonlinearities, element by element. `inplace` writes the result into the input."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...ops.inplace import write_
from ...random import Generator
from ...tensor import Tensor


def _placed(input: Tensor, result: Tensor, inplace: bool, name: str) -> Tensor:
    return write_(input, result, name) if inplace else result


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the input where it is positive, else 0."""
    return _placed(input, ops.relu(input), inplace, "relu")


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the input limited to [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return the input limited to [min_val, max_val]; the slope at both ends is 0."""
    return _placed(input, ops.hardtanh(input, min=min_val, max=max_val), inplace, "hardtanh")


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return the input where it exceeds `threshold`, else `value`."""
    result = ops.threshold(input, threshold=threshold, value=value)
    return _placed(input, result, inplace, "threshold")


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return the input where it is positive, else alpha * (exp(input) - 1)."""
    return _placed(input, ops.elu(input, alpha=alpha), inplace, "elu")


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return the input where it is positive, else alpha * (exp(input / alpha) - 1)."""
    return _placed(input, ops.celu(input, alpha=alpha), inplace, "celu")


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return a scaled `elu` whose results keep mean 0 and variance 1."""
    return _placed(input, ops.selu(input), inplace, "selu")


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return the input where it is positive, else `negative_slope` times it."""
    result = ops.leaky_relu(input, negative_slope=negative_slope)
    return _placed(input, result, inplace, "leaky_relu")


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return the input where it is positive, else `weight` times it.

    Parameters
    ----------
    input : Tensor, shape (N, C, ...) or any
    weight : Tensor, shape (C,) or (1,)
    """
    if weight.size > 1 and input.ndim > 1:
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2))
    return ops.prelu(input, weight)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return the input where it is not negative, else it times a slope.

    In training each element draws its slope from [lower, upper); otherwise it is their mean.
    """
    if not training or lower == upper:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    options: dict[str, Any] = {"dtype": input.dtype, "device": input.device}
    slopes = random.uniform(input.shape, lower, upper, generator=generator, **options)
    return _placed(input, ops.where(input >= 0, input, input * slopes), inplace, "rrelu")


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return the first half along `dim` times the sigmoid of the second half."""
    first, second = ops.chunk(input, 2, axis=dim)
    return first * ops.sigmoid(second)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return x * P(normal < x), with "tanh" by an approximation."""
    return ops.gelu(input, approximate=approximate)


def logsigmoid(input: Tensor) -> Tensor:
    """Return log(sigmoid(x))."""
    return ops.logsigmoid(input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the input where its magnitude exceeds `lambd`, else 0."""
    return ops.hardshrink(input, lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the input moved towards 0 by `lambd`, and 0 where it would pass it."""
    return ops.softshrink(input, lambd=lambd)


def tanhshrink(input: Tensor) -> Tensor:
    """Return x - tanh(x)."""
    return input - ops.tanh(input)


def softsign(input: Tensor) -> Tensor:
    """Return x / (1 + |x|)."""
    return ops.softsign(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(beta * x)) / beta; x itself where beta * x exceeds `threshold`."""
    return ops.softplus(input, beta=beta, threshold=threshold)


def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent."""
    return ops.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x))."""
    return ops.sigmoid(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return clamp(x + 3, 0, 6) / 6; the slope at both ends is 0."""
    result = ops.hardtanh(input + 3.0, min=0.0, max=6.0) * (1.0 / 6)
    return _placed(input, result, inplace, "hardsigmoid")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * sigmoid(x)."""
    return _placed(input, ops.silu(input), inplace, "silu")


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * tanh(softplus(x))."""
    return _placed(input, ops.mish(input), inplace, "mish")


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * clamp(x + 3, 0, 6) / 6."""
    return _placed(input, ops.hardswish(input), inplace, "hardswish")
