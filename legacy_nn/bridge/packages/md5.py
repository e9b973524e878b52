"""The package md5: sums of strings."""

from __future__ import annotations

import hashlib
from typing import Any

from ..toolbox import Toolbox


def _digest(text: str) -> Any:
    return hashlib.md5(text.encode("latin-1"), usedforsecurity=False)


def sum_(text: str) -> str:
    """Return the sum of a string of bytes, as 16 bytes."""
    found: bytes = _digest(text).digest()
    return found.decode("latin-1")


def sumhexa(text: str) -> str:
    """Return the sum of a string of bytes, in hexadecimal digits."""
    return str(_digest(text).hexdigest())


def load(tools: Toolbox) -> Any:
    """Return the package."""
    return tools.table({"sum": sum_, "sumhexa": sumhexa})
