"""The package nn: the module classes of legacy_nn, and the functions beside them."""

from __future__ import annotations

from typing import Any

from rekindle.core.tensor import Tensor

from ... import hessian, jacobian, sparse_jacobian, tables, utils
from ...conversion import recursive_type
from ..adapt import as_lua_calls
from ..toolbox import Toolbox
from . import PARTS, public_functions

MODULES = {
    "Jacobian": jacobian,
    "SparseJacobian": sparse_jacobian,
    "hessian": hessian,
    "tables": tables,
    "utils": utils,
}
"""Functions beside the classes, by the names of their tables."""


def load(tools: Toolbox) -> Any:
    """Return the table `nn`."""
    module = tools.table({})
    tools.classes.publish_package("nn", module, PARTS)
    for name, functions in MODULES.items():
        module[name] = tools.table(public_functions(functions) | MORE.get(name, {}))
    return module


def add_singleton_dimension(*args: Any) -> Any:
    """Call `utils.addSingletonDimension`; a tensor before the one meant becomes the result."""
    output = args[0] if len(args) > 1 and isinstance(args[1], Tensor) else None
    tensor, dim = (*args[0 if output is None else 1 :], 1)[:2]
    viewed = utils.addSingletonDimension(tensor, dim)
    return viewed if output is None else output.set_(viewed)


MORE: dict[str, dict[str, Any]] = {
    "SparseJacobian": {"testIO": as_lua_calls(jacobian.testIO)},
    "utils": {
        "addSingletonDimension": add_singleton_dimension,
        "recursiveType": as_lua_calls(recursive_type),
    },
}
"""Functions that Lua finds in these tables, or calls, otherwise than Python does."""
