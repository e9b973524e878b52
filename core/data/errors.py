"""The errors of data sets and loaders."""

from __future__ import annotations

from ..errors import RekindleError


class DataError(RekindleError, ValueError):
    """A data set, sampler or loader made of what does not fit."""


class WorkerError(RekindleError, RuntimeError):
    """A worker process that died, or an error in it that cannot be sent."""


class LoaderTimeoutError(RekindleError, TimeoutError):
    """A batch that took longer than a loader's `timeout`."""
