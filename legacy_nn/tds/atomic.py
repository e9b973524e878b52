"""tds.AtomicCounter: a counter that several threads may use.

Source: torch/tds atomic.lua, tds_atomic_counter.c.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, ClassVar

from ..torch7.files.classes import BUILT_IN, FileClass


class AtomicCounter:
    """A whole number, 0 at first."""

    t7_typename: ClassVar[str] = "tds.AtomicCounter"
    t7_version: ClassVar[int] = 0
    lua_type: ClassVar[str] = "cdata"

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0

    def inc(self) -> int:
        """Add 1; return what it was before."""
        with self._lock:
            self._count += 1
            return self._count - 1

    def get(self) -> int:
        """Return the number."""
        return self._count

    def set(self, value: float) -> None:
        """Set the number; a fraction is dropped."""
        with self._lock:
            self._count = int(value)

    @property
    def t7_payload(self) -> int:
        """What files hold of it: the number."""
        return self._count

    def __repr__(self) -> str:
        return f"tds.AtomicCounter={self._count}"


def _read(counter: Any, file: Any, version: int) -> None:
    counter.set(file.readLong())


def _write(counter: Any, file: Any) -> None:
    file.writeLong(counter.get())


BUILT_IN[AtomicCounter.t7_typename] = FileClass(
    lambda file: AtomicCounter(), read=_read, write=_write
)
