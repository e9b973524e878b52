"""What an operation tells the kernel that it calls of an operand's version.

Kernels see arrays, and no array says whether it is what it was in the last call. An operation
knows from its tensors; a kernel that keeps something made of an operand asks.
"""

from __future__ import annotations

import threading
from typing import Any

from .checks import Array


class _Announced(threading.local):
    """What was said last in this thread."""

    array: Array = None
    cell: Any = None


_ANNOUNCED = _Announced()


def announce(array: Array, cell: Any) -> None:
    """Tell the kernel that is called next the version of one of its operands.

    Parameters
    ----------
    array : array
        The operand, as the kernel will be given it.
    cell : dict
        What counts the writes to its memory; see autograd/versions.py.
    """
    _ANNOUNCED.array, _ANNOUNCED.cell = array, cell


def announced(array: Array) -> Any:
    """Return the cell that was announced with `array`, or None; it is forgotten then."""
    found = _ANNOUNCED.cell if _ANNOUNCED.array is array else None
    _ANNOUNCED.array = _ANNOUNCED.cell = None
    return found
