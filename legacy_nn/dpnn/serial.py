"""nn.Serial: how a module is written, which makes no difference to what it computes."""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty
from rekindle.core.tensor import Tensor

from ..decorator import Decorator
from ..fields import set_unless_nil
from ..module import Module, torch_class


@torch_class("nn.Serial")
class Serial(Decorator):
    """Does what the one module inside does; files hold it without its buffers.

    Parameters
    ----------
    module : Module
    tensortype : str, optional
        The tensor type that it is written in: "torch.FloatTensor".

    Source: Element-Research/dpnn Serial.lua.
    """

    tensortype: str | None = None

    def __init__(self, module: Any, tensortype: str | None = None) -> None:
        super().__init__(module)
        set_unless_nil(self, tensortype=tensortype)

    def t7_fields(self) -> Table:
        written = lightened(self, {})
        if self.tensortype:
            written.type(self.tensortype)
        return Table(vars(written))

    def clone(self, *shared: Any) -> Any:
        """Return a copy as a file would hold it; see `Module.clone`."""
        copied = lightened(self, {})
        copied = Decorator.clone(copied, *shared)
        return copied.type(self.tensortype) if self.tensortype else copied


def lightened(value: Any, known: dict[int, Any]) -> Any:
    """Return modules and tables as new ones, without what their modules leave out of files.

    Tensors stay the same, so that those which share memory do so in the file, too.

    Parameters
    ----------
    value : Any
    known : dict
        What was made before, by the address of the original.

    Source: Element-Research/dpnn Module.lua, getSerialState.
    """
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Module):
        made = known[id(value)] = type(value).__new__(type(value))
        names = vars(value).get("dpnn_serialEmpty")
        left_out = set(names.values()) if isinstance(names, Table) else set()
        for name, field in vars(value).items():
            vars(made)[name] = _emptied(field) if name in left_out else lightened(field, known)
        return made
    if isinstance(value, Table):
        table = known[id(value)] = Table()
        for key, part in value.items():
            table[key] = lightened(part, known)
        return table
    return value


def _emptied(value: Any) -> Any:
    if isinstance(value, Table):
        return Table()
    return empty(0, value.dtype) if isinstance(value, Tensor) else value
