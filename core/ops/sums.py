"""Sums of products and linear combinations with a coefficient per channel, in few passes.

The derivatives of normalisations are made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..kernels import sums as kernels
from .batching import Call
from .registry import Array, Sample, operation


def _alike(rng: np.random.Generator) -> Iterator[Sample]:
    x, y = rng.normal(size=(2, 4, 3, 5))
    yield Sample(x, y, axes=(0, 2))
    yield Sample(x, y, axes=(-1,))
    yield Sample(x[0], y[0], axes=())


def _combined(rng: np.random.Generator) -> Iterator[Sample]:
    x, y, a = rng.normal(size=(3, 4, 3, 5))
    yield Sample(x, y, a[:1, :, :1], a[:, :1, :1], a[:1, :1, :1])
    yield Sample(x[:0], y[:0], a[:1, :1], a[:1, :1], a[:1, :1])


@operation(samples=_alike)
def sum_products(xp: Any, x: Array, y: Array, *, axes: Sequence[int]) -> Array:
    """Return the sums of x * y over some axes, which stay with size 1.

    Parameters
    ----------
    x, y : Tensor, floating, of one shape and dtype
    axes : sequence of int

    Raises
    ------
    ShapeError, DtypeError
        If the operands differ in shape or dtype, or are not floating.
    """
    return kernels.sum_products(xp, x, y, axes=axes)


sum_products.def_vjp(x=lambda g, y: g * y, y=lambda g, x: g * x)
sum_products.def_jvp(
    x=lambda xp, g, y, axes: xp.sum_products(g, y, axes=axes),
    y=lambda xp, g, x, axes: xp.sum_products(x, g, axes=axes),
)


@operation(samples=_combined)
def linear_combination(xp: Any, x: Array, y: Array, a: Array, b: Array, c: Array) -> Array:
    """Return x * a + y * b + c.

    Parameters
    ----------
    x, y : Tensor, floating, of one shape and dtype
    a, b, c : Tensor, dtype of x
        As many dimensions as x, each of its size or 1.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    ShapeError, DtypeError
        If x and y differ in shape, or dtypes differ or are not floating.
    """
    return kernels.linear_combination(xp, x, y, a, b, c)


def _coefficient(xp: Any, g: Any, x: Any, shape: tuple[int, ...]) -> Any:
    return xp.sum_products(g, x, axes=[i for i, n in enumerate(shape) if n == 1])


linear_combination.def_vjp(
    x=lambda g, a: g * a,
    y=lambda g, b: g * b,
    a=lambda xp, g, x, a_shape: _coefficient(xp, g, x, a_shape),
    b=lambda xp, g, y, b_shape: _coefficient(xp, g, y, b_shape),
    c=lambda g: g,
)
linear_combination.def_jvp(
    x=lambda g, a: g * a,
    y=lambda g, b: g * b,
    a=lambda g, x: g * x,
    b=lambda g, y: g * y,
    c=lambda g: g,
)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(1, 3))),
        Sample(rng.normal(size=(2, 3, 2)), rng.normal(size=(3, 1)), rng.normal(size=(2, 1, 1))),
    ]
)
def affine(xp: Any, x: Array, a: Array, c: Array) -> Array:
    """Return x * a + c.

    Parameters
    ----------
    x : Tensor, floating
    a, c : Tensor, dtype of x
        Broadcast to x.

    Returns
    -------
    Tensor
        Shape of x.

    Raises
    ------
    DtypeError
        If dtypes differ or are not floating.
    """
    return kernels.affine(xp, x, a, c)


def _factor(xp: Any, g: Any, x: Any, a_shape: tuple[int, ...]) -> Any:
    shape = (*(1,) * (x.ndim - len(a_shape)), *a_shape)
    return xp.reshape(_coefficient(xp, g, x, shape), a_shape)


affine.def_vjp(x=lambda g, a: g * a, a=_factor, c=lambda g: g)
affine.def_jvp(x=lambda g, a: g * a, a=lambda g, x: g * x, c=lambda g: g)


def _sum_products_each(c: Call) -> Any:
    axes = [a % c.ndim() + 1 for a in c.params["axes"]]
    return c.again(c.full(0), c.full(1), axes=axes)


def _combine_each(c: Call) -> Any:
    """Coefficients have as many dimensions as x, one more now."""
    xs = [c.full(i) for i in (0, 1)]
    rest = [
        x if b else c.xp.reshape(x, (1, *x.shape))
        for x, b in zip(c.values[2:], c.batched[2:], strict=True)
    ]
    return c.again(*xs, *rest)


def _affine_each(c: Call) -> Any:
    x, a, k = c.full(0), *c.values[1:]
    pad = [
        c.xp.reshape(v, (c.size, *(1,) * (x.ndim - v.ndim), *v.shape[1:])) if b else v
        for v, b in zip((a, k), c.batched[1:], strict=True)
    ]
    return c.again(x, *pad)


sum_products.def_batch(_sum_products_each)
linear_combination.def_batch(_combine_each)
affine.def_batch(_affine_each)
