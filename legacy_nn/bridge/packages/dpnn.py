"""The package dpnn: its classes; what it adds to nn.Module is always there."""

from __future__ import annotations

from typing import Any

from ..toolbox import Toolbox
from . import publish_part


def load(tools: Toolbox) -> Any:
    """Return the classes that `dpnn.lua` merges into `nn`."""
    module = tools.table({})
    publish_part(tools, "dpnn", module)
    return module
