"""The package autograd: what records Lua's functions; see legacy_nn/lua_autograd."""

from __future__ import annotations

from typing import Any

from ...lua_autograd import calls, gradients, modules
from ..toolbox import Toolbox


def load(tools: Toolbox) -> Any:
    """Return the functions and names that `autograd/node.lua` is built on."""
    return tools.table(
        {
            **calls.NAMES,
            "leaf": gradients.leaf,
            "gradients": gradients.gradients,
            "call_module": modules.call_module,
            "call_criterion": modules.call_criterion,
            "call_rule": gradients.call_rule,
            "has_parameters": modules.has_parameters,
            "parameters_of": modules.parameters_of,
            "is_finite": calls.is_finite,
            "differentiable": sorted(calls.FUNCTIONS),
            "constants": list(calls.CONSTANT),
            "refused": calls.REFUSED,
        }
    )
