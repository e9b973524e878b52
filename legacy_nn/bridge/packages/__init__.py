"""What `require` finds beside files: one Lua file, one Python module, or both, for each package.

The module of a package `name` is `name.py` here, with a function `load(runtime)`; what it
returns is the package, or, where there is a `name.lua` beside it, the second argument of that
file (`local name, host = ...`), whose value is then the package. Dots are folders. `runtime`
offers packages what `Toolbox` describes.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..adapt import as_lua_calls


def public_functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the functions that a Python module defines, to be called from Lua."""
    return {
        name: as_lua_calls(value)
        for name, value in vars(module).items()
        if callable(value)
        and not name.startswith("_")
        and getattr(value, "__module__", "").startswith(module.__name__)  # parts of it, too
        and not isinstance(value, type)
    }
