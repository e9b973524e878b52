"""The package nn: the module classes of legacy_nn, and the functions beside them."""

from __future__ import annotations

from typing import Any

from ... import jacobian, utils
from ..toolbox import Toolbox
from . import public_functions


def load(tools: Toolbox) -> Any:
    """Return the table `nn`."""
    module = tools.table({})
    tools.classes.publish_package("nn", module)
    module["utils"] = tools.table(public_functions(utils))
    module["Jacobian"] = tools.table(public_functions(jacobian))
    return module
