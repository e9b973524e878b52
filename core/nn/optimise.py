"""Models for inference: what follows convolutions becomes part of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..checkpoint.table import Table
from ..ops.fusing import Fuser
from ..ops.pending import Pending


class Optimised:
    """A model that runs for its output alone, as fast as it can.

    Batch normalisation in evaluation mode becomes part of the weights of the convolution or
    linear map before it; a sum and ReLU that follow are computed with it. Parameters are not
    to be written to by other means than operations on tensors.

    Parameters
    ----------
    model : callable
        In evaluation mode; used as it is.

    Attributes
    ----------
    model : callable
    """

    def __init__(self, model: Callable[..., Any]) -> None:
        self.model = model
        self._fuser = Fuser()

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return what the model computes; nothing is recorded for gradients."""
        return settled(self._fuser.run(self.model, *args, **options))

    def forward(self, *args: Any, **options: Any) -> Any:
        """Return what the model computes, as a call does: what LuaTorch calls it."""
        return self(*args, **options)

    @property
    def fused(self) -> dict[str, int]:
        """How often, in all calls so far, an operation has become part of another one."""
        return dict(self._fuser.fused)

    @property
    def unchanged(self) -> dict[str, int]:
        """How often, in all calls so far, one could not, and why."""
        return dict(self._fuser.unchanged)

    def __repr__(self) -> str:
        return f"Optimised({self.model!r})"


def settled(value: Any) -> Any:
    """Return a value with all tensors computed, in lists, tuples, dicts and tables as well."""
    if isinstance(value, Pending):
        return value.settled()
    if isinstance(value, Table):
        return Table({k: settled(v) for k, v in value.items()})
    if isinstance(value, dict):
        return type(value)({k: settled(v) for k, v in value.items()})
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(settled, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(settled, value))
    return value
