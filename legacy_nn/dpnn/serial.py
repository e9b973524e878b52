"""nn.Serial: how a module is written, which makes no difference to what it computes."""

from __future__ import annotations

from typing import Any

from ..decorator import Decorator
from ..fields import set_unless_nil
from ..module import torch_class


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

    def __init__(self, module: Any, tensortype: str | None = None) -> None:
        super().__init__(module)
        set_unless_nil(self, tensortype=tensortype)
