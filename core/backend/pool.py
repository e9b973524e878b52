"""Memory that is used again: where the outputs of kernels live.

The operating system hands out new memory page by page, at the first write to each, which for
large arrays takes longer than the arithmetic. So a block whose last array has gone is kept for
the next output of its size. Together the blocks never cover more than the arrays that were
alive at once at some time, so that keeping them does not raise the peak.

Only arrays that `empty` makes are pooled; the allocator of the process is left alone.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from threading import RLock
from typing import Any

import numpy as np
from numpy import ndarray

SMALLEST = 1 << 17
"""Bytes from which on arrays are pooled: glibc's malloc keeps smaller ones by itself."""

_ALIGNMENT = 64  # one cache line, and the widest vector register
_STEPS = 8  # sizes of blocks between one power of two and the next


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """What the pool of output buffers holds.

    Parameters
    ----------
    used : int
        Bytes of blocks that arrays live in.
    kept : int
        Bytes of blocks that wait for an array.
    peak : int
        The largest `used` so far; `used` + `kept` is never more.
    requests, reused : int
        How many arrays were asked for, and how many found a block that was there.
    """

    used: int
    kept: int
    peak: int
    requests: int
    reused: int


class Memory(ndarray):
    """The memory of a block, aligned.

    It has a class of its own because NumPy makes the base of an array's base its base, if that
    is a plain array.
    """


class Loan(ndarray):
    """A block while arrays view it; that they have all gone is known by its end."""

    def __del__(self) -> None:
        if type(self.base) is Memory:  # a slice of a loan, which nobody makes, would not be one
            POOL.take_back(self.base)


class Pool:
    """Blocks of memory by size."""

    def __init__(self) -> None:
        # Taking back may happen anywhere, at the end of any array: also while the lock is held.
        self._lock = RLock()
        self._free: defaultdict[int, list[Memory]] = defaultdict(list)
        self._used = self._kept = self._peak = self._requests = self._reused = 0

    def after_fork(self) -> None:
        """Go on in a child process: what waits is its parent's, and so may the lock be."""
        self._lock = RLock()
        self._free.clear()
        self._kept = 0

    def lend(self, size: int) -> Loan:
        """Return a block of at least `size` bytes; its contents are arbitrary."""
        size = _rounded(size)
        with self._lock:
            self._requests += 1
            self._used += size
            self._peak = max(self._peak, self._used)
            blocks = self._free[size]
            if blocks:
                self._reused += 1
                self._kept -= size
                return blocks.pop().view(Loan)
            self._shrink(self._peak - self._used)
        try:
            return _new_memory(size).view(Loan)
        except MemoryError:
            with self._lock:
                self._used -= size
            self.release()
            raise

    def take_back(self, memory: Memory) -> None:
        """Keep a block whose last array has gone."""
        with self._lock:
            self._used -= memory.nbytes
            self._kept += memory.nbytes
            self._free[memory.nbytes].append(memory)

    def release(self) -> None:
        """Return the memory of all blocks that wait to the operating system."""
        with self._lock:
            self._shrink(0)

    def stats(self) -> MemoryStats:
        """Return what the pool holds."""
        with self._lock:
            return MemoryStats(self._used, self._kept, self._peak, self._requests, self._reused)

    def _shrink(self, limit: int) -> None:
        """Give up blocks, those of the size not used for longest first, down to `limit` bytes."""
        for size in [*self._free] if self._kept > limit else ():
            blocks = self._free[size]
            while blocks and self._kept > limit:
                blocks.pop()
                self._kept -= size
            if not blocks:
                del self._free[size]


def _rounded(size: int) -> int:
    """Return the size of the block for `size` bytes, at most an eighth more."""
    step = max((1 << (size - 1).bit_length() - 1) // _STEPS, _ALIGNMENT)
    return -(-size // step) * step


def _new_memory(size: int) -> Memory:
    whole = np.empty(size + _ALIGNMENT, np.uint8)
    start = -whole.ctypes.data % _ALIGNMENT
    return whole[start : start + size].view(Memory)


POOL = Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.after_fork)


def empty(shape: Sequence[int], dtype: Any, strides: Sequence[int] | None = None) -> Any:
    """Return a new NumPy array with arbitrary contents, in pooled memory if it is large.

    Parameters
    ----------
    shape : sequence of int
    dtype : dtype
    strides : sequence of int, optional
        Bytes between neighbours in each dimension, of an array without gaps; by default
        row-major.

    Returns
    -------
    ndarray
        `holds_alone` is true of it. When it and all views of it have gone, its memory is
        used again.
    """
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < SMALLEST:
        return ndarray(shape, dtype, strides=strides)
    return ndarray(shape, dtype, POOL.lend(size), 0, strides)


def holds_alone(array: ndarray[Any, Any]) -> bool:
    """Whether `array` has memory of its own and is no view of another array."""
    base = array.base
    return base is None or type(base) is Loan


def memory_stats() -> MemoryStats:
    """Return how much memory the pool of output buffers uses, keeps and reuses."""
    return POOL.stats()
