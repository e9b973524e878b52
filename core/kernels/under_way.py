"""Computations that read what another thread may be about to hand out or to write into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any

_UNDER_WAY: dict[Any, int] = {}
"""For each computation that is under way a lock that is held meanwhile, and the thread."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_UNDER_WAY.clear)


@contextmanager
def under_way() -> Iterator[None]:
    """Note that this thread reads what chains are made of."""
    lock = Lock()
    with lock:
        _UNDER_WAY[lock] = get_ident()
        try:
            yield
        finally:
            _UNDER_WAY.pop(lock, None)  # a child process has none


def await_others() -> None:
    """Wait until other threads have done with the chains that they compute at the moment."""
    for lock, thread in _UNDER_WAY.copy().items():
        if thread != get_ident():
            with lock:
                pass
