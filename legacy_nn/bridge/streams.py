"""Lua's standard output and error, which are Python's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TextIO


def write(text: str) -> None:
    """Write a Lua string, whose characters are bytes, to standard output."""
    _write(sys.stdout, text)


def write_error(text: str) -> None:
    """Write a Lua string to standard error, after what was written to standard output."""
    flush()
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    if text.isascii():
        stream.write(text)
        return
    data = text.encode("latin-1")
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(data.decode("utf-8", "replace"))
    else:
        stream.flush()
        buffer.write(data)
        buffer.flush()


def flush() -> None:
    """Pass on what was written to standard output."""
    sys.stdout.flush()


def host(guard: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Return the functions that Lua's `print`, `io` and `os` are built on."""
    return {"write": guard(write), "write_error": guard(write_error), "flush": guard(flush)}
