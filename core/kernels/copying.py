"""Copying between arrays that lie differently in memory."""

from __future__ import annotations

from typing import Any

from .checks import Array
from .dispatch import dispatched


@dispatched("onednn.layout", least=4096)
def copy_into(xp: Any, out: Array, x: Array) -> Array:
    """Write x into `out` and return that: the one kernel that writes into an operand.

    Parameters
    ----------
    out, x : array, of one shape and dtype
    """
    out[...] = x
    return out
