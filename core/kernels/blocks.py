"""Arrays in blocks that fit into a cache, for references that NumPy computes.

NumPy makes a pass over memory for each operation. Of a block what comes between is still in the
cache at the next, and takes no memory of its size. On a GPU there are no blocks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from ..backend import empty
from .checks import Array

BLOCK = 1 << 16
"""Elements of a block."""

LEAST = 16 * BLOCK
"""Elements from which on `in_blocks` and `row_blocks` make blocks: calls take time, too."""

_ROWS = 1 << 17
"""Elements of rows that `row_blocks` takes together."""

F = TypeVar("F", bound=Callable[..., Any])


def blocks(xp: Any, *arrays: Array | None) -> Iterator[tuple[Any, ...]]:
    """Yield the same block of each array, all of them at once where they cannot be cut.

    Parameters
    ----------
    *arrays : array or None
        All of one shape.
    """
    given = [a for a in arrays if a is not None]
    if xp is not np or given[0].size <= BLOCK or not all(a.flags.c_contiguous for a in given):
        yield arrays
        return
    lines = [None if a is None else a.reshape(-1) for a in arrays]
    for start in range(0, given[0].size, BLOCK):
        yield tuple(None if a is None else a[start : start + BLOCK] for a in lines)


def row_blocks(x: Array) -> Iterator[slice]:
    """Yield slices of the first axis, all of it at once for small arrays and on a GPU."""
    rows, step = x.shape[0], x.shape[0]
    if type(x) is ndarray and x.size >= LEAST:
        step = max(_ROWS * rows // x.size, 1)
    for start in range(0, rows, max(step, 1)):
        yield slice(start, min(start + step, rows))


def in_blocks(compute: F) -> F:
    """Decorate `compute(xp, arrays..., params...)`, which is elementwise, to go by blocks.

    It does so for large NumPy arrays of one shape in row-major order.
    """

    @functools.wraps(compute)
    def call(xp: Any, *given: Any) -> Any:
        arrays = [a for a in given if type(a) is ndarray]
        if not arrays or arrays[0].size < LEAST or not all(_like(a, arrays[0]) for a in arrays):
            return compute(xp, *given)
        lines = [a.reshape(-1) if type(a) is ndarray else a for a in given]
        out = None
        for start in range(0, arrays[0].size, BLOCK):
            place = slice(start, start + BLOCK)
            part = compute(xp, *[a[place] if type(a) is ndarray else a for a in lines])
            if out is None:
                out = empty(arrays[0].shape, part.dtype)
            out.reshape(-1)[place] = part
        return out

    chosen: Any = call
    return chosen  # type: ignore[no-any-return]


def _like(array: Array, other: Array) -> bool:
    return bool(array.shape == other.shape and array.flags.c_contiguous)
