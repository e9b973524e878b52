"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from .arithmetic import multiply
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
    return xp.matmul(x, y)


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
    y = xp.matmul(x, weight.T)
    return y if bias is None else y + bias


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
