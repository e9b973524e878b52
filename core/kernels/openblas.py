"""NumPy's OpenBLAS and its threads.

Its worker threads keep spinning for milliseconds after a product, on cores that the OpenMP
threads of oneDNN and of the fused kernels then wait for: a network can take four times as long.
So beside these OpenBLAS computes in the calling thread only.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_NAMES = [
    f"{prefix}openblas_{{}}_num_threads{suffix}"
    for prefix in ("scipy_", "")
    for suffix in ("64_", "", "_64")
]


def set_blas_threads(count: int) -> int:
    """Let every OpenBLAS that is loaded use `count` threads; return how many there are.

    Parameters
    ----------
    count : int
        1 or more.
    """
    found = 0
    for library in _libraries():
        name = next((n for n in _NAMES if hasattr(library, n.format("set"))), None)
        if name is not None:
            getattr(library, name.format("set"))(count)
            found += 1
    return found


def blas_threads() -> list[int]:
    """Return the number of threads of every OpenBLAS that is loaded."""
    return [
        int(getattr(library, name.format("get"))())
        for library in _libraries()
        for name in _NAMES
        if hasattr(library, name.format("get"))
    ]


def _libraries() -> Iterator[ctypes.CDLL]:
    for path in sorted(_paths()):
        yield ctypes.CDLL(path)  # is loaded already, so that this is the same library


def _paths() -> set[str]:
    if sys.platform == "linux":
        maps = Path("/proc/self/maps").read_text("utf-8").splitlines()
        paths = {line.partition("/")[2] for line in maps if "/" in line}
        return {"/" + p for p in paths if "openblas" in Path(p).name and "deleted" not in p}
    package = Path(np.__file__).parent
    folders = [package.parent / "numpy.libs", package / ".dylibs", package / ".libs"]
    return {str(file) for folder in folders for file in folder.glob("*openblas*")}
