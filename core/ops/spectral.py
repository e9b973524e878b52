"""Eigenvalues and singular values of the matrices in the last two dimensions.

Vectors are not unique: they may change sign, those of a singular value on both sides together,
and between equal values they may be rotated. LAPACK chooses, and the derivatives are those of
its choice. Vectors of equal values have no derivative, nor those of the singular value 0 if x
is not square: it is nan, as is the gradient of what depends on them. The derivatives of values
alone are right there too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..tensor import Tensor
from .arithmetic import abs as abs_
from .batch_rules import leading
from .extremes import max as max_
from .extremes import min as min_
from .factorization import check_matrix, distinct, shapes, symmetrised, turned
from .precision import narrow, wide
from .reduction import norm
from .reduction import sum as sum_
from .registry import Array, OperandError, Sample, operation
from .shape import reshape
from .solving import check_square, lapack


def _symmetric(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in distinct(4, 4)(rng):
        x = sample.arrays[0]
        yield Sample(x + x.mT)
    yield Sample(np.zeros((2, 0, 0)))


def _inverse(xp: Any, x: Any, used: Any) -> Any:
    """Return 1 / x; where x is 0, nan if vectors are used and else 0."""
    none = x == 0
    finite = xp.where(none, 0.0, 1 / xp.where(none, 1.0, x))
    return xp.where(none & used, math.nan, finite)


def _inverse_pairs(xp: Any, values: Any, sign: int, used: Any) -> Any:
    """Return 1 / (values[j] + sign * values[i]) at row i, column j; 0 on the diagonal."""
    ones = xp.diag_embed(xp.zeros_of(values, values.shape) + 1.0)
    pairs = xp.unsqueeze(values, -2) + sign * xp.unsqueeze(values, -1)
    return _inverse(xp, pairs + ones, used) * (1 - ones)


def _used(xp: Any, *gradients: Any) -> Any:
    """Return for each matrix whether any gradient of its vectors is not 0."""
    used = False
    for g in gradients:
        used = xp.any(g != 0, axis=(-2, -1), keepdims=True) | used
    return used


@operation(samples=_symmetric, outputs=("eigenvalues", "eigenvectors"))
def eigh(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return the eigenvalues, in ascending order, and eigenvectors of symmetric matrices.

    Parameters
    ----------
    x : Tensor, floating, shape (..., n, n)
        Symmetric; what is decomposed is (x + x.T) / 2, so that derivatives are right for every
        direction.

    Returns
    -------
    eigenvalues : Tensor, shape (..., n)
    eigenvectors : Tensor, shape (..., n, n)
        As columns, of length 1.

    Raises
    ------
    ShapeError
        If x is not square.

    Notes
    -----
    Source of the derivatives: Giles 2008, "Collected matrix derivative results".
    """
    check_square("eigh", x)
    source = wide(xp, x)
    values, vectors = lapack("eigh", xp.linalg.eigh, (source + xp.matrix_transpose(source)) / 2)
    return narrow(xp, values, x), narrow(xp, vectors, x)


def _eigh_vjp(xp: Any, g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    v, vh = eigenvectors, turned(xp, eigenvectors)
    gaps = _inverse_pairs(xp, eigenvalues, -1, _used(xp, g[1]))
    inner = gaps * xp.matmul(vh, g[1]) + xp.diag_embed(g[0])
    return symmetrised(xp, xp.matmul(v, xp.matmul(inner, vh)))


def _eigh_jvp(xp: Any, g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    v, vh = eigenvectors, turned(xp, eigenvectors)
    inner = xp.matmul(vh, xp.matmul(symmetrised(xp, g), v))
    return [xp.diagonal(inner), xp.matmul(v, _inverse_pairs(xp, eigenvalues, -1, True) * inner)]


eigh.def_vjp(x=_eigh_vjp)
eigh.def_jvp(x=_eigh_jvp)


@operation(samples=shapes, outputs=("u", "s", "vh"))
def svd(xp: Any, x: Array) -> tuple[Array, Array, Array]:
    """Return the reduced singular value decomposition: u * s @ vh = x.

    Parameters
    ----------
    x : Tensor, floating, shape (..., m, n)

    Returns
    -------
    u : Tensor, shape (..., m, k)
        k is min(m, n). Its columns are orthonormal, as are the rows of `vh`.
    s : Tensor, shape (..., k)
        The singular values, in descending order.
    vh : Tensor, shape (..., k, n)

    Raises
    ------
    ShapeError
        If x has less than two dimensions.

    Notes
    -----
    Source of the derivatives: Townsend 2016, "Differentiating the Singular Value Decomposition".
    """
    check_matrix("svd", x)
    u, s, vh = xp.linalg.svd(wide(xp, x), full_matrices=False)
    return narrow(xp, u, x), narrow(xp, s, x), narrow(xp, vh, x)


# With f = 1 / (s[j]**2 - s[i]**2), the rules as Townsend has them hold terms of the form
# f * (a * s[j] + b * s[i]). To compute them as the equal
# ((a + b) / (s[j] - s[i]) + (a - b) / (s[j] + s[i])) / 2 loses less where s[i] is near s[j].


def _svd_vjp(xp: Any, g: Any, u: Any, s: Any, vh: Any) -> Any:
    gu, gs, gvh = g
    used = _used(xp, gu, gvh)
    left, right = xp.matmul(turned(xp, u), gu), xp.matmul(gvh, turned(xp, vh))
    a, b = left - turned(xp, left), turned(xp, right) - right
    differences, sums = _inverse_pairs(xp, s, -1, used), _inverse_pairs(xp, s, 1, used)
    inner = ((a + b) * differences + (a - b) * sums) * 0.5 + xp.diag_embed(gs)
    total = xp.matmul(xp.matmul(u, inner), vh)
    if u.shape[-2] > s.shape[-1]:
        outside = (gu - xp.matmul(u, left)) * _inverse(xp, xp.unsqueeze(s, -2), used)
        total = total + xp.matmul(outside, vh)
    if vh.shape[-1] > s.shape[-1]:
        outside = (gvh - xp.matmul(right, vh)) * _inverse(xp, xp.unsqueeze(s, -1), used)
        total = total + xp.matmul(u, outside)
    return total


def _svd_jvp(xp: Any, g: Any, u: Any, s: Any, vh: Any) -> Any:
    g_v, u_g = xp.matmul(g, turned(xp, vh)), xp.matmul(turned(xp, u), g)
    inner = xp.matmul(u_g, turned(xp, vh))
    even = (inner + turned(xp, inner)) * 0.5 * _inverse_pairs(xp, s, -1, True)
    odd = (inner - turned(xp, inner)) * 0.5 * _inverse_pairs(xp, s, 1, True)
    tu, tvh = xp.matmul(u, even + odd), xp.matmul(odd - even, vh)
    if u.shape[-2] > s.shape[-1]:
        tu = tu + (g_v - xp.matmul(u, inner)) * _inverse(xp, xp.unsqueeze(s, -2), True)
    if vh.shape[-1] > s.shape[-1]:
        tvh = tvh + (u_g - xp.matmul(inner, vh)) * _inverse(xp, xp.unsqueeze(s, -1), True)
    return [tu, xp.diagonal(inner), tvh]


svd.def_vjp(x=_svd_vjp)
svd.def_jvp(x=_svd_jvp)


def matrix_norm(x: Tensor, *, ord: str | float = "fro", keepdims: bool = False) -> Tensor:
    """Return a norm of each matrix.

    Parameters
    ----------
    x : Tensor, floating, shape (..., m, n)
    ord : str or float
        "fro", the root of the sum of squares; "nuc", the sum of the singular values; 2 or -2,
        the largest or smallest of them; 1 or -1, the largest or smallest sum of magnitudes in a
        column; inf or -inf, in a row.
    keepdims : bool

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        If x has less than two dimensions.
    OperandError
        For another `ord`.
    """
    check_matrix("matrix_norm", x)
    if ord == "fro":
        return norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise OperandError(
            f'matrix_norm: ord is "fro", "nuc", 1, -1, 2, -2, inf or -inf; given {ord!r}'
        )
    if ord in (1, -1, math.inf, -math.inf):
        parts = sum_(abs_(x), axis=-2 if ord in (1, -1) else -1)
    else:
        parts = svd(x)[1]
    choose = sum_ if ord == "nuc" else min_ if float(ord) < 0 else max_
    result = choose(parts, axis=-1)
    return reshape(result, (*result.shape, 1, 1)) if keepdims else result


for _op in (eigh, svd):
    _op.def_batch(leading(2))
