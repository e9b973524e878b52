"""What a recorded call of a plain operation saves, in all cases; fast.py has the usual ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.node import Node, saved_version
from ..autograd.versions import Cell


def keep(
    node: Node,
    mask: int,
    operands: tuple[Any, ...],
    arrays: tuple[Any, ...],
    out: Any,
    version: Cell,
) -> None:
    """Save in `node` what `mask` says (see Differentiable.masks): all cases, the rare ones too."""
    saved: list[Any] = []
    versions: list[Any] = []
    for k, (x, array) in enumerate(zip(operands, arrays, strict=True)):
        wanted = mask >> k & 1
        saved.append(array if wanted else None)
        if wanted and array is not x:
            versions += saved_version(x)
    if mask & 4:
        versions += (version, 0)
    saved.append(out if mask & 4 else None)
    if mask >= 8:
        saved += [np.shape(array) for array in arrays]
    node.saved, node.versions = (*saved, *versions), len(saved) if versions else 0
