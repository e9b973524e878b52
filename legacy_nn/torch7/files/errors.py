"""Errors of arguments of a file's methods."""

from __future__ import annotations

from ..errors import BadArgument


def bad_argument(position: int, reason: str, method: str) -> BadArgument:
    """Return the error for an argument of a method; the file itself counts as the first."""
    error = BadArgument(position, reason)
    error.name, error.method = method, True
    return error
