"""Linear systems, factorisations and eigenvalues, by the LAPACK routines that Torch7 calls.

Results have Torch7's memory layout: LAPACK's matrices are column after column, which a
row-major tensor shows as its transpose. Source: torch7 lib/TH/generic/THTensorLapack.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor

from .errors import BadArgument, TorchError
from .functions import FLOATING, described
from .memory import Array, dims, set_to, shape, store, values, view


def _routine(name: str, like: Array) -> Callable[..., Any]:
    from scipy.linalg import lapack  # takes longer to import than all else

    return lapack.get_lapack_funcs((name,), (like,))[0]  # type: ignore[no-any-return]


def _columns(res: Tensor, matrix: Array, rows: int = -1, cols: int = -1) -> None:
    """Make `res` view the first rows and columns of memory that holds a matrix by columns."""
    total, across = matrix.shape
    flat = np.asfortranarray(matrix, res.dtype).ravel(order="F").copy()
    sizes = (total if rows < 0 else rows, across if cols < 0 else cols)
    set_to(res, view(Storage(flat), 0, sizes, (1, total)))


def _matrix(a: Tensor, position: int = 1, text: str = "A should be 2 dimensional") -> Array:
    if dims(a) != 2:
        raise BadArgument(position, text)
    return values(a)


def _square(a: Tensor) -> Array:
    matrix = _matrix(a)
    if matrix.shape[0] != matrix.shape[1]:
        raise BadArgument(1, "A should be square")
    return matrix


def _system(b: Tensor, a: Tensor, square: bool = True) -> tuple[Array, Array]:
    """Return A and B of a system, B with columns; checked as Torch7 does."""
    if dims(a) != 2:
        raise BadArgument(2, f"A should have 2 dimensions, but has {dims(a)}")
    if dims(b) not in (1, 2):
        raise BadArgument(1, f"B should have 1 or 2 dimensions, but has {dims(b)}")
    m, n = shape(a)
    if square and m != n:
        raise BadArgument(2, f"A should be square, but is {m}x{n}")
    if m != shape(b)[0]:
        raise BadArgument(2, f"A,B size incompatible - A has {m} rows, B has {shape(b)[0]}")
    return values(a), values(b).reshape(m, -1)


def _lapack(name: str, *texts: str) -> Callable[[Any], Any]:
    """Register with the results given, or all new ones."""
    forms = []
    for text in texts:
        given = text.replace("=new", "")
        forms += [given, text]
    return described(name, *forms, types=FLOATING, forms="function")


@_lapack("gesv", "*rb=new *ra=new b a")
def gesv(rb: Tensor, ra: Tensor, b: Tensor, a: Tensor) -> None:
    """X of A X = B, and the LU factors of A."""
    lhs, rhs = _system(b, a)
    lu, _, x, info = _routine("gesv", lhs)(lhs, rhs)
    if info > 0:
        raise TorchError(f"Lapack Error in gesv : U({info},{info}) is zero, singular U.")
    _columns(rb, x)
    _columns(ra, lu)


@_lapack("trtrs", "*rb=new *ra=new b a uplo:{U,L}=U trans:{N,T}=N diag:{N,U}=N")
def trtrs(rb: Tensor, ra: Tensor, b: Tensor, a: Tensor, uplo: str, trans: str, diag: str) -> None:
    """X of A X = B for a triangular A, and A."""
    lhs, rhs = _system(b, a)
    x, info = _routine("trtrs", lhs)(
        lhs, rhs, lower=uplo == "L", trans=trans == "T", unitdiag=diag == "U"
    )
    if info > 0:
        raise TorchError(f"Lapack Error in trtrs : A({info},{info}) is zero, singular A")
    _columns(rb, x)
    _columns(ra, lhs)


@_lapack("gels", "*rb=new *ra=new b a")
def gels(rb: Tensor, ra: Tensor, b: Tensor, a: Tensor) -> None:
    """X that makes A X nearest to B, and the QR or LQ factors of A."""
    lhs, rhs = _system(b, a, square=False)
    m, n = lhs.shape
    padded = np.zeros((max(m, n), rhs.shape[1]), rhs.dtype)
    padded[:m] = rhs
    factors, x, info = _routine("gels", lhs)(lhs, padded)
    if info > 0:
        raise TorchError(
            f"Lapack Error in gels : The {info}-th diagonal element of the triangular factor of "
            "A is zero"
        )
    _columns(rb, x, rows=n)
    _columns(ra, factors)


@_lapack("symeig", "*re=new *rv=new a job:{N,V}=N uplo:{U,L}=U")
def symeig(re: Tensor, rv: Tensor, a: Tensor, job: str, uplo: str) -> None:
    """Eigenvalues in ascending order, and eigenvectors, of a symmetric matrix."""
    matrix = _square(a)
    w, v, info = _routine("syev", matrix)(matrix, compute_v=job == "V", lower=uplo == "L")
    if info > 0:
        raise TorchError(
            f"Lapack Error syev : {info} off-diagonal elements didn't converge to zero"
        )
    store(re, w, "symeig")
    _columns(rv, v)


@_lapack("eig", "*re=new *rv=new a job:{N,V}=N")
def eig(re: Tensor, rv: Tensor, a: Tensor, job: str) -> None:
    """Eigenvalues as rows of real and imaginary part, and right eigenvectors."""
    matrix = _square(a)
    real, imag, _, vectors, info = _routine("geev", matrix)(
        matrix, compute_vl=False, compute_vr=job == "V"
    )
    if info > 0:
        raise TorchError(
            f" Lapack Error in geev : {info} off-diagonal elements of an didn't converge to zero"
        )
    store(re, np.stack([real, imag], axis=1), "eig")
    if job == "V":
        _columns(rv, vectors)


@_lapack("svd", "*ru=new *rs=new *rv=new a job:{A,S}=S")
def svd(ru: Tensor, rs: Tensor, rv: Tensor, a: Tensor, job: str) -> None:
    """U, S and V of A = U diag(S) V'."""
    matrix = _matrix(a)
    u, s, vt, info = _routine("gesvd", matrix)(matrix, full_matrices=job == "A")
    if info > 0:
        raise TorchError(f" Lapack Error gesvd : {info} superdiagonals failed to converge.")
    _columns(ru, u)
    store(rs, s, "svd")
    set_to(rv, Tensor._wrap(np.ascontiguousarray(vt.T)))


@_lapack("inverse", "*ra=new a")
def inverse(ra: Tensor, a: Tensor) -> None:
    """Compute the inverse of a square matrix."""
    matrix = _square(a)
    lu, pivots, info = _routine("getrf", matrix)(matrix)
    if info == 0:
        found, info = _routine("getri", matrix)(lu, pivots)
    if info > 0:
        raise TorchError(f"Lapack Error getri : U({info},{info}) is 0, U is singular")
    _columns(ra, found)


@_lapack("potrf", "*ra=new a uplo:{U,L}=U")
def potrf(ra: Tensor, a: Tensor, uplo: str) -> None:
    """Compute the Cholesky factor of a symmetric matrix."""
    matrix = _square(a)
    factor, info = _routine("potrf", matrix)(matrix, lower=uplo == "L", clean=True)
    if info > 0:
        raise TorchError(
            f"Lapack Error in potrf : the leading minor of order {info} is not positive definite"
        )
    _columns(ra, factor)


@_lapack("potrs", "*rb=new b a uplo:{U,L}=U")
def potrs(rb: Tensor, b: Tensor, a: Tensor, uplo: str) -> None:
    """X of A X = B from the Cholesky factor of A."""
    factor, rhs = _system(b, a)
    x, info = _routine("potrs", factor)(factor, rhs, lower=uplo == "L")
    if info > 0:
        raise TorchError(f"Lapack Error in potrs : A({info},{info}) is zero, singular A")
    _columns(rb, x)


@_lapack("potri", "*ra=new a uplo:{U,L}=U")
def potri(ra: Tensor, a: Tensor, uplo: str) -> None:
    """Compute the inverse of A from its Cholesky factor."""
    factor = _square(a)
    lower = uplo == "L"
    found, info = _routine("potri", factor)(factor, lower=lower)
    if info > 0:
        raise TorchError(f"Lapack Error potri : A({info},{info}) is 0, A cannot be factorized")
    half = np.tril(found) if lower else np.triu(found)
    _columns(ra, half + half.T - np.diag(np.diag(half)))


@_lapack("pstrf", "*ra=new *piv:IntTensor=new a uplo:{U,L}=U tol:real=-1")
def pstrf(ra: Tensor, piv: Tensor, a: Tensor, uplo: str, tol: float) -> None:
    """Compute the Cholesky factor with pivots, and the order of the pivots."""
    matrix = _square(a)
    lower = uplo == "L"
    factor, pivots, _, info = _routine("pstrf", matrix)(matrix, lower=lower, tol=tol)
    if info > 0:
        raise TorchError(
            "Lapack Error pstrf : matrix is rank deficient or not positive semidefinite"
        )
    _columns(ra, np.tril(factor) if lower else np.triu(factor))
    store(piv, pivots, "pstrf")


@_lapack("geqrf", "*ra=new *tau=new a")
def geqrf(ra: Tensor, tau: Tensor, a: Tensor) -> None:
    """Compute the QR factors as LAPACK packs them."""
    matrix = _matrix(a)
    packed, scale, _, _ = _routine("geqrf", matrix)(matrix)
    _columns(ra, packed)
    store(tau, scale, "geqrf")


@_lapack("qr", "*q=new *r=new a")
def qr(q: Tensor, r: Tensor, a: Tensor) -> None:
    """Q and R of A = Q R, of min(m, n) columns."""
    matrix = _matrix(a)
    m, n = matrix.shape
    k = min(m, n)
    packed, scale, _, _ = _routine("geqrf", matrix)(matrix)
    upper = np.triu(packed[:k])
    made, _, _ = _routine("orgqr", matrix)(packed[:, :k], scale)
    store(r, upper, "qr")
    _columns(q, np.pad(made, ((0, 0), (0, n - k))), cols=k)


@_lapack("orgqr", "*ra=new a tau")
def orgqr(ra: Tensor, a: Tensor, tau: Tensor) -> None:
    """Q from the packed factors of `geqrf`."""
    packed = _matrix(a)
    found, _, info = _routine("orgqr", packed)(packed[:, : min(packed.shape)], values(tau))
    if info:
        raise TorchError(f" Lapack Error orgqr : unknown Lapack error. info = {info}")
    _columns(ra, found)


@_lapack("ormqr", "*ra=new a tau c side:{L,R}=L trans:{N,T}=N")
def ormqr(ra: Tensor, a: Tensor, tau: Tensor, c: Tensor, side: str, trans: str) -> None:
    """Compute the product of Q from `geqrf`, or its transpose, with a matrix."""
    packed, other = _matrix(a), _matrix(c)
    routine = _routine("ormqr", packed)
    _, work, _ = routine(side, trans, packed, values(tau), other, lwork=-1)
    found, _, info = routine(side, trans, packed, values(tau), other, lwork=int(work[0]))
    if info:
        raise TorchError(f" Lapack Error ormqr : unknown Lapack error. info = {info}")
    _columns(ra, found)
