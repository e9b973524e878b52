"""What the transpiler raises."""

from __future__ import annotations

from rekindle.core.errors import RekindleError


class LuaSyntaxError(RekindleError, ValueError):
    """Text that is not Lua; the message says where."""


class OutputError(RekindleError, OSError):
    """Files that cannot be written, or must not be."""


class SourceError(RekindleError, ValueError):
    """Files that cannot be one program."""
