"""Triangular factors of the matrices in the last two dimensions: cholesky and qr."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
from .batch_rules import leading
from .precision import narrow, wide
from .registry import Array, Sample, Samples, operation
from .solving import check_square, lapack


def _definite(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(2, 4, 3))
    yield Sample(x[0].T @ x[0] + np.eye(3))
    yield Sample(x.mT @ x + np.eye(3), upper=True)
    yield Sample((x[0].T @ x[0] + np.eye(3)).astype(np.float32))
    yield Sample(np.zeros((2, 0, 0)))


def distinct(m: int, n: int) -> Samples:
    """Return samples of matrices whose singular values are well apart."""

    def samples(rng: np.random.Generator) -> Iterator[Sample]:
        k = min(m, n)
        u = np.linalg.qr(rng.normal(size=(2, m, k)))[0]
        v = np.linalg.qr(rng.normal(size=(2, n, k)))[0]
        x = u * np.arange(1.0, k + 1) @ v.mT
        yield Sample(x)
        yield Sample(x[0].astype(np.float32))

    return samples


def shapes(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield square, tall, wide and empty matrices."""
    for m, n in ((3, 3), (4, 2), (2, 4)):
        yield from distinct(m, n)(rng)
    yield Sample(np.zeros((2, 3, 0)))


def turned(xp: Any, x: Any) -> Any:
    """Return the transposed matrices."""
    return xp.transpose(x, -2, -1)


def symmetrised(xp: Any, x: Any) -> Any:
    """Return the mean of x and its transpose."""
    return (x + turned(xp, x)) * 0.5


def _lower_half(xp: Any, x: Any) -> Any:
    """Return x with 0 above the diagonal and half of the diagonal."""
    return (xp.tril(x) + xp.tril(x, k=-1)) * 0.5


@operation(samples=_definite)
def cholesky(xp: Any, x: Array, *, upper: bool = False) -> Array:
    """Return the lower triangular l with l @ l.T = x and a positive diagonal.

    Parameters
    ----------
    x : Tensor, floating, shape (..., n, n)
        Symmetric and positive definite; what is computed is the factor of (x + x.T) / 2, so
        that derivatives are right for every direction.
    upper : bool
        Return l.T instead.

    Raises
    ------
    ShapeError
        If x is not square.
    MatrixError
        If it is not positive definite.

    Notes
    -----
    Source of the derivatives: Murray 2016, "Differentiation of the Cholesky decomposition".
    """
    check_square("cholesky", x)
    source = wide(xp, x)
    source = (source + xp.matrix_transpose(source)) / 2
    factor = narrow(xp, lapack("cholesky", xp.linalg.cholesky, source), x)
    return xp.matrix_transpose(factor) if upper else factor


def _cholesky_vjp(xp: Any, g: Any, out: Any, upper: bool) -> Any:
    factor, g = (turned(xp, out), turned(xp, g)) if upper else (out, g)
    upright = turned(xp, factor)
    inner = xp.solve(upright, _lower_half(xp, xp.matmul(upright, xp.tril(g))))
    return symmetrised(xp, turned(xp, xp.solve(upright, turned(xp, inner))))


def _cholesky_jvp(xp: Any, g: Any, out: Any, upper: bool) -> Any:
    factor = turned(xp, out) if upper else out
    half = turned(xp, xp.solve(factor, symmetrised(xp, g)))
    tangent = xp.matmul(factor, _lower_half(xp, xp.solve(factor, half)))
    return turned(xp, tangent) if upper else tangent


cholesky.def_vjp(x=_cholesky_vjp)
cholesky.def_jvp(x=_cholesky_jvp)


@operation(samples=shapes, outputs=("q", "r"))
def qr(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return q with orthonormal columns and the upper triangular r with q @ r = x.

    Parameters
    ----------
    x : Tensor, floating, shape (..., m, n)

    Returns
    -------
    q : Tensor, shape (..., m, k)
        k is min(m, n).
    r : Tensor, shape (..., k, n)

    Raises
    ------
    ShapeError
        If x has less than two dimensions.

    Notes
    -----
    The signs of the rows of r are LAPACK's choice, and may be negative on the diagonal. The
    derivatives need the first k columns of x to be independent. Source: Seeger et al. 2017,
    "Auto-Differentiating Linear Algebra"; for m < n, Roberts and Roberts 2020, "QR and LQ
    Decomposition Matrix Backpropagation Algorithms".
    """
    check_matrix("qr", x)
    q, r = lapack("qr", xp.linalg.qr, wide(xp, x))
    return narrow(xp, q, x), narrow(xp, r, x)


def check_matrix(name: str, x: Array) -> None:
    """Check that x holds matrices.

    Raises
    ------
    ShapeError
        If it does not.
    """
    if x.ndim < 2:
        raise ShapeError(f"{name} takes matrices, of two or more dimensions; given shape {x.shape}")


def _over(xp: Any, x: Any, r: Any) -> Any:
    """Return x @ inverse(r)."""
    return turned(xp, xp.solve(turned(xp, r), turned(xp, x)))


def _qr_vjp(xp: Any, g: Any, q: Any, r: Any) -> Any:
    gq, gr = g
    k, n = r.shape[-2:]
    if k == n:
        return _qr_tall_vjp(xp, gq, gr, q, r)
    # x = [square | rest] and r = [s | q.T @ rest]: the rest depends on q alone
    square, rest = xp.narrow(r, -1, 0, k), xp.narrow(r, -1, k, n - k)
    g_square, g_rest = xp.narrow(gr, -1, 0, k), xp.narrow(gr, -1, k, n - k)
    moved = gq + xp.matmul(xp.matmul(q, rest), turned(xp, g_rest))
    first = _qr_tall_vjp(xp, moved, g_square, q, square)
    return xp.concat([first, xp.matmul(q, g_rest)], axis=-1)


def _qr_tall_vjp(xp: Any, gq: Any, gr: Any, q: Any, r: Any) -> Any:
    m = xp.matmul(r, turned(xp, gr)) - xp.matmul(turned(xp, gq), q)
    both = xp.tril(m) + turned(xp, xp.tril(m, k=-1))
    return _over(xp, gq + xp.matmul(q, both), turned(xp, r))


def _qr_jvp(xp: Any, g: Any, q: Any, r: Any) -> Any:
    k, n = r.shape[-2:]
    square = xp.narrow(r, -1, 0, k)
    moved = _over(xp, xp.narrow(g, -1, 0, k), square)
    m = xp.matmul(turned(xp, q), moved)
    below = xp.tril(m, k=-1)
    scaled = m - below + turned(xp, below)
    tq = moved - xp.matmul(q, scaled)
    first = xp.matmul(scaled, square)
    if k == n:
        return [tq, first]
    x_rest = xp.matmul(q, xp.narrow(r, -1, k, n - k))
    rest = xp.matmul(turned(xp, tq), x_rest)
    rest = rest + xp.matmul(turned(xp, q), xp.narrow(g, -1, k, n - k))
    return [tq, xp.concat([first, rest], axis=-1)]


qr.def_vjp(x=_qr_vjp)
qr.def_jvp(x=_qr_jvp)

for _op in (cholesky, qr):
    _op.def_batch(leading(2))
