"""What the package image raises."""

from __future__ import annotations

from rekindle.core.errors import RekindleError


class ImageError(RekindleError, ValueError):
    """Arguments that a function of images does not take, or a file that is no image."""


class MissingPillow(RekindleError, ImportError):
    """JPEG and PNG files need Pillow, which is not installed."""
