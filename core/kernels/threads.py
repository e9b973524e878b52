"""Threads: one number for all the libraries that kernels compute with.

oneDNN and the fused kernels share the threads of one OpenMP runtime. Each Python thread that
calls them has a team of its own, so that the number has to be set in each: `ready` does so,
before a kernel runs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from operator import index

from ..backend.cores import available_cores
from ..errors import BoundsError
from .openblas import set_blas_threads


class _Here(threading.local):
    """What this thread has told the libraries."""

    setting: object = None


class _Setting:
    """One choice of a number, made once."""

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count


def _first() -> _Setting:
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    count = int(given) if given.isdigit() else 0
    return _Setting(count or available_cores())


_LOCK = threading.Lock()
_HERE = _Here()
_SETTERS: dict[str, Callable[[int], object]] = {}
_current = _first()


def set_num_threads(count: int) -> None:
    """Let kernels compute with `count` threads from now on, in every thread of the program.

    Parameters
    ----------
    count : int
        1 or more. At first it is OMP_NUM_THREADS where that is set, otherwise the number of
        cores that the process may use.

    Raises
    ------
    BoundsError
        If the number is not positive.
    """
    global _current
    count = index(count)
    if count < 1:
        raise BoundsError(f"a number of threads is 1 or more; given {count}")
    with _LOCK:
        _current = _Setting(count)
        if not _SETTERS:
            set_blas_threads(count)


def get_num_threads() -> int:
    """Return how many threads kernels compute with."""
    return _current.count


def share_threads(library: str, setter: Callable[[int], object]) -> None:
    """Name a library that computes with OpenMP; from then on OpenBLAS uses one thread.

    Parameters
    ----------
    library : str
    setter : callable
        Sets the number of threads for calls of the library from the calling thread.
    """
    global _current
    with _LOCK:
        _SETTERS[library] = setter
        _current = _Setting(_current.count)
        set_blas_threads(1)
    ready()  # the call that loads it makes primitives ready for a number of threads, too


def shared() -> bool:
    """Whether a library that computes with OpenMP is in use."""
    return bool(_SETTERS)


def ready() -> None:
    """Tell the libraries the number of threads, unless this thread has."""
    setting = _current
    if _HERE.setting is not setting:
        for setter in [*_SETTERS.values()]:
            setter(setting.count)
        _HERE.setting = setting
