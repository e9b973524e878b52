"""The package cudnn: its module classes, computed on the CPU."""

from __future__ import annotations

from typing import Any

from ..toolbox import Toolbox


def load(tools: Toolbox) -> Any:
    """Return the table `cudnn`."""
    module = tools.table({})
    tools.classes.publish_package("cudnn", module)
    return module
