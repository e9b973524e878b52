"""Linear algebra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .registry import Array, Sample, operation


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


@operation(
    samples=lambda rng: [
        Sample(rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)),
        Sample(rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), None),
    ]
)
def linear(xp: Any, x: Array, weight: Array, bias: Array | None) -> Array:
    """Return x @ weight.T + bias.

    Parameters
    ----------
    x : Tensor, shape (..., in)
    weight : Tensor, shape (out, in)
    bias : Tensor, shape (out,), or None

    Returns
    -------
    Tensor, shape (..., out)
    """
    y = xp.matmul(x, weight.T)
    return y if bias is None else y + bias
