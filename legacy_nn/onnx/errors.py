"""What ONNX cannot hold."""

from __future__ import annotations

from rekindle.core.errors import RekindleError


class OnnxError(RekindleError, NotImplementedError):
    """A part of a model has no counterpart in ONNX, or something has to be known for it."""
