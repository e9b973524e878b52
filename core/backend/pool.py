"""Memory that is used again: where the outputs of kernels live.

The operating system hands out new memory page by page, at the first write to each, which for
large arrays takes longer than the arithmetic. So memory whose last array has gone is kept for the
next outputs: the smallest piece that is large enough is cut, and pieces side by side become one
again. New memory is asked for where no piece is large enough; then what waits is given up as far
as all would cover more than the arrays that were alive at once at some time. So keeping it
hardly raises the peak: only by what waits beside arrays that are alive.

Only arrays that `empty` makes are pooled; the allocator of the process is left alone.
"""

from __future__ import annotations

import os
from bisect import bisect_left, insort
from collections import deque
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
        Bytes that arrays live in.
    kept : int
        Bytes that wait for an array.
    peak : int
        The largest `used` so far.
    requests, reused : int
        How many arrays were asked for, and how many found memory that was there.
    """

    used: int
    kept: int
    peak: int
    requests: int
    reused: int


class Memory(ndarray):
    """The memory of a chunk, aligned.

    It has a class of its own because NumPy makes the base of an array's base its base, if that
    is a plain array.
    """


class Piece:
    """A part of a chunk of memory that one array lives in, or none.

    Attributes
    ----------
    chunk : Memory
        Memory that was asked of the operating system at once.
    start, size : int
        Where in it, in bytes.
    number : int
        Of its waiting for an array; 0 if one lives in it.
    before, after : Piece or None
        The neighbours in the chunk; of two neighbours at most one waits.
    """

    __slots__ = ("after", "before", "chunk", "number", "size", "start")

    def __init__(self, chunk: Memory, start: int, size: int) -> None:
        self.chunk = chunk
        self.start = start
        self.size = size
        self.number = 0
        self.before: Piece | None = None
        self.after: Piece | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all of its chunk."""
        return self.before is None and self.after is None

    def cut(self, size: int) -> Piece:
        """Keep the first `size` bytes, and return the rest, which becomes a piece of its own."""
        rest = Piece(self.chunk, self.start + size, self.size - size)
        rest.before, rest.after = self, self.after
        if self.after is not None:
            self.after.before = rest
        self.after, self.size = rest, size
        return rest

    def join(self) -> None:
        """Become one with the piece after this one."""
        other = self.after
        assert other is not None
        self.size += other.size
        self.after = other.after
        if other.after is not None:
            other.after.before = self


class Loan(ndarray):
    """A piece of memory while arrays view it; that they have all gone is known by its end."""

    lent: tuple[Pool, object, Piece] | None = None

    def __del__(self) -> None:
        if self.lent is not None:  # a slice of a loan, which nobody makes, is none
            pool, process, piece = self.lent
            pool.take_back(process, piece)


class Pool:
    """Chunks of memory, and what of them waits for arrays."""

    def __init__(self) -> None:
        # At any point a signal handler or the end of any array may ask for memory or bring some
        # back, in the thread that has the lock, too: that is what `_busy` tells.
        self._lock = RLock()
        self._busy = False
        self._process = object()
        self._returned: deque[Piece] = deque()
        # Sorted by size, of one size the last to come first; its number tells any two apart.
        self._free: list[tuple[int, int, Piece]] = []
        self._last = 0
        self._used = self._total = self._peak = self._requests = self._reused = 0

    def after_fork(self) -> None:
        """Begin anew in a child process: what waits is its parent's, and so may the lock be."""
        Pool.__init__(self)

    def lend(self, size: int) -> Loan:
        """Return a block of at least `size` bytes; its contents are arbitrary."""
        size = _rounded(size)
        with self._lock:
            if self._busy:
                return _new_memory(size).view(Loan)  # lent by nobody
            self._busy = True
            try:
                piece = self._cut(size)
            finally:
                self._busy = False
        return self._loan(self._asked_for(size) if piece is None else piece)

    def take_back(self, process: object, piece: Piece) -> None:
        """Keep a piece whose last array has gone, unless a parent process has lent it."""
        if process is not self._process:
            return
        self._returned.append(piece)
        if self._lock.acquire(blocking=False):  # else who holds it, or the next to, collects
            try:
                self._collect()
            finally:
                self._lock.release()

    def release(self) -> None:
        """Return the memory that waits to the operating system, where all of a chunk does."""
        with self._lock:
            self._collect()
            if not self._busy:
                self._give_up(0)

    def stats(self) -> MemoryStats:
        """Return what the pool holds."""
        with self._lock:
            self._collect()
            kept = self._total - self._used
            return MemoryStats(self._used, kept, self._peak, self._requests, self._reused)

    def _cut(self, size: int) -> Piece | None:
        """Return a piece that waited, None if none is large enough; then there is room for one."""
        self._take_in()
        self._requests += 1
        place = bisect_left(self._free, (size,))
        if place == len(self._free):
            self._give_up(max(self._peak, self._used + size) - size)
            return None
        self._reused += 1
        self._count(size, 0)
        piece = self._free.pop(place)[2]
        piece.number = 0
        if piece.size != size:
            self._wait(piece.cut(size))
        return piece

    def _asked_for(self, size: int) -> Piece:
        """Return new memory."""
        try:
            memory = _new_memory(size)
        except MemoryError:
            self.release()
            memory = _new_memory(size)
        with self._lock:
            self._count(size, size)
        return Piece(memory, 0, size)

    def _count(self, used: int, new: int) -> None:
        self._used += used
        self._total += new
        self._peak = max(self._peak, self._used)

    def _loan(self, piece: Piece) -> Loan:
        loan = piece.chunk[piece.start : piece.start + piece.size].view(Loan)
        loan.lent = self, self._process, piece
        return loan

    def _collect(self) -> None:
        """Let pieces that were returned wait, unless this thread is at that."""
        if self._busy:
            return
        self._busy = True
        try:
            self._take_in()
        finally:
            self._busy = False

    def _take_in(self) -> None:
        """Let pieces that were returned wait, as one with neighbours that do."""
        while self._returned:
            piece = self._returned.popleft()
            self._used -= piece.size
            if piece.after is not None and piece.after.number:
                self._stop_waiting(piece.after)
                piece.join()
            if piece.before is not None and piece.before.number:
                piece = piece.before
                self._stop_waiting(piece)
                piece.join()
            self._wait(piece)

    def _wait(self, piece: Piece) -> None:
        self._last = piece.number = self._last - 1
        insort(self._free, (piece.size, piece.number, piece))

    def _stop_waiting(self, piece: Piece) -> None:
        del self._free[bisect_left(self._free, (piece.size, piece.number))]
        piece.number = 0

    def _give_up(self, limit: int) -> None:
        """Give up chunks that wait, small ones first, until all cover at most `limit` bytes."""
        place = 0
        while self._total > limit and place < len(self._free):
            size, _, piece = self._free[place]
            if piece.whole:
                del self._free[place]
                self._total -= size
            else:
                place += 1


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
