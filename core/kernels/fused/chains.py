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
from .functions import exp, sigmoid, tanh
from .instructions import instructions
from .reductions import total

PIECE = 1024
"""Elements of a piece."""

GAP = 48
"""Elements between pieces: processors tell addresses that are written and read apart by their
last 12 bits."""

SHORTEST = 16
"""Elements of rows from which on it is worth to go row by row."""

_NOTHING = np.empty(0, SINGLE)

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
def _apply(code: Any, a: Any, b: Any, c: Any, target: Any, size: Any) -> None:
    """Execute an instruction: see instructions.py for the codes."""
    x, y, z = carray(_at(a), size), carray(_at(b), size), carray(_at(c), size)
    out = carray(_at(target), size)
    if code == 0:
        for j in range(size):
            out[j] = x[j] + y[j]
    elif code == 1:
        for j in range(size):
            out[j] = x[j] - y[j]
    elif code == 2:
        for j in range(size):
            out[j] = x[j] * y[j]
    elif code == 3:
        for j in range(size):
            out[j] = x[j] / y[j]
    elif code == 4:
        for j in range(size):
            out[j] = tanh(x[j])
    elif code == 5:
        for j in range(size):
            out[j] = exp(x[j])
    elif code == 6:
        for j in range(size):
            out[j] = sigmoid(x[j])
    elif code == 8:
        for j in range(size):
            out[j] = (x[j] + y[j]) + z[j]
    elif code == 9:
        for j in range(size):
            out[j] = (x[j] - y[j]) + z[j]
    elif code == 10:
        for j in range(size):
            out[j] = (x[j] * y[j]) + z[j]
    elif code == 11:
        for j in range(size):
            out[j] = (x[j] + y[j]) - z[j]
    elif code == 12:
        for j in range(size):
            out[j] = (x[j] - y[j]) - z[j]
    elif code == 13:
        for j in range(size):
            out[j] = (x[j] * y[j]) - z[j]
    elif code == 14:
        for j in range(size):
            out[j] = z[j] - (x[j] + y[j])
    elif code == 15:
        for j in range(size):
            out[j] = z[j] - (x[j] - y[j])
    elif code == 16:
        for j in range(size):
            out[j] = z[j] - (x[j] * y[j])
    elif code == 17:
        for j in range(size):
            out[j] = (x[j] + y[j]) * z[j]
    elif code == 18:
        for j in range(size):
            out[j] = (x[j] - y[j]) * z[j]
    elif code == 19:
        for j in range(size):
            out[j] = (x[j] * y[j]) * z[j]


@helper
def _add(target: Any, a: Any, size: Any) -> None:
    out, x = carray(_at(target), size), carray(_at(a), size)
    for j in range(size):
        out[j] += x[j]


@helper
def _fill(target: Any, source: Any, size: Any) -> None:
    out, value = carray(_at(target), size), carray(_at(source), 1)[0]
    for j in range(size):
        out[j] = value


@kernel
def _run(
    places: Any,
    kinds: Any,
    codes: Any,
    buffers: Any,
    elements: Any,
    length: Any,
    sums: Any,
    keep: Any,
    out: Any,
    found: Any,
    parts: Any,
) -> None:
    count = (elements + length - 1) // length
    pieces = parts.shape[0]
    share = (count + pieces - 1) // pieces
    first = len(places)
    width = min(PIECE, length)
    end = len(codes) - 1
    for p in prange(pieces):
        # Pieces a multiple of 4096 bytes apart would make the processor wait: see `GAP`.
        memory = np.empty((first + buffers, width + GAP), np.float32)
        now = np.empty(first + buffers, np.int64)
        for k in range(first + buffers):
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
                last = now[codes[end, 4]]
                if keep:
                    last = out.ctypes.data + 4 * (i * length + start)
                for s in range(end + 1):
                    target = last if s == end else now[codes[s, 4]]
                    _apply(
                        codes[s, 0],
                        now[codes[s, 1]],
                        now[codes[s, 2]],
                        now[codes[s, 3]],
                        target,
                        size,
                    )
                if sums == 1:
                    whole += total(carray(_at(last), size))
                elif sums == 2:
                    _add(parts.ctypes.data + 4 * (p * length + start), last, size)
            if sums == 1:
                found[i] = whole


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
    steps: Array, values: list[Any], *, shape: tuple[int, ...], sums: int = 0, keep: bool = False
) -> Any:
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
    if sums in (0, 3) and all(kind in (ALL, NUMBER) for _, kind in held):
        length = PIECE
        count = -(-elements // length)
    elif length < SHORTEST:
        return Declined("short rows")
    keep = keep or not sums
    parts = np.empty((min(4 * get_num_threads(), count), length if sums == 2 else 1), SINGLE)
    out = empty(shape, SINGLE) if keep else _NOTHING
    found = np.empty(count if sums in (1, 3) else 0, SINGLE)
    codes, buffers = instructions(steps.tobytes(), len(values))
    kind = 1 if sums == 3 else sums
    _run(places, kinds, codes, buffers, elements, length, kind, keep, out.reshape(-1), found, parts)
    if not sums:
        return out
    if sums == 1:
        found = found.reshape(shape[:-1])
    else:
        found = parts.sum(axis=0) if sums == 2 else found.sum(dtype=np.float64).astype(SINGLE)
    return (out, found) if keep else found
