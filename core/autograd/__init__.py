"""Define-by-run differentiation: the graph, its engine, and what users call.

Read `node.py` (what is recorded), `versions.py` and `views.py` (shared memory and writes in
place), `engine.py` and `accumulate.py` (the backward pass), `reverse.py` and `forward.py` (how
users start one), then `function.py`, `recompute.py`, `packing.py`, `gradcheck.py`,
`anomaly.py` and `profiler.py`. Tensor is built on node and views, so the names below are
imported when first used. Nothing here knows an operation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import AnomalyError as AnomalyError
    from .errors import GraphError as GraphError
    from .errors import GraphFreedError as GraphFreedError
    from .errors import InplaceError as InplaceError
    from .errors import VersionError as VersionError
    from .forward import jvp as jvp
    from .function import Context as Context
    from .function import Function as Function
    from .function import once_differentiable as once_differentiable
    from .gradcheck import GradientMismatch as GradientMismatch
    from .gradcheck import check_grads as check_grads
    from .hooks import Handle as Handle
    from .modes import detect_anomaly as detect_anomaly
    from .modes import enable_grad as enable_grad
    from .modes import is_grad_enabled as is_grad_enabled
    from .modes import no_grad as no_grad
    from .modes import set_grad_enabled as set_grad_enabled
    from .node import Node as Node
    from .packing import saved_tensors_hooks as saved_tensors_hooks
    from .profiler import Profile as Profile
    from .profiler import profile as profile
    from .recompute import checkpoint as checkpoint
    from .reverse import backward as backward
    from .reverse import grad as grad

_HOMES = {
    "errors": "AnomalyError GraphError GraphFreedError InplaceError VersionError",
    "forward": "jvp",
    "function": "Context Function once_differentiable",
    "gradcheck": "GradientMismatch check_grads",
    "hooks": "Handle",
    "modes": "detect_anomaly enable_grad is_grad_enabled no_grad set_grad_enabled",
    "node": "Node",
    "packing": "saved_tensors_hooks",
    "profiler": "Profile profile",
    "recompute": "checkpoint",
    "reverse": "backward grad",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
