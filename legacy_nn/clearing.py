"""Letting go of what modules keep between calls: clearState.

Source: torch/nn utils.lua, Module.lua, Container.lua.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.tensor import Tensor


class Clearing:
    """The part of nn.Module that lets go of memory."""

    scratch: ClassVar[tuple[str, ...]] = ()
    """Fields beside `output` and `gradInput` that only matter from one call to the next."""

    aliases: ClassVar[bool] = False
    """Whether `output` and `gradInput` may be those of other modules, whole or in parts."""

    keeps_results: ClassVar[bool] = False
    """Whether `output` and `gradInput` are left as they are, as by some classes of Torch7."""

    def clearState(self) -> Self:
        """Empty what the last calls left, so that saving takes less; return the module."""
        clear(self, *self.scratch)
        if not self.keeps_results:
            (drop if self.aliases else clear)(self, "output", "gradInput")
        return self


def clear(owner: Any, *names: str) -> Any:
    """Empty fields of a module: tensors themselves, tables by new ones; remove others.

    Fields that are not there, or false, stay as they are. Returns the module.
    """
    for name in names:
        value = vars(owner).get(name)
        if isinstance(value, Tensor) and value.is_leaf:
            value.set_(empty(0, value.dtype, value.device))
        else:
            drop(owner, name)
    return owner


def drop(owner: Any, *names: str) -> None:
    """Put new empty tensors and tables in the place of these fields; remove others.

    Unlike `clear` it leaves the tensors alone, which may be those of other modules.
    """
    for name in names:
        value = vars(owner).get(name)
        if isinstance(value, Tensor):
            setattr(owner, name, empty(0, value.dtype, value.device))
        elif isinstance(value, Table):
            setattr(owner, name, Table())
        elif value is not None and value is not False:
            delattr(owner, name)
