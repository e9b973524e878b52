"""Chains of elementwise operations, in one pass over memory that all threads share.

The loop for a row is machine code of its own (loops.py). It knows memory by addresses; the arrays
there are held by who calls it.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...backend import address, empty
from ..dispatch import Declined
from ..programs import SINGLE, as_table
from ..threads import get_num_threads
from ..totals import total
from .arrays import Array
from .compiling import kernel, prange
from .loops import WIDTH, loop

PIECE = 4096
"""Elements that are computed at once where rows do not matter."""

LARGEST = 4096
"""Rows, about, that are added one to the other at most: rounding errors grow with their number."""


@intrinsic  # type: ignore[untyped-decorator]  # numba tells no types
def _call(typing: Any, code: Any, values: Any, out: Any, sums: Any, count: Any) -> Any:
    """Call machine code: see `Loop.address`. `values` is an array of addresses."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, real = context.get_value_type(types.int64), context.get_value_type(types.float64)
        kind = cgutils.ir.FunctionType(real, [number] * 4)
        places = context.make_array(signature.args[1])(context, builder, arguments[1]).data
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        return builder.call(function, [builder.ptrtoint(places, number), *arguments[2:]])

    return types.float64(code, values, out, sums, count), emit


@kernel
def _run(
    code: Any,
    places: Any,
    steps: Any,
    length: Any,
    elements: Any,
    out: Any,
    columns: Any,
    rows: Any,
) -> None:
    count = max(elements // length, 1)
    pieces = len(columns)
    share = (count + pieces - 1) // pieces
    for p in prange(pieces):
        now = np.empty(len(places), np.int64)
        for i in range(p * share, min(p * share + share, count)):
            for k in range(len(places)):
                now[k] = places[k] + steps[k] * i
            size = elements - i * length if i + 1 == count else length  # the last has the rest
            whole = _call(code, now, out + 4 * length * i, columns[p], size)
            if len(rows):
                rows[i] = whole


def _along(value: Array, shape: tuple[int, ...]) -> tuple[Array, bool, bool]:
    """Return what is there of a value that broadcasts, and whether it has rows and columns."""
    if value.flags.c_contiguous:  # the usual cases, without detours
        if value.shape == shape or value.size == 1:
            return value, value.size > 1, value.size > 1
        if value.shape[-1:] == shape[-1:] and value.size == shape[-1]:
            return value, False, True
        if value.shape == (*shape[:-1], 1):
            return value, True, False
    table = as_table(value, shape)
    rows, columns = (table.strides[a] != 0 and table.shape[a] > 1 for a in (0, 1))
    there = table[: None if rows else 1, : None if columns else 1]
    return np.ascontiguousarray(there), rows, columns


def compute_chain(
    steps: Array, values: list[Any], *, shape: tuple[int, ...], sums: int = 0, keep: bool = False
) -> Any:
    """See `core.kernels.programs.compute_chain`."""
    count, length = prod(shape[:-1]), shape[-1]
    elements = count * length
    held = [
        (np.full(1, value, SINGLE), False, False)
        if isinstance(value, float)
        else _along(value, shape)
        for value in values
    ]
    varying = tuple(columns for _, _, columns in held)
    flat = sums in (0, 3) and all(rows == columns or count == 1 for _, rows, columns in held)
    if flat:
        length = PIECE
    if min(length, elements) < WIDTH:
        return Declined("short rows")
    keep = keep or not sums
    count = max(elements // length, 1)
    pieces = min(max(4 * get_num_threads(), count // LARGEST if sums == 2 else 0), count)
    out = empty(shape, SINGLE) if keep else None
    rows = np.empty(count if sums in (1, 3) else 0, SINGLE)
    columns = np.zeros((pieces, length if sums == 2 else 0), SINGLE)
    code = loop(steps.tobytes(), varying, 1 if sums == 3 else sums, keep)
    _run(
        code.address,
        np.array([address(table) for table, _, _ in held], np.int64),
        np.array([4 * length if c and (r or flat) else 4 * r for _, r, c in held], np.int64),
        length,
        elements,
        address(out) if keep else 0,
        address(columns) + columns.strides[0] * np.arange(pieces),
        rows,
    )
    if not sums:
        return out
    if sums == 1:
        found = rows.reshape(shape[:-1])
    elif sums == 2:
        found = total(np, columns, axis=0)
    else:
        found = rows.sum(dtype=np.float64).astype(SINGLE)
    return (out, found) if keep else found
