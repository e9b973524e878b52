"""Whether numba is here, and which."""

from __future__ import annotations

import importlib.metadata
import importlib.util

LAYERS = {"omp": "omppool", "tbb": "tbbpool"}
"""numba's threading layers that several threads may use at once, and the modules they need."""


def missing() -> str | None:
    """Return what is not installed, or None."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed: pip install 'rekindle[fast]'"
    if layer() is None:
        return "this numba has no threading layer that several threads may use (OpenMP or TBB)"
    return None


def layer() -> str | None:
    """Return the threading layer to use; OpenMP's threads are oneDNN's, too."""
    for name, module in LAYERS.items():
        if importlib.util.find_spec(f"numba.np.ufunc.{module}") is not None:
            return name
    return None


def describe() -> str:
    """Return version and threading layer."""
    return f"numba {importlib.metadata.version('numba')}, threading layer {layer()}"
