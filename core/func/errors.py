"""What transforms report."""

from __future__ import annotations

from ..errors import RekindleError


class TransformError(RekindleError, TypeError):
    """What a transform was given, or a function returned to it, and cannot be used."""
