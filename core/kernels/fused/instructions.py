"""What the machine of chains.py does for the steps of a chain: fewer instructions, few buffers.

A step whose result only one other takes becomes one instruction with it: that saves a store and a
load for each element. Results lie in as few buffers as can be, so that those of a piece stay in
the first-level cache.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .arrays import Array

MERGED = 8
"""The first code of the instructions of two steps."""

_SIMPLE = 3
"""Steps below this one, addition, subtraction and multiplication, are merged."""

_Instruction = tuple[int, int, int, int]
"""Code and operands; those with fewer than three name one again."""


@lru_cache(maxsize=512)
def instructions(steps: bytes, values: int) -> tuple[Array, int]:
    """Return the instructions for the steps that `core.kernels.chains.program` returned.

    Parameters
    ----------
    steps : bytes
        Of the array.
    values : int
        How many values there are.

    Returns
    -------
    array, shape (instructions, 5), int64
        Code, three operands, and where the result goes. Operands are numbered: first the values,
        then the buffers.
    int
        How many buffers there are.
    """
    rows: list[tuple[int, int, int]] = [
        (step, a, b) for step, a, b in np.frombuffer(steps, np.int64).reshape(-1, 3).tolist()
    ]
    return _placed(_merged(rows, values), values)


def _merged(rows: list[tuple[int, int, int]], values: int) -> dict[int, _Instruction]:
    """Return the instruction that computes each number that is left."""
    uses = [0] * (values + len(rows))
    for step, a, b in rows:
        uses[a] += 1
        uses[b] += step < 4  # others name their only operand twice
    found: dict[int, _Instruction] = {}
    for number, (step, a, b) in enumerate(rows, values):
        found[number] = step, a, b, b
        if step >= _SIMPLE:
            continue
        for inner, other, form in ((a, b, (0, 1, 3)[step]), (b, a, (0, 2, 3)[step])):
            if inner in found and uses[inner] == 1 and found[inner][0] < _SIMPLE:
                first, x, y, _ = found.pop(inner)
                found[number] = MERGED + 3 * form + first, x, y, other
                break
    return found


def _placed(found: dict[int, _Instruction], values: int) -> tuple[Array, int]:
    """Give results buffers; one that an instruction writes into is none that it reads."""
    last = {operand: number for number, row in found.items() for operand in row[1:]}
    place: dict[int, int] = {}
    free: list[int] = []
    count = 0
    table = []
    for number, (code, *operands) in found.items():
        read = [place.get(x, x) for x in operands]
        if not free:
            free.append(values + count)
            count += 1
        place[number] = free.pop()
        table.append([code, *read, place[number]])
        free += {place[x] for x in operands if x >= values and last[x] == number}
    return np.array(table, np.int64), count
