"""How functions become kernels: compiled once for each dtype, and kept on disk.

numba looks at the file of a kernel alone to tell whether what it kept is still right. Here the
folder is named after the text of all files, so that a changed helper counts as well.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import prange as prange

from ..threads import share_threads
from .library import layer

_LOG = logging.getLogger("rekindle.kernels")

VARIABLE = "REKINDLE_CACHE"
"""Environment variable with the folder for compiled kernels."""


def kernel(function: Callable[..., Any]) -> Any:
    """Decorate a kernel: loops over `prange` run in parallel."""
    return _compiled(function, parallel=True, fastmath={"contract"})


def helper(function: Callable[..., Any]) -> Any:
    """Decorate a function that kernels call; products and sums may be contracted."""
    return _compiled(function, fastmath={"contract"})


def reduction(function: Callable[..., Any]) -> Any:
    """Decorate a function that sums a row in any order, without which sums do not vectorise."""
    return _compiled(function, fastmath={"contract", "reassoc", "nsz", "nnan"})


def cache_folder() -> Path:
    """Return the folder for compiled kernels of this version of the code."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return _caches() / "kernels" / digest.hexdigest()[:16]


def _caches() -> Path:
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "rekindle"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "rekindle"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "rekindle"


def _prepared() -> Path | None:
    """Return the folder, or None where it cannot be written to."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _LOG.warning("kernels are compiled anew in every process: %s", error)
        return None
    return folder if os.access(folder, os.W_OK) else None


_FOLDER = _prepared()


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_FOLDER or "")
    try:
        cached = _FOLDER is not None
        return numba.njit(nogil=True, error_model="numpy", cache=cached, **options)(function)
    finally:
        numba.config.CACHE_DIR = before


def _set_threads(count: int) -> None:
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))


if numba.config.THREADING_LAYER == "default":
    numba.config.THREADING_LAYER = layer()
numba.get_num_threads()  # starts numba's threads, which sets the number for all of OpenMP
share_threads("fused", _set_threads)
