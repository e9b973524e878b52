"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from .. import backend
from ..errors import ShapeError
from ..kernels import products
from ..tensor import Tensor
from .arithmetic import multiply
from .batching import Call
from .methods import install_method
from .registry import Array, Sample, operation
from .shape import unsqueeze


def _matrices(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample(rng.normal(size=(3, 4)), rng.normal(size=(4, 2)))
    yield Sample(rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 4, 2)))
    yield Sample(rng.normal(size=4), rng.normal(size=(4, 2)))
    yield Sample(rng.normal(size=(3, 4)), rng.normal(size=4))


@operation(samples=_matrices, operator="matmul", methods=("matmul",))
def matmul(xp: Any, x: Array, y: Array) -> Array:
    """Return the matrix product; leading dimensions are batches and broadcast.

    Parameters
    ----------
    x : Tensor, shape (..., m, k) or (k,)
    y : Tensor, shape (..., k, n) or (k,)

    Returns
    -------
    Tensor, shape (..., m, n)
        Without m or n where that operand was a vector.
    """
    return products.matmul(xp, x, y)


# The rules see from the dimensions of the gradient whether an operand was a vector: then the
# product has one dimension less than the other operand, and otherwise at least as many.


def _matmul_x(xp: Any, g: Any, y: Any) -> Any:
    """Return the gradient of `x @ y` for x; a vector is a matrix of one row."""
    if y.ndim == 1:
        return xp.unsqueeze(g, -1) * y
    if g.ndim < y.ndim:
        return xp.squeeze(xp.matmul(xp.unsqueeze(g, -2), xp.transpose(y, -1, -2)), axis=-2)
    return xp.matmul(g, xp.transpose(y, -1, -2))


def _matmul_y(xp: Any, g: Any, x: Any) -> Any:
    """Return the gradient of `x @ y` for y; a vector is a matrix of one column."""
    if x.ndim == 1:
        return xp.unsqueeze(x, -1) * xp.unsqueeze(g, -2) if g.ndim else x * g
    if g.ndim < x.ndim:
        column = xp.matmul(xp.transpose(x, -1, -2), xp.unsqueeze(g, -1))
        return xp.squeeze(column, axis=-1)
    return xp.matmul(xp.transpose(x, -1, -2), g)


matmul.def_vjp(x=_matmul_x, y=_matmul_y)
matmul.def_jvp(x=lambda xp, g, y: xp.matmul(g, y), y=lambda xp, g, x: xp.matmul(x, g))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), factor=0.5),
        Sample(rng.normal(size=(5, 1, 3, 4)), rng.normal(size=(2, 4, 2)), factor=-2.0),
    ]
)
def scaled_matmul(xp: Any, x: Array, y: Array, *, factor: float) -> Array:
    """Return factor times the product of matrices, as attention scales its scores.

    Parameters
    ----------
    x : Tensor, shape (..., m, k)
    y : Tensor, shape (..., k, n)
    factor : float

    Returns
    -------
    Tensor, shape (..., m, n)

    Raises
    ------
    ShapeError
        If an operand is a vector, or shapes do not fit.
    """
    if x.ndim < 2 or y.ndim < 2:
        raise ShapeError(f"scaled_matmul takes matrices; given shapes {x.shape} and {y.shape}")
    return products.matmul(xp, x, y, factor=factor)


scaled_matmul.def_vjp(
    x=lambda xp, g, y, factor: xp.scaled_matmul(g, xp.transpose(y, -1, -2), factor=factor),
    y=lambda xp, g, x, factor: xp.scaled_matmul(xp.transpose(x, -1, -2), g, factor=factor),
)
scaled_matmul.def_jvp(
    x=lambda xp, g, y, factor: xp.scaled_matmul(g, y, factor=factor),
    y=lambda xp, g, x, factor: xp.scaled_matmul(x, g, factor=factor),
)


def outer(x: Tensor, y: Tensor) -> Tensor:
    """Return the products of all elements of one vector with all of another.

    Parameters
    ----------
    x : Tensor, shape (m,)
    y : Tensor, shape (n,)

    Returns
    -------
    Tensor, shape (m, n)

    Raises
    ------
    ShapeError
        If one is no vector.
    """
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(f"outer takes vectors; given shapes {x.shape} and {y.shape}")
    return multiply(unsqueeze(x, 1), y)


install_method("outer", outer)


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)),
        Sample(rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), None),
    ]
)
def linear(xp: Any, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return x @ weight.T + bias.

    Parameters
    ----------
    x : Tensor, shape (..., in)
    weight : Tensor, shape (out, in)
    bias : Tensor, shape (out,), optional

    Returns
    -------
    Tensor, shape (..., out)
    """
    return products.linear(xp, x, weight, bias)


def _rows(xp: Any, x: Any) -> Any:
    return x if x.ndim == 2 else xp.reshape(x, (-1, x.shape[-1]))


linear.def_vjp(
    x=lambda xp, g, weight: xp.matmul(g, weight),
    weight=lambda xp, g, x: xp.matmul(xp.transpose(_rows(xp, g), 0, 1), _rows(xp, x)),
    bias=lambda xp, g: xp.sum(_rows(xp, g), axis=0),
)
linear.def_jvp(
    x=lambda xp, g, weight: xp.linear(g, weight, None),
    weight=lambda xp, g, x: xp.linear(x, g, None),
    bias=lambda g: g,
)


def _matrices_each(c: Call) -> list[Any]:
    """Return both operands of a product as matrices, with leading dimensions that broadcast."""
    most = max(2, c.ndim(0), c.ndim(1))
    found = []
    for i, x in enumerate(c.values):
        vector = c.ndim(i) == 1
        x = c.xp.unsqueeze(x, (-2, -1)[i]) if vector else x
        if c.batched[i]:
            x = c.xp.reshape(x, (c.size, *(1,) * (most + 1 - x.ndim), *x.shape[1:]))
        found.append(x)
    return found


def _outer_products(columns: Any, rows: Any) -> Any:
    """Return the products of columns with rows: quicker than as products of matrices."""
    if type(columns) is not np.ndarray or type(rows) is not np.ndarray:
        return columns * rows
    shape = np.broadcast_shapes(columns.shape, rows.shape)
    out = backend.empty(shape, np.result_type(columns, rows))
    return np.multiply(columns, rows, out=out)


def _matmul_each(c: Call) -> Any:
    xp, (x, y) = c.xp, c.values
    if not c.batched[1] and c.ndim(1) <= 2:  # one product for all samples
        if x.ndim <= 2 or c.ndim(1) == 1:
            return c.again(x, y)
        rows = xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
        return xp.reshape(c.again(rows, y), (*x.shape[:-1], y.shape[-1]))
    if not c.batched[0] and c.ndim(0) == 2 and c.ndim(1) == 1:
        return c.again(y, xp.transpose(x, 0, 1))
    a, b = _matrices_each(c)
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"matmul: shapes {c.shape(0)} and {c.shape(1)} do not fit")
    product = _outer_products(a, b) if a.shape[-1] == 1 else c.again(a, b)
    if c.ndim(0) == 1:
        product = xp.squeeze(product, axis=-2)
    return xp.squeeze(product, axis=-1) if c.ndim(1) == 1 else product


def _linear_each(c: Call) -> Any:
    xp, (x, weight, bias) = c.xp, c.values
    if not c.batched[1]:
        rows = xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
        y = xp.linear(rows, weight, None if c.batched[2] else bias)
        y = xp.reshape(y, (*x.shape[:-1], weight.shape[0]))
        if bias is None or not c.batched[2]:
            return y
        if not c.batched[0]:
            y = xp.unsqueeze(y, 0)
    else:
        rows = x if c.batched[0] else xp.unsqueeze(x, 0)
        shape = rows.shape
        rows = xp.reshape(rows, (shape[0], prod(shape[1:-1]), shape[-1]))
        y = xp.matmul(rows, xp.transpose(weight, -2, -1))
        y = xp.reshape(y, (c.size, *shape[1:-1], weight.shape[1]))
    if bias is None:
        return y
    if c.batched[2]:
        bias = xp.reshape(bias, (c.size, *(1,) * (y.ndim - 2), bias.shape[-1]))
    return y + bias


matmul.def_batch(_matmul_each)
scaled_matmul.def_batch(lambda c: c.again(*_matrices_each(c)))
linear.def_batch(_linear_each)
