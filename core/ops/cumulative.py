"""Running sums and products along one axis.

The product rules only multiply and add: to divide the product by an element would be wrong
where that is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels.checks import wide
from .batch_rules import along_axis
from .places import position
from .precision import accumulator
from .registry import Array, Sample, operation


def _lines(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.uniform(0.5, 2, (3, 5, 2))
    yield Sample(x, axis=1)
    yield Sample(x.astype(np.float32).T, axis=-1)
    yield Sample(x[:, :0], axis=1)
    x = rng.normal(size=(2, 6))
    x[:, 2] = x[0, 4] = 0
    yield Sample(x, axis=1)


@operation(samples=_lines, methods=("cumsum",))
def cumsum(xp: Any, x: Array, *, axis: int) -> Array:
    """Return the sums of the elements up to and with each one along `axis`.

    Parameters
    ----------
    x : Tensor
        bool and small integers are summed as int64.
    axis : int

    Raises
    ------
    BoundsError
        If x has no such dimension.
    """
    position("cumsum", "dimension", axis, x.ndim)
    sums = xp.cumulative_sum(wide(xp, x), axis=axis, dtype=accumulator(xp, x))
    return xp.astype(sums, x.dtype, copy=False) if _is_floating(xp, x) else sums


cumsum.def_vjp(x=lambda xp, g, axis: xp.flip(xp.cumsum(xp.flip(g, axis), axis=axis), axis))
cumsum.def_jvp(x=lambda xp, g, axis: xp.cumsum(g, axis=axis))


@operation(samples=_lines, methods=("cumprod",))
def cumprod(xp: Any, x: Array, *, axis: int) -> Array:
    """Return the products of the elements up to and with each one along `axis`.

    Parameters
    ----------
    x : Tensor
        bool and small integers are multiplied as int64.
    axis : int

    Raises
    ------
    BoundsError
        If x has no such dimension.
    """
    position("cumprod", "dimension", axis, x.ndim)
    products = xp.cumulative_prod(wide(xp, x), axis=axis, dtype=accumulator(xp, x))
    return xp.astype(products, x.dtype, copy=False) if _is_floating(xp, x) else products


def _is_floating(xp: Any, x: Array) -> bool:
    return bool(xp.isdtype(x.dtype, "real floating"))


def delayed(xp: Any, x: Any, axis: int, steps: int, first: float = 0.0) -> Any:
    """Return x moved `steps` places on along `axis`, with `first` in the places that open."""
    kept = x.shape[axis] - steps
    shape = tuple(steps if i == axis % x.ndim else n for i, n in enumerate(x.shape))
    start = xp.zeros_of(x, shape) + first
    return xp.concat([start, xp.narrow(x, axis, 0, kept)], axis=axis) if kept else start


def _recurrence(xp: Any, a: Any, b: Any, axis: int) -> Any:
    """Return r with r[k] = b[k] + a[k] * r[k - 1] along `axis`, in log2(n) steps over all of it.

    After each step b[k] holds what the last 2, 4, 8, ... terms add to r[k], and a[k] the factor
    of the terms before these. Source: Hillis and Steele 1986, "Data Parallel Algorithms".
    """
    steps = 1
    while steps < b.shape[axis]:
        b = b + a * delayed(xp, b, axis, steps)
        a = a * delayed(xp, a, axis, steps)
        steps *= 2
    return b


def _cumprod_vjp(xp: Any, g: Any, x: Any, out: Any, axis: int) -> Any:
    """Return the gradient: x[i] has a share in all products from i on.

    With h[i] = g[i] + x[i + 1] * h[i + 1], which runs backwards, it is h[i] times the product
    before i.
    """
    if 0 in x.shape:
        return g
    factors = delayed(xp, xp.flip(x, axis), axis, 1)
    backwards = _recurrence(xp, factors, xp.flip(g, axis), axis)
    return xp.flip(backwards, axis) * delayed(xp, out, axis, 1, 1.0)


def _cumprod_jvp(xp: Any, g: Any, x: Any, out: Any, axis: int) -> Any:
    """Return the tangent by the product rule: t[k] = x[k] * t[k - 1] + out[k - 1] * g[k]."""
    if 0 in x.shape:
        return g
    return _recurrence(xp, x, delayed(xp, out, axis, 1, 1.0) * g, axis)


cumprod.def_vjp(x=_cumprod_vjp)
cumprod.def_jvp(x=_cumprod_jvp)

for _op in (cumsum, cumprod):
    _op.def_batch(along_axis("axis"))
