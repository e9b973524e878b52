"""What can go wrong with a graph."""

from __future__ import annotations

from ..errors import RekindleError


class GraphError(RekindleError, RuntimeError):
    """A derivative that cannot be computed."""


class VersionError(GraphError):
    """A value that a backward pass needs was overwritten in place."""


class InplaceError(GraphError):
    """A write in place that would make gradients wrong."""


class GraphFreedError(GraphError):
    """A backward pass through a graph that an earlier one has used up."""


class AnomalyError(GraphError, FloatingPointError):
    """A nan that a backward pass made, found under `detect_anomaly`."""
