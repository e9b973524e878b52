"""The package stn: spatial transformers."""

from __future__ import annotations

from typing import Any

from ..toolbox import Toolbox
from . import publish_part


def load(tools: Toolbox) -> Any:
    """Return the classes that `stn.lua` merges into `nn`."""
    module = tools.table({})
    publish_part(tools, "stn", module)
    return module
