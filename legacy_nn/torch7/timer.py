"""torch.Timer, torch.tic and torch.toc.

Source: torch7 Timer.c, utils.c, doc/timer.md.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar, Self

from rekindle.core.checkpoint import Table

from .files.classes import BUILT_IN, FileClass

if sys.platform != "win32":
    import resource

Times = tuple[float, float, float]


def _now() -> Times:
    if sys.platform == "win32":
        process = os.times()
        return time.time(), process.user, process.system
    usage = resource.getrusage(resource.RUSAGE_SELF)  # os.times counts in hundredths
    return time.time(), usage.ru_utime, usage.ru_stime


class Timer:
    """A stop watch, which runs from when it is made.

    In a file it has a name and no more; what is read is a new one. Source: torch/nn Profile.lua.
    """

    t7_typename: ClassVar[str] = "torch.Timer"
    lua_type: ClassVar[str] = "userdata"

    def __init__(self) -> None:
        self._running = True
        self.reset()

    def reset(self) -> Self:
        """Forget the time so far; a timer that runs runs on."""
        self._total: Times = (0.0, 0.0, 0.0)
        self._start = _now()
        return self

    def stop(self) -> Self:
        """Count no further."""
        self._total = self._counted()
        self._running = False
        return self

    def resume(self) -> Self:
        """Count on, from the time so far."""
        if not self._running:
            self._running = True
            self._start = _now()
        return self

    def _counted(self) -> Times:
        if not self._running:
            return self._total
        real, user, system = (
            total + now - start
            for total, now, start in zip(self._total, _now(), self._start, strict=True)
        )
        return real, user, system

    def time(self) -> Table:
        """Return the seconds so far: `real` on the clock, and of the CPU `user` and `sys`."""
        real, user, system = self._counted()
        return Table({"real": real, "user": user, "sys": system})

    def __repr__(self) -> str:
        return f"torch.Timer [status: {'running' if self._running else 'stopped'}]"


def tic() -> float:
    """Return the seconds since 1970, for `toc`."""
    return time.time()


def toc(start: float) -> float:
    """Return the seconds since `tic` returned `start`."""
    return time.time() - start


def _no_record(*_: Any) -> None:
    """Read or write nothing."""


BUILT_IN[Timer.t7_typename] = FileClass(lambda file: Timer(), read=_no_record, write=_no_record)

CLASSES: dict[str, type] = {Timer.t7_typename: Timer}
FUNCTIONS: dict[str, Callable[..., Any]] = {"tic": tic, "toc": toc}
