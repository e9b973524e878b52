"""Diagonals and triangles of matrices: of the last two dimensions, the others are batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..errors import ShapeError
from ..tensor import Tensor
from .batch_rules import leading
from .methods import install_method
from .reduction import sum as sum_
from .registry import Array, Sample, operation


def _matrices(**params: Any) -> Any:
    return lambda rng: [
        Sample(rng.normal(size=(3, 4)), **params),
        Sample(rng.normal(size=(2, 4, 3)), **params),
        Sample(rng.normal(size=(4, 4)).astype(np.float32)),
    ]


def _check_matrix(name: str, x: Array) -> None:
    if x.ndim < 2:
        raise ShapeError(f"{name} takes matrices, of two or more dimensions; given shape {x.shape}")


@operation(samples=_matrices(k=1), methods=("tril",))
def tril(xp: Any, x: Array, *, k: int = 0) -> Array:
    """Return x with 0 above its diagonal `k`; see `diagonal`.

    Parameters
    ----------
    x : Tensor, shape (..., m, n)
    k : int
        Above 0 for a diagonal to the right, below 0 to the left.

    Raises
    ------
    ShapeError
        If x has less than two dimensions.
    """
    _check_matrix("tril", x)
    return xp.tril(x, k=k)


tril.def_derivative(x=lambda xp, g, k: xp.tril(g, k=k))


@operation(samples=_matrices(k=-1), methods=("triu",))
def triu(xp: Any, x: Array, *, k: int = 0) -> Array:
    """Return x with 0 below its diagonal `k`; see `tril`."""
    _check_matrix("triu", x)
    return xp.triu(x, k=k)


triu.def_derivative(x=lambda xp, g, k: xp.triu(g, k=k))


@operation(samples=_matrices(offset=-1), view=True, methods=("diagonal",))
def diagonal(xp: Any, x: Array, *, offset: int = 0) -> Array:
    """Return a view of the diagonal of each matrix.

    Parameters
    ----------
    x : Tensor, shape (..., m, n)
    offset : int
        Above 0 for a diagonal to the right, below 0 to the left.

    Returns
    -------
    Tensor, shape (..., k)
        k is what the diagonal has: min(m, n) with offset 0.

    Raises
    ------
    ShapeError
        If x has less than two dimensions.
    """
    _check_matrix("diagonal", x)
    return backend.diagonal(x, offset)


diagonal.def_vjp(
    x=lambda xp, g, x_shape, offset: xp.write_view(
        xp.zeros_of(g, x_shape), g, chain=((diagonal, (), {"offset": offset}),)
    )
)
diagonal.def_jvp(x=lambda xp, g, offset: xp.diagonal(g, offset=offset))


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=3)),
        Sample(rng.normal(size=(2, 3)), offset=2),
        Sample(rng.normal(size=(2, 3)).astype(np.float32), offset=-1),
    ]
)
def diag_embed(xp: Any, x: Array, *, offset: int = 0) -> Array:
    """Return square matrices with x on a diagonal and 0 elsewhere.

    Parameters
    ----------
    x : Tensor, shape (..., n)
    offset : int
        Which diagonal; see `diagonal`.

    Returns
    -------
    Tensor, shape (..., n + |offset|, n + |offset|)

    Raises
    ------
    ShapeError
        If x has no dimension.
    """
    if x.ndim == 0:
        raise ShapeError("diag_embed takes vectors, of one or more dimensions; given shape ()")
    n = x.shape[-1] + abs(offset)
    result = xp.zeros((*x.shape[:-1], n, n), dtype=x.dtype)
    backend.diagonal(result, offset)[...] = x
    return result


diag_embed.def_vjp(x=lambda xp, g, offset: xp.diagonal(g, offset=offset))
diag_embed.def_jvp(x=lambda xp, g, offset: xp.diag_embed(g, offset=offset))


def trace(x: Tensor, *, offset: int = 0) -> Tensor:
    """Return the sum of a diagonal of each matrix; see `diagonal`."""
    return sum_(diagonal(x, offset=offset), axis=-1)


install_method("trace", trace)

for _op in (tril, triu, diagonal):
    _op.def_batch(leading(2))
diag_embed.def_batch(leading(1))
