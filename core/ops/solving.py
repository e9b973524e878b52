"""Linear systems, inverses and determinants of the matrices in the last two dimensions.

The derivatives are those of Giles 2008, "Collected matrix derivative results for forward and
reverse mode algorithmic differentiation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..errors import RekindleError, ShapeError
from .batch_rules import leading
from .batching import Call
from .precision import narrow, wide
from .registry import Array, Sample, operation


class MatrixError(RekindleError, np.linalg.LinAlgError):
    """A matrix without the inverse or the factors that were asked for."""


def lapack(name: str, function: Callable[..., Any], *arrays: Array) -> Any:
    """Call a function of `xp.linalg` for the operation `name`.

    Raises
    ------
    MatrixError
        If it reports failure. (CuPy's functions return nan instead.)
    """
    try:
        return function(*arrays)
    except np.linalg.LinAlgError as error:
        shapes = " and ".join(str(a.shape) for a in arrays)
        raise MatrixError(f"{name}: {error}; given shape {shapes}") from error


def check_square(name: str, x: Array) -> None:
    """Check that x holds square matrices.

    Raises
    ------
    ShapeError
        If it does not.
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} takes square matrices; given shape {x.shape}")


def well_conditioned(rng: np.random.Generator) -> Iterator[Sample]:
    """Yield square matrices far from singular."""
    x = rng.normal(size=(3, 3)) + 4 * np.eye(3)
    yield Sample(x)
    yield Sample(rng.normal(size=(2, 1, 4, 4)) - 5 * np.eye(4))
    yield Sample(x.astype(np.float32).T)
    yield Sample(np.zeros((2, 0, 0)))


def _systems(rng: np.random.Generator) -> Iterator[Sample]:
    a = rng.normal(size=(2, 3, 3)) + 4 * np.eye(3)
    yield Sample(a[0], rng.normal(size=(3, 2)))
    yield Sample(a[0], rng.normal(size=3))
    yield Sample(a, rng.normal(size=3))
    yield Sample(a, rng.normal(size=(4, 1, 3, 2)))
    yield Sample(a[0].astype(np.float32).T, rng.normal(size=(2, 3, 1)).astype(np.float32))


@operation(samples=_systems)
def solve(xp: Any, a: Array, b: Array) -> Array:
    """Return the x with a @ x = b.

    Parameters
    ----------
    a : Tensor, floating, shape (..., n, n)
    b : Tensor, floating, shape (..., n, k) or (n,)
        Leading dimensions are batches and broadcast with a's.

    Returns
    -------
    Tensor, shape (..., n, k), or (..., n) for a vector b

    Raises
    ------
    ShapeError
        If a is not square, or b has another n.
    MatrixError
        If a is singular.
    """
    check_square("solve", a)
    columns = xp.expand_dims(b, axis=-1) if b.ndim == 1 else b
    n = a.shape[-1]
    if b.ndim == 0 or columns.shape[-2] != n:
        raise ShapeError(f"solve: shape {a.shape} does not fit a right side of shape {b.shape}")
    batch = np.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    left = xp.broadcast_to(wide(xp, a), (*batch, n, n))
    right = xp.broadcast_to(wide(xp, columns), (*batch, n, columns.shape[-1]))
    x = narrow(xp, lapack("solve", xp.linalg.solve, left, right), b)
    return xp.squeeze(x, axis=-1) if b.ndim == 1 else x


def _column(xp: Any, x: Any, b_shape: tuple[int, ...]) -> Any:
    """Return x, of the shape of a solution, as matrices: vectors as those of one column."""
    return xp.unsqueeze(x, -1) if len(b_shape) == 1 else x


def _solve_b(xp: Any, g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    y = xp.solve(xp.transpose(a, -2, -1), _column(xp, g, b_shape))
    return xp.squeeze(y, axis=-1) if len(b_shape) == 1 else y


def _solve_a(xp: Any, g: Any, a: Any, out: Any, b_shape: tuple[int, ...]) -> Any:
    y = xp.solve(xp.transpose(a, -2, -1), _column(xp, g, b_shape))
    return -xp.matmul(y, xp.transpose(_column(xp, out, b_shape), -2, -1))


def _solve_moved(xp: Any, g: Any, a: Any, out: Any, b_shape: tuple[int, ...]) -> Any:
    x = -xp.solve(a, xp.matmul(g, _column(xp, out, b_shape)))
    return xp.squeeze(x, axis=-1) if len(b_shape) == 1 else x


solve.def_vjp(a=_solve_a, b=_solve_b)
solve.def_jvp(a=_solve_moved, b=lambda xp, g, a: xp.solve(a, g))


@operation(samples=well_conditioned)
def inv(xp: Any, x: Array) -> Array:
    """Return the inverse of each matrix.

    Parameters
    ----------
    x : Tensor, floating, shape (..., n, n)

    Raises
    ------
    ShapeError
        If x is not square.
    MatrixError
        If it is singular.
    """
    check_square("inv", x)
    return narrow(xp, lapack("inv", xp.linalg.inv, wide(xp, x)), x)


def _inv_vjp(xp: Any, g: Any, out: Any) -> Any:
    turned = xp.transpose(out, -2, -1)
    return -xp.matmul(turned, xp.matmul(g, turned))


inv.def_vjp(x=_inv_vjp)
inv.def_jvp(x=lambda xp, g, out: -xp.matmul(out, xp.matmul(g, out)))


@operation(samples=well_conditioned)
def det(xp: Any, x: Array) -> Array:
    """Return the determinant of each matrix.

    Parameters
    ----------
    x : Tensor, floating, shape (..., n, n)

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        If x is not square.

    Notes
    -----
    The derivative is taken through the inverse: it raises MatrixError for a singular matrix.
    """
    check_square("det", x)
    return narrow(xp, xp.linalg.det(wide(xp, x)), x)


def _each_matrix(xp: Any, g: Any) -> Any:
    return xp.unsqueeze(xp.unsqueeze(g, -1), -1)


def _log_slope(xp: Any, x: Any) -> Any:
    """Return the derivative of log|det x| with respect to each element."""
    return xp.transpose(xp.inv(x), -2, -1)


det.def_vjp(x=lambda xp, g, x, out: _each_matrix(xp, g * out) * _log_slope(xp, x))
det.def_jvp(x=lambda xp, g, x, out: out * xp.sum(_log_slope(xp, x) * g, axis=(-2, -1)))


@operation(samples=well_conditioned, outputs=("sign", "logabsdet"))
def slogdet(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return the sign, and the logarithm of the magnitude, of the determinant of each matrix.

    Parameters
    ----------
    x : Tensor, floating, shape (..., n, n)

    Returns
    -------
    sign, logabsdet : Tensor, shape (...)
        0 and -inf for a singular matrix. The sign has no derivative.

    Raises
    ------
    ShapeError
        If x is not square.
    """
    check_square("slogdet", x)
    sign, logarithm = xp.linalg.slogdet(wide(xp, x))
    return narrow(xp, sign, x), narrow(xp, logarithm, x)


slogdet.def_vjp(x=lambda xp, g, x: _each_matrix(xp, g[1]) * _log_slope(xp, x))
slogdet.def_jvp(x=lambda xp, g, x: [None, xp.sum(_log_slope(xp, x) * g, axis=(-2, -1))])

for _op in (inv, det, slogdet):
    _op.def_batch(leading(2))


def _solve_each(c: Call) -> Any:
    """Vectors become matrices of one column, so that leading dimensions are batches alone."""
    xp, (a, b), vector = c.xp, c.values, c.ndim(1) == 1
    b = xp.unsqueeze(b, -1) if vector else b
    most = max(c.ndim(0), c.ndim(1) + vector)
    a, b = (
        xp.reshape(x, (c.size, *(1,) * (most + 1 - x.ndim), *x.shape[1:])) if batched else x
        for x, batched in zip((a, b), c.batched, strict=True)
    )
    x = xp.solve(a, b)
    return xp.squeeze(x, axis=-1) if vector else x


solve.def_batch(_solve_each)
