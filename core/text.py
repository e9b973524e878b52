"""Text that may hold anything, made fit for names in files and for terminals."""

from __future__ import annotations

import re


def printable(text: str) -> str:
    r"""Return `text` with escapes for control characters and for bytes that are no text.

    Examples
    --------
    >>> print(printable("a\x1b[31m\udcff"))
    a\x1b[31m\udcff
    """
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: f"\\x{ord(match[0]):02x}", plain)
