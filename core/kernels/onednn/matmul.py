"""Products of matrices, and of batches of them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...backend import empty
from ..dispatch import SMALL, Declined
from .following import following, rectifies_products
from .library import library
from .memory import FIRST, Array, address, described, steps
from .primitives import BIAS, DST, SRC, WEIGHTS, Description, Primitive, prepared

LEAST = 1 << 19
"""Multiplications from which on oneDNN is quicker than NumPy: a call of it takes longer."""


def matmul(x: Array, y: Array, *, factor: float = 1.0, shape: tuple[int, ...] | None = None) -> Any:
    """See `core.kernels.products.matmul`; a product by one matrix may be given in another shape."""
    if (why := _unsupported(x, y)) is not None:
        return why
    a = x if x.ndim > 1 else x[None]
    b = y if y.ndim > 1 else y[:, None]
    if a.shape[-1] != b.shape[-2]:
        return SMALL  # the reference says what does not fit
    rows = () if x.ndim == 1 else a.shape[-2:-1]
    columns = () if y.ndim == 1 else b.shape[-1:]
    if b.ndim == 2:
        return _product(_rows(a), b, None, shape or (*a.shape[:-2], *rows, *columns), factor)
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        return SMALL
    out = _batch(a, b, batch, factor)
    return out if x.ndim > 1 else out.reshape(*out.shape[:-2], *columns)


def linear(x: Array, weight: Array, bias: Array | None = None, *, rectify: bool = False) -> Any:
    """See `core.kernels.products.linear`."""
    if (why := _unsupported(x, weight.T)) is not None:
        return why
    if weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        return SMALL
    if bias is not None:
        if bias.dtype != np.float32 or bias.shape != weight.shape[:1]:
            return Declined(f"a bias of dtype {bias.dtype} and shape {bias.shape}")
        bias = np.ascontiguousarray(bias)
    a = x if x.ndim > 1 else x[None]
    shape = (*x.shape[:-1], weight.shape[0])
    return _product(_rows(a), weight.T, bias, shape, rectify=rectify)


def _unsupported(x: Array, y: Array) -> Declined | None:
    if not x.ndim or not y.ndim or x.size * (y.shape[-1] if y.ndim > 1 else 1) < LEAST:
        return SMALL
    if x.dtype != np.float32 or y.dtype != np.float32:
        return Declined(f"dtypes {x.dtype} and {y.dtype}")
    return SMALL if not y.size else None


def _rows(a: Array) -> Array:
    """Return a batch that is multiplied by one matrix as a matrix."""
    return a if a.ndim == 2 else a.reshape(prod(a.shape[:-1]), a.shape[-1])


def _product(
    a: Array,
    b: Array,
    bias: Array | None,
    shape: tuple[int, ...],
    factor: float = 1.0,
    rectify: bool = False,
) -> Array:
    """Return a product of two matrices in a shape of as many elements: no view of anything."""
    a, b = _straight(a), _straight(b)
    (m, k), n = a.shape, b.shape[1]
    out = empty(shape, np.float32)
    if m == 1 or n == 1:
        if bias is not None:
            out[...] = bias
        _general(a, b, out, factor, 0.0 if bias is None else 1.0)
        return np.maximum(out, 0, out=out) if rectify else out
    within = rectify and rectifies_products()
    key = (m, k, n, _order(a), _order(b), bias is not None, factor, within)
    run = prepared(("matmul", *key), _of_matrices, *key)
    if bias is None:
        run(address(a), address(b), address(out))
    else:
        run(address(a), address(b), address(out), address(bias))
    return np.maximum(out, 0, out=out) if rectify and not within else out


def _batch(a: Array, b: Array, batch: tuple[int, ...], factor: float) -> Array:
    """Return products of matrices in pairs; a dimension of 1 is repeated.

    Where the matrices of b lie row between row, as heads of an attention do, so do those of the
    result; where those of the transposed a do, it is the transposed result.
    """
    shapes = [(*(1,) * (len(batch) + 2 - z.ndim), *z.shape) for z in (a, b)]
    a, b = (_straight(z.reshape(shape)) for z, shape in zip((a, b), shapes, strict=True))
    turned = not _woven(b) and _woven(a.mT)
    if turned:
        a, b = b.mT, a.mT
    shape = (*batch, a.shape[-2], b.shape[-1])
    order = _like(b, shape) if _woven(b) else steps(shape, FIRST)
    strides = tuple(4 * s for s in order)
    if turned:
        out = empty((*batch, shape[-1], shape[-2]), np.float32, (*strides[:-2], 4, strides[-2]))
    else:
        out = empty(shape, np.float32, strides)
    key = (a.shape, _order(a), b.shape, _order(b), shape, order, factor)
    run = prepared(("batched matmul", *key), _of_batches, *key)
    run(address(a), address(b), address(out))
    return out


def _woven(z: Array) -> bool:
    """Whether rows of one matrix, each without gaps, lie between those of others."""
    sizes, strides = z.shape[:-2], z.strides[:-2]
    row = z.strides[-2]
    if z.strides[-1] != 4 or z.shape[-2] == 1:
        return False
    return any(n > 1 and s < row for s, n in zip(strides, sizes, strict=True))


def _like(z: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of an array without gaps whose axes are in the order of those of z."""
    found, step = [0] * len(shape), 1
    for axis in sorted(range(z.ndim), key=lambda i: (z.strides[i], -i)):
        found[axis] = step
        step *= shape[axis]
    return tuple(found)


def _straight(z: Array) -> Array:
    """Return matrices of which rows or columns are without gaps, copied if they are not."""
    row, column = (
        s // 4 if n > 1 else 1 for s, n in zip(z.strides[-2:], z.shape[-2:], strict=True)
    )
    m, n = z.shape[-2:]
    fits = (column == 1 and row >= n) or (row == 1 and (column >= m or n == 1))
    if fits and all(s > 0 for s, n in zip(z.strides, z.shape, strict=True) if n > 1):
        return z
    return np.ascontiguousarray(z)


def _order(z: Array) -> tuple[int, ...]:
    """Return strides, in elements; a dimension of 1 has that of matrices without gaps."""
    plain = steps(z.shape, FIRST)
    return tuple(s // 4 if n > 1 else p for s, n, p in zip(z.strides, z.shape, plain, strict=True))


def _of_matrices(
    m: int,
    k: int,
    n: int,
    a: tuple[int, ...],
    b: tuple[int, ...],
    biased: bool,
    factor: float,
    rectify: bool,
) -> Primitive:
    bias = described((1, n), (n, 1)) if biased else None
    source, weights = described((m, k), a), described((k, n), b)
    target = described((m, n), (n, 1))
    with following(rectify=rectify, factor=factor) as attributes:
        made = Description("matmul", library().engine, source, weights, bias, target, attributes)
    arguments = [(SRC, source.handle), (WEIGHTS, weights.handle), (DST, target.handle)]
    if bias is not None:
        arguments.append((BIAS, bias.handle))
    return Primitive(made, arguments)


def _of_batches(
    a: tuple[int, ...],
    a_order: tuple[int, ...],
    b: tuple[int, ...],
    b_order: tuple[int, ...],
    out: tuple[int, ...],
    out_order: tuple[int, ...],
    factor: float,
) -> Primitive:
    source, weights = described(a, a_order), described(b, b_order)
    target = described(out, out_order)
    with following(factor=factor) as attributes:
        made = Description("matmul", library().engine, source, weights, None, target, attributes)
    return Primitive(made, [(SRC, source.handle), (WEIGHTS, weights.handle), (DST, target.handle)])


def _general(a: Array, b: Array, out: Array, alpha: float, beta: float) -> None:
    """Write alpha * a @ b + beta * out, of which one is a vector, into `out`.

    That is limited by memory, where oneDNN's older function for single matrices is at its best.
    """
    (m, k), n = a.shape, b.shape[1]
    (flip_a, step_a), (flip_b, step_b) = _leading(a), _leading(b)
    library().call(
        "sgemm",
        *(flip_a, flip_b, m, n, k, alpha),
        *(address(a), step_a, address(b), step_b, beta, address(out), n),
    )


def _leading(z: Array) -> tuple[bytes, int]:
    """Return whether a matrix lies by columns, as BLAS calls it, and the step between lines."""
    row, column = _order(z)
    return (b"N", row) if column == 1 else (b"T", column)
