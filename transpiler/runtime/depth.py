"""Room for recursion: Lua programs nest calls many thousand deep, Python's thousand are too few.

One call of Lua may be several of Python's, and those that go through C (operators, `pcall`,
comparisons of `table.sort`) take room on the stack of the thread.

The room is made when this is imported, for the whole process and for good. Translated functions
are ordinary ones, which anybody calls at any time, from any thread: there is no moment at which
translated code begins or ends, and Python has one limit for all threads. So threads that begin
from then on, those of coroutines among them, get a stack for which the limit holds; a thread that
began before has its own, smaller one, where endless recursion through C ends the process. Reading
and translating Lua does not import this.
"""

from __future__ import annotations

import contextlib
import sys
import threading

STACK = 120 << 20
"""Bytes for the stack of a thread; Linux keeps 128 MiB free below that of the main thread. What a
thread does not use of it takes no memory."""

BYTES_PER_CALL = 600
"""What one of Python's calls takes of the stack at most, as measured, with half as much again."""


def make_room() -> None:
    """Let calls nest as deep as the stack has room; endless recursion still is an error."""
    room = 8 << 20
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows; a hard limit below
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        unlimited = resource.RLIM_INFINITY
        if soft != unlimited and soft < STACK:
            resource.setrlimit(resource.RLIMIT_STACK, (STACK, hard))
        room = STACK
    if 0 <= threading.stack_size() < room:  # 0 is the system's
        threading.stack_size(room)
    calls = room // BYTES_PER_CALL
    if sys.getrecursionlimit() < calls:
        sys.setrecursionlimit(calls)


make_room()
