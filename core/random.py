"""Tensors of random numbers.

Every draw comes from a `Generator`: the one given, or the default one of the device. Which
generators are the defaults is a context variable; `manual_seed` seeds them, and `with
using(generator):` puts another in place for a block. No gradient passes through a draw.

    with random.using(random.Generator(7)):
        weight = random.normal((3, 4))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import backend
from .backend import Device
from .dtypes import Dtype, DtypeError, as_dtype, float32, float64, int64, is_floating
from .errors import ShapeError
from .generators import Generator as Generator
from .generators import RandomError as RandomError
from .generators import StateError as StateError
from .generators import chosen
from .generators import default_generator as default_generator
from .generators import manual_seed as manual_seed
from .generators import using as using
from .tensor import Tensor

Shape = int | Sequence[int]


def _sizes(shape: Shape) -> tuple[int, ...]:
    sizes = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"sizes are not below 0; given {sizes}")
    return sizes


def _floating(name: str, dtype: Any) -> Dtype:
    wanted = as_dtype(dtype)
    if not is_floating(wanted):
        raise DtypeError(f"{name} draws floats; given dtype {wanted}")
    return wanted


def _drawn_in(dtype: Dtype) -> Dtype:
    """Return the dtype that generators draw for `dtype`: they have no float16."""
    return float64 if dtype == float64 else float32


def _for_each_sample(drawn: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
    """Return what `drawn(shape)` draws; inside vmap, where samples differ, for each of them."""
    levels = backend.draw_levels()
    tensor = drawn((*(level.size for level in levels), *shape))
    array = tensor.array
    for level in levels:
        array = backend.wrapped(array, level)
    return tensor if not levels else Tensor(array)


def uniform(
    shape: Shape,
    low: float = 0.0,
    high: float = 1.0,
    *,
    dtype: Any = float32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers spread evenly over [low, high); PyTorch's `rand` by default.

    Parameters
    ----------
    shape : int or sequence of int
    low, high : float
    dtype : dtype, floating
    device : Device or str, optional
        By default the generator's, or the CPU.
    generator : Generator, optional
        By default the default one of the device.

    Raises
    ------
    RandomError
        If high is not above low, or the device is not the generator's.
    DtypeError
        If the dtype is not floating.
    """
    if not low < high:
        raise RandomError(f"uniform: high is above low; given {low} and {high}")
    source, dtype = chosen(generator, device), _floating("uniform", dtype)
    with backend.on(source.device) as xp:

        def drawn(sizes: tuple[int, ...]) -> Tensor:
            numbers = source.stream.random(sizes, dtype=_drawn_in(dtype))
            spread = xp.asarray(low + (high - low) * numbers, dtype=dtype)
            # Rounding may reach `high`, which is outside.
            last = xp.nextafter(xp.asarray(high, dtype=dtype), xp.asarray(low, dtype=dtype))
            return Tensor(xp.minimum(spread, last))

        return _for_each_sample(drawn, _sizes(shape))


def normal(
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    dtype: Any = float32,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return normally distributed numbers; PyTorch's `randn` by default.

    Parameters
    ----------
    shape : int or sequence of int
    mean, std : float
        The standard deviation is not below 0.
    dtype, device, generator
        As of `uniform`.

    Raises
    ------
    RandomError
        If std is below 0, or the device is not the generator's.
    DtypeError
        If the dtype is not floating.
    """
    if not std >= 0:
        raise RandomError(f"normal: std is not below 0; given {std}")
    source, dtype = chosen(generator, device), _floating("normal", dtype)
    with backend.on(source.device) as xp:

        def drawn(sizes: tuple[int, ...]) -> Tensor:
            numbers = source.stream.standard_normal(sizes, dtype=_drawn_in(dtype))
            return Tensor(xp.asarray(mean + std * numbers, dtype=dtype))

        return _for_each_sample(drawn, _sizes(shape))


def randint(
    low: int,
    high: int,
    shape: Shape,
    *,
    dtype: Any = int64,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return whole numbers from `low` to `high - 1`, all equally likely.

    Parameters
    ----------
    low, high : int
    shape : int or sequence of int
    dtype : dtype, integer
    device, generator
        As of `uniform`.

    Raises
    ------
    RandomError
        If high is not above low, the dtype does not hold the numbers, or the device is not the
        generator's.
    DtypeError
        If the dtype is not an integer.
    """
    dtype = as_dtype(dtype)
    if dtype.kind not in "iu":
        raise DtypeError(f"randint draws integers; given dtype {dtype}")
    limits = np.iinfo(dtype)
    if not limits.min <= low < high <= limits.max + 1:
        raise RandomError(f"randint: {dtype} numbers from {low} to {high} - 1 are none")
    source = chosen(generator, device)
    with backend.on(source.device):
        return _for_each_sample(
            lambda sizes: Tensor(source.stream.integers(low, high, sizes, dtype=dtype)),
            _sizes(shape),
        )


def randperm(
    n: int, *, device: Device | str | None = None, generator: Generator | None = None
) -> Tensor:
    """Return 0 to n-1, as int64, in random order.

    Raises
    ------
    RandomError
        If n is below 0, or the device is not the generator's.
    """
    if n < 0:
        raise RandomError(f"randperm: n is not below 0; given {n}")
    source = chosen(generator, device)
    with backend.on(source.device):
        # CuPy's generators do not permute; equal keys are as good as impossible in 53 bits.
        return _for_each_sample(
            lambda sizes: Tensor(
                backend.stable_argsort(source.stream.random(sizes, dtype=float64), -1)
            ),
            (n,),
        )


def bernoulli(
    probability: Tensor | float,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return 1 with a probability, else 0.

    Parameters
    ----------
    probability : Tensor, floating, or float
        From 0 to 1; one for each element, or one for all.
    shape : int or sequence of int, optional
        By default that of `probability`.
    dtype : dtype, optional
        By default that of `probability`; float32 for a float.
    device, generator
        As of `uniform`; by default where `probability` is.

    Raises
    ------
    RandomError
        If a probability is outside of [0, 1], or the device is not the generator's.
    """
    source = _beside(probability, device, generator)
    with backend.on(source.device) as xp:
        level = (
            probability.array
            if isinstance(probability, Tensor)
            else xp.asarray(probability, dtype=float32)
        )
        values = backend.innermost(level)
        if not bool(xp.all((values >= 0) & (values <= 1))):
            raise RandomError("bernoulli: a probability is outside of [0, 1]")
        drawn = _for_each_sample(
            lambda sizes: Tensor(source.stream.random(sizes, dtype=float64)),
            level.shape if shape is None else _sizes(shape),
        )
        hit = drawn.array < level
        return Tensor(hit, dtype=level.dtype if dtype is None else as_dtype(dtype))


def multinomial(
    weights: Tensor,
    count: int,
    *,
    replacement: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return positions drawn with the probabilities that `weights` are proportional to.

    Parameters
    ----------
    weights : Tensor, floating, shape (..., n)
        Not below 0, and not all 0 in a row.
    count : int
        How many from each row.
    replacement : bool
        Whether a position can be drawn again; if not, a row needs `count` weights above 0.
    generator : Generator, optional
        By default the default one of the device of `weights`.

    Returns
    -------
    Tensor of int64, shape (..., count)

    Raises
    ------
    RandomError
        If the weights or `count` are not as above.

    Notes
    -----
    Without replacement each position waits for a time that is exponentially distributed with
    its weight as the rate, and the first win. Source: Efraimidis and Spirakis 2006, "Weighted
    random sampling with a reservoir".
    """
    if backend.draw_levels() or type(weights.array) is backend.Batched:
        raise backend.BatchingError(
            "multinomial does not run inside vmap, but it takes many rows of weights outside of it"
        )
    source = _beside(weights, None, generator)
    with backend.on(source.device) as xp:
        rates = xp.asarray(weights.array, dtype=float64)
        if rates.ndim == 0 or not bool(xp.all(xp.isfinite(rates) & (rates >= 0))):
            raise RandomError("multinomial: weights are rows of finite numbers not below 0")
        least = 1 if replacement else count
        if count < 0 or not bool(xp.all(xp.sum(rates > 0, axis=-1) >= least)):
            raise RandomError(f"multinomial: a row has no {least} weights above 0 to draw from")
        if not replacement:
            times = source.stream.standard_exponential(rates.shape, dtype=float64)
            keys = xp.where(rates > 0, times / xp.where(rates > 0, rates, 1), xp.inf)
            return Tensor(backend.stable_argsort(keys, -1)[..., :count])
        ends = xp.cumsum(rates, axis=-1)
        found = xp.empty((*rates.shape[:-1], count), dtype=int64)
        for row in np.ndindex(found.shape[:-1]):
            total = ends[row][-1]
            drawn = source.stream.random((count,), dtype=float64) * total
            # Rounding may reach the total, behind which there is nothing.
            drawn = xp.minimum(drawn, xp.nextafter(total, 0 * total))
            found[row] = xp.searchsorted(ends[row], drawn, side="right")
        return Tensor(found)


def _beside(
    operand: Tensor | float, device: Device | str | None, generator: Generator | None
) -> Generator:
    """Return the generator for a draw that belongs to `operand`."""
    if device is None and isinstance(operand, Tensor):
        device = operand.device
    return chosen(generator, device)
