"""Room for recursion: Lua programs nest calls many thousand deep, Python's thousand are too few.

One call of Lua may be several of Python's, and those that go through C (operators, `pcall`,
comparisons of `table.sort`) take room on the stack of the thread.
"""

from __future__ import annotations

import contextlib
import sys

STACK = 120 << 20
"""Bytes for the stack of the main thread; Linux keeps 128 MiB free below it."""

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
    calls = room // BYTES_PER_CALL
    if sys.getrecursionlimit() < calls:
        sys.setrecursionlimit(calls)


make_room()
