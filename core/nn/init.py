"""Starting values of Parameters: formulas and names of PyTorch, drawn from a generator.

Every function writes into a tensor and returns it; nothing is recorded. Those that draw take
a `generator`; without one they draw from the default one of the tensor's device, which
`core.random.using(generator)` replaces for the constructors of layers too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import numpy as np

from .. import ops, random
from ..autograd import no_grad
from ..random import Generator
from ..tensor import Tensor
from .errors import ArgumentError

FanMode = Literal["fan_in", "fan_out"]

_GAINS = {
    **dict.fromkeys(("linear", "identity", "sigmoid"), 1.0),
    **dict.fromkeys((f"conv{n}d" for n in (1, 2, 3)), 1.0),
    **dict.fromkeys((f"conv_transpose{n}d" for n in (1, 2, 3)), 1.0),
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by what weights are enlarged before a nonlinearity.

    Parameters
    ----------
    nonlinearity : str
        "linear", "conv1d" to "conv_transpose3d", "sigmoid", "tanh", "relu", "selu" or
        "leaky_relu".
    param : float, optional
        The negative slope of "leaky_relu"; 0.01 by default.

    Raises
    ------
    ArgumentError
        For another name.

    Notes
    -----
    1, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope**2)) for leaky_relu, 3/4 for selu.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        names = ", ".join([*_GAINS, "leaky_relu"])
        raise ArgumentError(f"a gain is known for {names}; given {nonlinearity!r}")
    return _GAINS[nonlinearity]


def calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output has, and how many outputs an input.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)

    Raises
    ------
    ArgumentError
        If it has less than two dimensions.
    """
    if tensor.ndim < 2:
        raise ArgumentError(f"fans need a weight (out, in, ...); given shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _written(tensor: Tensor, value: Any) -> Tensor:
    with no_grad():
        return tensor.copy_(value)


_UNDRAWN: ContextVar[bool] = ContextVar("rekindle_undrawn", default=False)


@contextmanager
def undrawn() -> Iterator[None]:
    """Draw nothing inside: `uniform_` and `normal_` leave tensors as they are.

    For layers whose Parameters are replaced at once; see `nn.utils.skip_init`.
    """
    token = _UNDRAWN.set(True)
    try:
        yield
    finally:
        _UNDRAWN.reset(token)


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the uniform distribution over [a, b)."""
    if _UNDRAWN.get():
        return tensor
    if a == b:
        return constant_(tensor, a)
    options: dict[str, Any] = {"dtype": tensor.dtype, "device": tensor.device}
    return _written(tensor, random.uniform(tensor.shape, a, b, generator=generator, **options))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the normal distribution."""
    if _UNDRAWN.get():
        return tensor
    options: dict[str, Any] = {"dtype": tensor.dtype, "device": tensor.device}
    return _written(tensor, random.normal(tensor.shape, mean, std, generator=generator, **options))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution limited to [a, b], which are values, not deviations."""
    low, high = (math.erf((limit - mean) / std / math.sqrt(2.0)) for limit in (a, b))
    uniform_(tensor, low, high, generator)
    with no_grad():
        spread = ops.erfinv(tensor) * (std * math.sqrt(2.0)) + mean
        return tensor.copy_(spread.clamp(min=a, max=b))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set every element to `val`."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Set every element to 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Set every element to 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Set a matrix to the identity, as far as its shape goes."""
    if tensor.ndim != 2:
        raise ArgumentError(f"eye_ takes a matrix; given shape {tensor.shape}")
    return _written(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Set the weight (out, in, *kernel) of a convolution so that it passes its inputs on."""
    if tensor.ndim not in (3, 4, 5) or tensor.shape[0] % groups:
        raise ArgumentError(
            f"dirac_ takes a weight (out, in, *kernel) with out divisible by {groups} groups; "
            f"given shape {tensor.shape}"
        )
    value = np.zeros(tensor.shape)
    each = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    for g in range(groups):
        for i in range(min(each, tensor.shape[1])):
            value[(g * each + i, i, *centre)] = 1
    return _written(tensor, value)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw uniformly with a bound of gain * sqrt(6 / (fan_in + fan_out)).

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks".
    """
    bound = gain * math.sqrt(6.0 / sum(calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw normally with a deviation of gain * sqrt(2 / (fan_in + fan_out))."""
    std = gain * math.sqrt(2.0 / sum(calculate_fan_in_and_fan_out(tensor)))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f'mode is "fan_in" or "fan_out"; given {mode!r}')
    fan = calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: FanMode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw uniformly with a bound of gain * sqrt(3 / fan); `a` is leaky_relu's slope.

    Source: He et al. 2015, "Delving Deep into Rectifiers".
    """
    if 0 in tensor.shape:
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: FanMode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw normally with a deviation of gain / sqrt(fan); `a` is leaky_relu's slope."""
    if 0 in tensor.shape:
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Draw a matrix (out, rest) with orthonormal rows or columns, times `gain`.

    Source: Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks".
    """
    if tensor.ndim < 2:
        raise ArgumentError(f"orthogonal_ takes 2 or more dimensions; given {tensor.shape}")
    if 0 in tensor.shape:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    drawn = random.normal(
        (max(rows, columns), min(rows, columns)),
        dtype=np.float64 if tensor.dtype == np.float64 else np.float32,
        device=tensor.device,
        generator=generator,
    )
    q, r = ops.qr(drawn)
    q = q * ops.sign(ops.diagonal(r))
    return _written(tensor, (q.T if rows < columns else q).reshape(tensor.shape) * gain)


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Draw a matrix normally and set a share `sparsity` of each column to 0."""
    if tensor.ndim != 2:
        raise ArgumentError(f"sparse_ takes a matrix; given shape {tensor.shape}")
    rows, columns = tensor.shape
    count = math.ceil(sparsity * rows)
    normal_(tensor, 0.0, std, generator)
    with no_grad():
        for column in range(columns):
            chosen = random.randperm(rows, device=tensor.device, generator=generator)[:count]
            tensor[chosen, column] = 0.0
    return tensor


def fan_in_uniform_(tensor: Tensor, fan_in: int, generator: Generator | None = None) -> Tensor:
    """Draw uniformly with a bound of 1 / sqrt(fan_in), as biases of layers are."""
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    return uniform_(tensor, -bound, bound, generator)
