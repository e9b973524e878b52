"""The dtype to compute in where x's own cannot hold, or the library does not take, its values."""

from __future__ import annotations

from typing import Any

from .registry import Array


def accumulator(xp: Any, x: Array) -> Any:
    """Return the dtype to sum in; by default uint8 would give uint64, which tensors lack."""
    return xp.int64 if x.dtype == xp.uint8 else None


def wide(xp: Any, x: Array) -> Array:
    """Return x in a dtype that holds its powers: float16 as float32, integers as float64."""
    if getattr(x.dtype, "kind", "f") != "f":
        return xp.astype(x, xp.float64)
    return xp.astype(x, xp.float32) if _is_half(x) else x


def narrow(xp: Any, result: Array, x: Array) -> Array:
    """Return what was computed from `wide(x)` in the dtype that x's result has."""
    return xp.astype(xp.asarray(result), x.dtype) if _is_half(x) else result


def _is_half(x: Array) -> bool:
    return getattr(x.dtype, "char", "") == "e"
