"""A small profiler: time and bytes of every operation called inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .modes import setting


class Profile:
    """What a block's operations cost.

    Backward passes inside the block are listed by the operation whose gradients they compute.

    Attributes
    ----------
    calls : dict of str to int
    seconds : dict of str to float
    nbytes : dict of str to int
        Bytes of the results, by operation.
    """

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.nbytes: dict[str, int] = {}

    def take(self, op: Any, args: tuple[Any, ...], params: dict[str, Any]) -> None:
        """Leave every call to its operation."""

    def record(self, name: str, seconds: float, nbytes: int) -> None:
        """Add one call."""
        self.calls[name] = self.calls.get(name, 0) + 1
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.nbytes[name] = self.nbytes.get(name, 0) + nbytes

    def __str__(self) -> str:
        slowest = sorted(self.seconds, key=lambda name: -self.seconds[name])
        rows = [
            f"{name:32} {self.calls[name]:8} {self.seconds[name] * 1e3:10.3f} "
            f"{self.nbytes[name] / 1e6:10.3f}"
            for name in slowest
        ]
        return "\n".join([f"{'operation':32} {'calls':>8} {'ms':>10} {'MB':>10}", *rows])


@contextmanager
def profile() -> Iterator[Profile]:
    """Measure the operations called inside the block; `print` the result."""
    result = Profile()
    with setting(watcher=result):
        yield result
