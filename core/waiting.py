"""Results that wait: what is known of them below tensors.

On the way forward a recorded elementwise operation on a large array may return a tensor whose
values are a chain (kernels/chains.py), which is computed when they are needed. It reads one array
in *private* memory: memory that tensors, graphs and chains know, and nobody who could write into it
without asking for it first. Private memory is marked in its cell (autograd/versions.py) when it
is made; whatever hands out an array takes the mark away for good, and before that computes all that
waits. So nothing that waits can miss a write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary

from .autograd.versions import Cell, next_order
from .kernels.chains import LARGE, Chain
from .kernels.programs import SINGLE
from .kernels.under_way import await_others

PRIVATE = "private"
"""The mark in a cell."""

WAITING: WeakValueDictionary[int, Chain] = WeakValueDictionary()
"""The chains of tensors since all were last computed, in the order of their making."""

_lock = RLock()


def private_cell(array: Any) -> Cell:
    """Return the cell for memory that was made just now: marked if chains may begin there."""
    if array.nbytes >= LARGE * SINGLE.itemsize and array.dtype is SINGLE:
        return {"count": 0, PRIVATE: True}
    return {}


def wait(chain: Chain, cells: Iterable[Cell]) -> bool:
    """Let `chain`, which reads the memory of `cells`, wait if all that is private; return that."""
    with _lock:
        if not all(PRIVATE in cell for cell in cells):
            return False
        WAITING[next_order()] = chain
        return True


def one_at_a_time() -> Any:
    """Return a context manager in which one thread at a time brings memory up to date."""
    return _lock


def hand_out(cell: Cell) -> None:
    """Compute all that waits, since memory of this cell gets known to others."""
    with _lock:
        for found in WAITING.valuerefs():
            chain = found()
            if chain is not None:
                chain.evaluated()
        WAITING.clear()
        cell.pop(PRIVATE, None)
    await_others()  # who are at such a chain read what it was made of


def _after_fork() -> None:
    """Go on in a child process, whose parent may have held the lock."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
