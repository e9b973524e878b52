"""detect_anomaly: where a nan in a backward pass comes from."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import AnomalyError

if TYPE_CHECKING:
    from .node import Node

_OWN = str(Path(__file__).parents[1])
_LINES = 6


def users_lines() -> str:
    """Return the innermost lines of the running program that are outside of rekindle.core."""
    frames = (
        (frame, line)
        for frame, line in traceback.walk_stack(sys._getframe(1))
        if not frame.f_code.co_filename.startswith(_OWN)
    )
    summary = traceback.StackSummary.extract(frames, limit=_LINES)
    return "".join(reversed(summary.format())).rstrip("\n")


def check_not_nan(node: Node, gradients: Any) -> None:
    """Check the gradients that `node` has computed.

    Raises
    ------
    AnomalyError
        Names the operation, the operand and the line that called the operation.
    """
    for i, g in enumerate(gradients):
        values = getattr(g, "array", g)
        if values is not None and hasattr(values, "dtype") and bool((values != values).any()):
            raise AnomalyError(
                f"the gradient of {node.name} for operand {i} has nan; {node.called_at()}"
            )
