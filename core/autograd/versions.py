"""Versions of memory: how a backward pass knows that a saved value is still the same.

All tensors on one memory share a cell: a dictionary, empty until the first write, then with
the count of writes and the name of the last one. A node keeps the cells of what it saved, and
their counts at that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from .errors import VersionError

if TYPE_CHECKING:
    from .node import Node

Cell = dict[str, Any]
"""How often memory was written in place (`count`), and the name of the last write (`by`).

A dictionary, because an empty one is the quickest of Python's objects to make, and its collector
does not look at it.
"""

ORDERS: Final = iter(range(-1, -(2**62), -1))
"""Numbers for nodes and writes, downwards: what happened later has the smaller number.

A range, because counting down in one is quicker than in `itertools.count`.
"""

next_order = ORDERS.__next__
"""Return the next number; fast.py says `next(ORDERS)`, which Python calls with less work."""

LAST_WRITE: Final = [0]
"""The number of the last write to any tensor; nodes made after it need no check."""


def version_of(cell: Cell) -> int:
    """Return how often the memory was written."""
    count: int = cell["count"] if cell else 0
    return count


def count_write(cell: Cell, name: str) -> None:
    """Count a write that `name` has made in place."""
    cell["count"] = cell["count"] + 1 if cell else 1
    cell["by"] = name
    LAST_WRITE[0] = next_order()


def expose(cell: Cell) -> None:
    """Note that the memory was given to code that writes without counting.

    Kernels then keep nothing that they make of its values.
    """
    cell.setdefault("count", 0)
    cell["exposed"] = True


def check_versions(node: Node) -> None:
    """Check that nothing that `node` saved was written to since.

    Raises
    ------
    VersionError
        Names the operation that needs the value and the write that spoilt it.
    """
    if node.versions:
        check_pairs(node, node.saved, node.versions)


def check_pairs(node: Node, versions: Sequence[Any], start: int = 0) -> None:
    """Check alternating cells and counts, from place `start` of `versions` on.

    Raises
    ------
    VersionError
        As `check_versions`.
    """
    for i in range(start, len(versions), 2):
        cell, count = versions[i], versions[i + 1]
        if cell and cell["count"] != count:
            raise VersionError(
                f"the gradient of {node.name} needs a value that {cell['by']} has since "
                f"overwritten in place: it is at version {cell['count']}, version {count} was "
                "saved; use the "
                "operation that returns a new tensor, or clone() the value first\n"
                f"{node.called_at()}"
            )
