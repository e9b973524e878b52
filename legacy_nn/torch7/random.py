"""Torch7's random functions on tensors, and the default generator they draw from.

Each fills its tensor in place, element after element in row-major order, from the words
and by the arithmetic of Torch7. Source: torch7 lib/TH/generic/THTensorRandom.c, TensorMath.lua.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core import dtypes
from rekindle.core.tensor import Tensor

from .generator import Generator as Generator
from .generator import RandomError

default = Generator()
"""The generator that legacy_nn draws from, as Torch7's own."""

_RANDOM_RANGE = {
    dtypes.uint8: 2**8,
    dtypes.int8: 2**7,
    dtypes.int16: 2**15,
    dtypes.int32: 2**31,
    dtypes.int64: 2**63,
    dtypes.float32: 2**24 + 1,
    dtypes.float64: 2**53 + 1,
}
"""What `random` without bounds divides the word by, to keep the remainder."""


def manual_seed(seed: float) -> None:
    """Start the stream that Torch7 gives after `torch.manualSeed(seed)`."""
    default.manual_seed(seed)


torch_seed = manual_seed
"""The name of `manual_seed` among the names of `rekindle` itself."""


def seed() -> int:
    """Start a stream that nobody can foresee; return its seed."""
    return default.seed()


def initial_seed() -> int:
    """Return the seed of the current stream."""
    return default.initial_seed()


def uniform(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator = default
) -> Tensor:
    """Fill a floating tensor with numbers between a and b, b excluded; return it."""
    real = _floating(tensor, "uniform")
    return _fill(tensor, generator.uniform(tensor.size, real(a), real(b)))


def normal(
    tensor: Tensor, mean: float = 0.0, stdv: float = 1.0, *, generator: Generator = default
) -> Tensor:
    """Fill a floating tensor with normally distributed numbers; return it."""
    real = _floating(tensor, "normal")
    return _fill(tensor, generator.normal(tensor.size, real(mean), real(stdv)))


def exponential(tensor: Tensor, lambd: float, *, generator: Generator = default) -> Tensor:
    """Fill a floating tensor with exponentially distributed numbers; return it."""
    real = _floating(tensor, "exponential")
    return _fill(tensor, generator.exponential(tensor.size, real(lambd)))


def cauchy(
    tensor: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator = default
) -> Tensor:
    """Fill a floating tensor with numbers of the Cauchy distribution; return it."""
    real = _floating(tensor, "cauchy")
    return _fill(tensor, generator.cauchy(tensor.size, real(median), real(sigma)))


def log_normal(
    tensor: Tensor, mean: float = 1.0, stdv: float = 2.0, *, generator: Generator = default
) -> Tensor:
    """Fill a floating tensor with exp of normally distributed numbers; return it."""
    real = _floating(tensor, "logNormal")
    return _fill(tensor, generator.log_normal(tensor.size, real(mean), real(stdv)))


def geometric(tensor: Tensor, p: float, *, generator: Generator = default) -> Tensor:
    """Fill any tensor with integers i >= 1 of probability (1 - p) p^(i - 1); return it."""
    return _fill(tensor, generator.geometric(tensor.size, p))


def bernoulli(tensor: Tensor, p: float | Tensor = 0.5, *, generator: Generator = default) -> Tensor:
    """Fill any tensor with ones of probability `p`, and zeros; return it.

    Parameters
    ----------
    tensor : Tensor
    p : float or Tensor
        One probability, or one for each element.
    """
    if isinstance(p, Tensor):
        if p.size != tensor.size:
            raise RandomError(
                f"bernoulli needs a probability for each of {tensor.size} elements; given {p.size}"
            )
        each = p.to("cpu").numpy().ravel().astype(np.float64)
        return _fill(tensor, generator.bernoulli(p.size, each))
    return _fill(tensor, generator.bernoulli(tensor.size, p))


def random(
    tensor: Tensor,
    low: int | None = None,
    high: int | None = None,
    *,
    generator: Generator = default,
) -> Tensor:
    """Fill any tensor with integers; return it.

    `random(x)` draws from 0 to what the type holds exactly, `random(x, n)` from 1 to n,
    `random(x, low, high)` from low to high, all included.

    In floating tensors negative numbers come out near 2^64, as they do in Torch7, where the
    remainder is an unsigned long.
    """
    if low is None:
        divisor = _RANDOM_RANGE.get(tensor.dtype)
        if divisor is None:
            raise RandomError(f"Torch7 has no random numbers of {tensor.dtype}")
        return _fill(tensor, generator.words(tensor.size) % np.uint64(divisor))
    if high is None:
        low, high = 1, low
    return _fill(tensor, generator.integers(tensor.size, low, high))


def multinomial(
    probabilities: Tensor, count: int, replacement: bool = False, *, generator: Generator = default
) -> Tensor:
    """Draw category numbers, from 1, of given probabilities.

    Parameters
    ----------
    probabilities : Tensor, shape (k,) or (rows, k)
        Not negative; each row is divided by its sum.
    count : int
        Draws from each row.
    replacement : bool
        Whether a category can be drawn again.

    Returns
    -------
    Tensor of int64, shape (count,) or (rows, count)

    Raises
    ------
    RandomError
        If a row sums to 0, or has fewer categories than draws without replacement.
    """
    rows = np.atleast_2d(probabilities.to("cpu").numpy()).astype(np.float64)
    categories = rows.shape[1]
    if count < 1 or not (replacement or count <= categories):
        raise RandomError(f"cannot draw {count} of {categories} categories")
    out = np.empty((len(rows), count), np.int64)
    for row, draws in zip(rows, out, strict=True):
        cumulative = np.cumsum(row)
        if not cumulative[-1] > 0:
            raise RandomError("the probabilities of a multinomial distribution sum to 0")
        cumulative /= cumulative[-1]
        if replacement:
            cumulative[-1] = 1
            draws[:] = np.searchsorted(cumulative, generator.uniform(count)) + 1
        else:
            draws[:] = _without_replacement(cumulative, generator.uniform(count))
    return Tensor(out[0] if probabilities.ndim == 1 else out)


def _without_replacement(cumulative: Any, uniforms: Any) -> list[int]:
    """Return the category of each draw, taking it out of the distribution."""
    drawn = []
    for u in uniforms:
        cumulative[-1] = 1
        i = int(np.searchsorted(cumulative, u))
        drawn.append(i + 1)
        mass = cumulative[i] - (cumulative[i - 1] if i else 0.0)
        cumulative[i:] -= mass
        cumulative /= 1.0 - mass
    return drawn


def _floating(tensor: Tensor, name: str) -> Any:
    """Return what rounds an argument to the tensor's type, as Torch7's wrappers do."""
    if not dtypes.is_floating(tensor.dtype):
        raise RandomError(f"{name} fills floating tensors; given one of {tensor.dtype}")
    kind = tensor.dtype.type
    return lambda value: float(kind(value))


def _fill(tensor: Tensor, values: np.ndarray[Any, Any]) -> Tensor:
    converted = values.astype(tensor.dtype).reshape(tensor.shape)
    tensor.detach().copy_(Tensor(converted, device=tensor.device))
    return tensor
