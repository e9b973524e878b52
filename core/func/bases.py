"""All directions of several tensors at once, and Jacobians cut into what belongs to each."""

from __future__ import annotations

from collections.abc import Sequence

from .. import backend
from ..tensor import Tensor


def basis(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return one direction for each element of all tensors.

    Returns
    -------
    list of Tensor, shape (total, *shape)
        For each tensor; direction k is 1 in element k of all, counted one after the other.
    """
    total = sum(x.size for x in tensors)
    found, start = [], 0
    for x in tensors:
        xp = backend.library_of(x.array)
        rows = xp.zeros((total, x.size), dtype=backend.innermost(x.array).dtype)
        rows[start : start + x.size] = xp.eye(x.size, dtype=rows.dtype)
        found.append(Tensor(rows.reshape((total, *x.shape))))
        start += x.size
    return found


def blocks(rows: Tensor, tensors: Sequence[Tensor], axis: int = 0) -> list[Tensor]:
    """Return the rows (along `axis`) that belong to each tensor, in the order of `basis`."""
    found, start = [], 0
    for x in tensors:
        found.append(rows.narrow(axis, start, x.size))
        start += x.size
    return found
