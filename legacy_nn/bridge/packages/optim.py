"""The package optim: functions that take Lua's closures, and Lua's tables as their state."""

from __future__ import annotations

from typing import Any

from ... import optim
from ..adapt import as_lua_calls
from ..toolbox import Toolbox

FUNCTIONS = (
    "FistaLS",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "asgd",
    "cg",
    "checkgrad",
    "cmaes",
    "de",
    "lbfgs",
    "lswolfe",
    "nag",
    "polyinterp",
    "rmsprop",
    "rprop",
    "sgd",
)


def load(tools: Toolbox) -> Any:
    """Return the table `optim`."""
    functions = {name: as_lua_calls(getattr(optim, name)) for name in FUNCTIONS}
    module = tools.table(functions)
    tools.classes.publish(optim.ConfusionMatrix, "optim.ConfusionMatrix", module)
    tools.classes.publish(optim.Logger, "optim.Logger", module)
    return module
