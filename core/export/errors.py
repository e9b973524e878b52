"""What cannot be exported, or read back."""

from __future__ import annotations

from ..errors import RekindleError


class ExportError(RekindleError, ValueError):
    """Something that the format has no place for, or a file that is not of the format."""


class UnreadableError(ExportError):
    """A file that is not of its format, or damaged."""
