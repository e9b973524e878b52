"""Versions of memory: how a backward pass knows that a saved value is still the same.

All tensors on one memory share a cell: `[0]`, from the first write on `[count, name of the last
write]`. A node keeps the cells of what it saved, and their counts at that time.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from .errors import VersionError

if TYPE_CHECKING:
    from .node import Node

Cell = list[Any]
"""How often memory was written in place, and the name of the last write."""

next_order = itertools.count(-1, -1).__next__
"""Numbers nodes and writes, downwards: what happened later has the smaller number."""

LAST_WRITE: Final = [0]
"""The number of the last write to any tensor; nodes made after it need no check."""


def count_write(cell: Cell, name: str) -> None:
    """Count a write that `name` has made in place."""
    cell[:] = cell[0] + 1, name
    LAST_WRITE[0] = next_order()


def check_versions(node: Node) -> None:
    """Check that nothing that `node` saved was written to since.

    Raises
    ------
    VersionError
        Names the operation that needs the value and the write that spoilt it.
    """
    versions = node.versions
    for i in range(0, len(versions), 2):
        cell, count = versions[i], versions[i + 1]
        if cell[0] != count:
            raise VersionError(
                f"the gradient of {node.name} needs a value that {cell[1]} has since overwritten "
                f"in place: it is at version {cell[0]}, version {count} was saved; use the "
                "operation that returns a new tensor, or clone() the value first\n"
                f"{node.called_at()}"
            )
