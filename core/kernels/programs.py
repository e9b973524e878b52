"""Programs of elementwise steps on large arrays: what computes chains.py's chains.

A program is a list of steps (step, operand, operand). Operands are numbered: first the values,
arrays or numbers, then the results of the steps, the last of which is the program's. Here is the
reference, which walks through memory in pieces that fit into a cache.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from ..backend import empty
from .blocks import BLOCK
from .dispatch import dispatched
from .totals import total

SINGLE = np.dtype(np.float32)

STEPS = ("add", "subtract", "multiply", "divide", "tanh", "exp", "sigmoid")
"""The names of NumPy's functions, and the logistic one; a program has their places in this list."""

UNARY = 4
"""The first of those that have one operand, which programs name twice."""


@dispatched("fused.chains")
def compute_chain(
    xp: Any,
    steps: ndarray[Any, Any],
    values: list[Any],
    *,
    shape: tuple[int, ...],
    sums: int = 0,
    keep: bool = False,
) -> Any:
    """Compute what `chains.program` returned.

    Parameters
    ----------
    steps : array, shape (steps, 3), int64
    values : list of array or float
        They broadcast to `shape`.
    shape : tuple of int
    sums : int
        0 for the values, 1 for their sums over the last dimension, 2 for those over all others,
        3 for their sum.
    keep : bool
        Whether to return the values beside sums.

    Returns
    -------
    array, or two arrays
        Of `shape`, or of the shape that a sum leaves.
    """
    length = shape[-1]
    count = prod(shape[:-1])
    tables = [v if isinstance(v, float) else as_table(v, shape) for v in values]
    keep = keep or not sums
    out = empty(shape, SINGLE) if keep else None
    flat: Any = None if out is None else out.reshape(count, length)
    size = max(BLOCK // max(length, 1), 1)
    columns = np.empty((-(-count // size), length if sums == 2 else 0), SINGLE)
    found = np.empty(count if sums in (1, 3) else 0, SINGLE)
    rows = steps.tolist()
    places = _places(rows, len(values))
    memory = np.empty((max(places) + 1, size, length), SINGLE)
    with np.errstate(all="ignore"):  # as the faster version, wherever it happens to run
        for start in range(0, count, size):
            stop = min(start + size, count)
            known: list[Any] = [v if isinstance(v, float) else v[start:stop] for v in tables]
            for i, (step, a, b) in enumerate(rows):
                last = keep and i + 1 == len(rows)
                target = flat[start:stop] if last else memory[places[i], : stop - start]
                if step < UNARY:
                    getattr(np, STEPS[step])(known[a], known[b], out=target)
                else:
                    _apply(STEPS[step], known[a], target)
                known.append(target)
            if sums == 2:
                columns[start // size] = total(np, known[-1], axis=0)
            elif sums:
                known[-1].sum(axis=1, out=found[start:stop])
    if not sums:
        return out
    if sums == 2:
        found = total(np, columns, axis=0)
    else:
        found = found.reshape(shape[:-1]) if sums == 1 else found.sum()
    return (out, found) if keep else found


def _places(rows: list[list[int]], values: int) -> list[int]:
    """Return which buffer each step writes into: few, since one that is done with serves again.

    A step may write over what it reads, element by element.
    """
    last = {operand: i for i, row in enumerate(rows) for operand in row[1:]}
    places: list[int] = []
    free: list[int] = []
    for i, (_, a, b) in enumerate(rows):
        free += [places[x - values] for x in {a, b} if x >= values and last[x] == i]
        places.append(free.pop() if free else max(places, default=-1) + 1)
    return places


def _apply(name: str, x: Any, out: Any) -> None:
    if name != "sigmoid":
        getattr(np, name)(x, out=out)
        return
    np.exp(np.negative(x, out=out), out=out)  # where it is infinite, the result is 0
    np.divide(1, np.add(out, 1, out=out), out=out)


def as_table(value: Any, shape: tuple[int, ...]) -> Any:
    """Return an array broadcast to `shape` as a 2-D view, copied only where that cannot be."""
    table = np.broadcast_to(value, shape)
    wanted = (prod(shape[:-1]), shape[-1])
    if len(shape) == 2:
        return table
    if value.size == 1:
        return np.broadcast_to(value.reshape(1, 1), wanted)
    if value.shape[:-1] == (1,) * (value.ndim - 1) or value.ndim == 1:
        return np.broadcast_to(value.reshape(1, -1), wanted)
    if value.ndim == len(shape) and value.shape[-1] == 1 and value.shape[:-1] == shape[:-1]:
        return np.broadcast_to(value.reshape(-1, 1), wanted)
    return table.reshape(wanted)
