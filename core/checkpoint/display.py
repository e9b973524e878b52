"""Short texts of what a checkpoint holds: bounded whatever the depth, size or sharing."""

from __future__ import annotations

from typing import Any

from ..storage import Storage
from ..tensor import Tensor
from .objects import TorchObject
from .table import Table

DEPTH = 3
"""Levels of tables and objects that a repr shows."""

ENTRIES = 12
"""Entries of each that it shows."""


def summary(value: Any, depth: int = DEPTH) -> str:
    """Return a repr of at most `DEPTH` levels of `ENTRIES` entries each."""
    if isinstance(value, TorchObject):
        inside = value.t7_fields()
        if value.t7_payload is not None:
            return f"TorchObject({value.t7_typename!r}, payload={_brief(value.t7_payload)})"
        return f"TorchObject({value.t7_typename!r}, {_entries(inside, depth)})"
    if isinstance(value, Table):
        return f"{type(value).__name__}({_entries(value, depth)})"
    return _brief(value)


def _entries(table: Table, depth: int) -> str:
    if not table.count():
        return "{}"
    if depth == 0:
        return "{...}"
    shown: list[str] = []
    for key, value in table.items():
        if len(shown) == ENTRIES:
            shown.append(f"... {table.count() - ENTRIES} more")
            break
        shown.append(f"{_brief(key)}: {summary(value, depth - 1)}")
    return "{" + ", ".join(shown) + "}"


def _brief(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{type(value).__name__}(shape={value.shape}, dtype={value.dtype})"
    if isinstance(value, Storage):
        return f"Storage(size={value.size}, dtype={value.dtype})"
    if isinstance(value, (Table, TorchObject)):
        return f"<{type(value).__name__}>"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-10:]}"
