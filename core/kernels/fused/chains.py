"""Chains of elementwise operations, by a small machine that computes a row at a time.

A program is interpreted, not compiled: its steps work on pieces of rows that stay in the
first-level cache, where a step costs less than a pass over memory by far. The machine knows
memory by addresses; the arrays there are held by who calls it.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from ...backend import address, empty
from ..chains import SINGLE, as_table
from ..dispatch import Declined
from ..threads import get_num_threads
from .arrays import Array
from .compiling import helper, kernel, prange
from .reductions import total

PIECE = 1024
"""Elements of a piece."""

GAP = 48
"""Elements between pieces: processors tell addresses that are written and read apart by their
last 12 bits."""

SHORTEST = 16
"""Elements of rows from which on it is worth to go row by row."""

ALL, ROW, COLUMN, NUMBER = range(4)
"""What is there of a value that is broadcast."""


@intrinsic  # type: ignore[untyped-decorator]  # numba tells no types
def _at(typing: Any, place: Any) -> Any:
    """Return the pointer to float32 at an address."""
    pointer = types.CPointer(types.float32)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(place), code


@helper
def _apply(step: Any, a: Any, b: Any, target: Any, size: Any) -> None:
    x, y, out = carray(_at(a), size), carray(_at(b), size), carray(_at(target), size)
    if step == 0:
        for j in range(size):
            out[j] = x[j] + y[j]
    elif step == 1:
        for j in range(size):
            out[j] = x[j] - y[j]
    elif step == 2:
        for j in range(size):
            out[j] = x[j] * y[j]
    else:
        for j in range(size):
            out[j] = x[j] / y[j]


@helper
def _fill(target: Any, source: Any, size: Any) -> None:
    out, value = carray(_at(target), size), carray(_at(source), 1)[0]
    for j in range(size):
        out[j] = value


@kernel
def _run(
    places: Any,
    kinds: Any,
    steps: Any,
    elements: Any,
    length: Any,
    sums: Any,
    out: Any,
    parts: Any,
) -> None:
    count = (elements + length - 1) // length
    pieces = parts.shape[0]
    share = (count + pieces - 1) // pieces
    first = len(places)
    width = min(PIECE, length)
    for p in prange(pieces):
        # Pieces a multiple of 4096 bytes apart would make the processor wait: see `GAP`.
        memory = np.empty((first + len(steps), width + GAP), np.float32)
        now = np.empty(first + len(steps), np.int64)
        for k in range(first + len(steps)):
            now[k] = memory.ctypes.data + 4 * (width + GAP) * k
            if k < first and kinds[k] == NUMBER:
                _fill(now[k], places[k], width)
        if sums == 2:
            for j in range(length):
                parts[p, j] = 0
        for i in range(p * share, min(p * share + share, count)):
            whole = 0.0
            for k in range(first):
                if kinds[k] == COLUMN:
                    _fill(now[k], places[k] + 4 * i, width)
            here = min(length, elements - i * length)  # the last row may be shorter
            for start in range(0, here, width):
                size = min(width, here - start)
                for k in range(first):
                    if kinds[k] == ALL:
                        now[k] = places[k] + 4 * (i * length + start)
                    elif kinds[k] == ROW:
                        now[k] = places[k] + 4 * start
                for s in range(len(steps)):
                    target = now[first + s]
                    if sums == 0 and s + 1 == len(steps):
                        target = out.ctypes.data + 4 * (i * length + start)
                    _apply(steps[s, 0], now[steps[s, 1]], now[steps[s, 2]], target, size)
                last = now[first + len(steps) - 1]
                if sums == 1:
                    whole += total(carray(_at(last), size))
                elif sums == 2:
                    target = parts.ctypes.data + 4 * (p * length + start)
                    _apply(0, target, last, target, size)
            if sums == 1:
                out[i] = whole


def _kind(value: Array, count: int, length: int) -> tuple[Array, int]:
    """Return what is there of a table that is broadcast, without gaps, and its kind."""
    rows = value.strides[0] != 0 and count > 1
    columns = value.strides[1] != 0 and length > 1
    if rows and columns:
        return np.ascontiguousarray(value), ALL
    if columns:
        return np.ascontiguousarray(value[:1]), ROW
    if rows:
        return np.ascontiguousarray(value[:, :1]), COLUMN
    return np.ascontiguousarray(value[:1, :1]), NUMBER


def compute_chain(
    steps: Array, values: list[Any], *, shape: tuple[int, ...], sums: int = 0
) -> Array | Declined:
    """See `core.kernels.chains.compute_chain`."""
    count, length = prod(shape[:-1]), shape[-1]
    elements = count * length
    if not elements:
        return Declined("nothing to compute")
    held = [
        (np.full((1, 1), value, SINGLE), NUMBER)
        if isinstance(value, float)
        else _kind(as_table(value, shape), count, length)
        for value in values
    ]
    places = np.array([address(table) for table, _ in held], np.int64)
    kinds = np.array([kind for _, kind in held], np.int64)
    if not sums and all(kind in (ALL, NUMBER) for _, kind in held):
        length = PIECE
        count = -(-elements // length)
    elif length < SHORTEST:
        return Declined("short rows")
    parts = np.empty((min(4 * get_num_threads(), count), length if sums == 2 else 1), SINGLE)
    out = empty(shape[:-1] if sums else shape, SINGLE)
    _run(places, kinds, steps, elements, length, sums, out.reshape(-1), parts)
    return parts.sum(axis=0) if sums == 2 else out
