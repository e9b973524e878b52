"""Short texts of sizes, shapes and values."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import LuaFunction, Table
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.unknown_classes import typename

from .talk import clean

STRING = 72
"""Characters of a string that are shown."""

LINE = 72
"""Characters of a table that is shown in one line."""


def size_text(count: int) -> str:
    """Return a number of bytes for a reader: 640 bytes, 200.4 KB, 1.2 GB."""
    if count < 1000:
        return f"{count} byte{'s' * (count != 1)}"
    power = next((p for p in (1, 2, 3) if count < 999.95 * 1000**p), 4)
    return f"{count / 1000**power:.1f} {('KB', 'MB', 'GB', 'TB')[power - 1]}"


def shape_text(tensor: Tensor) -> str:
    """Return a tensor's shape as Torch prints it: 64x3x7x7."""
    return "x".join(map(str, tensor.shape)) or "1 value"


def scalar_text(value: Any) -> str | None:
    """Return a string, number, boolean or nil as Lua writes it; None for anything else."""
    if isinstance(value, str):
        quoted = '"' + clean(value[:STRING]).replace("\n", r"\n") + '"'
        return quoted if len(value) <= STRING else f"{quoted}... ({len(value):,} characters)"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nil"
    if isinstance(value, (int, float)):
        return f"{value:.14g}" if isinstance(value, float) else str(value)
    return None


def value_text(value: Any) -> str:
    """Return one line for any loaded object that is not shown in lines of its own."""
    text = scalar_text(value)
    if text is not None:
        return text
    if isinstance(value, Tensor):
        return f"{value.dtype} tensor {shape_text(value)}" if value.size else "empty tensor"
    if isinstance(value, Storage):
        return f"{value.dtype} storage of {value.size}"
    if isinstance(value, LuaFunction):
        return f"Lua function, {len(value.bytecode)} bytes (never executed)"
    if isinstance(value, Table):
        kind = getattr(value, "t7_typename", "table")
        return f"{kind}, {value.count()} entr{'y' if value.count() == 1 else 'ies'}"
    return typename(value) or type(value).__name__


def inline_table(table: Table, width: int = LINE) -> str | None:
    """Return a table of scalars in one line, cut at `width`; None for other tables."""
    positions = len(table)
    parts: list[str] = []
    length = 0
    for key, value in table.items():
        text = scalar_text(value)
        if text is None:
            return None
        if length <= width:
            named = positions != table.count()
            label = key if isinstance(key, str) and key.isidentifier() else scalar_text(key)
            parts.append(f"{label}={text}" if named else text)
            length += len(parts[-1]) + 2
    if length > width:
        parts[-1] = f"... {table.count() - len(parts) + 1} more"
    return ", ".join(parts)


def tensor_list(table: Table, width: int = LINE) -> str | None:
    """Return a list of tensors in one line, cut at `width`; None for other tables."""
    tensors = table.array()
    if len(tensors) != table.count() or not all(isinstance(t, Tensor) for t in tensors):
        return None
    text = ", ".join(shape_text(t) for t in tensors[:width])
    return text if len(text) <= width and len(tensors) <= width else f"{text[:width]}..."
