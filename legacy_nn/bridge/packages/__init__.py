"""What `require` finds beside files: one Lua file, one Python module, or both, for each package.

The module of a package `name` is `name.py` here, with a function `load(runtime)`; what it
returns is the package, or, where there is a `name.lua` beside it, the second argument of that
file (`local name, host = ...`), whose value is then the package. Dots are folders. `runtime`
offers packages what `Toolbox` describes.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from rekindle.core.checkpoint.registry import CLASSES

from ..adapt import as_lua_calls

_LEGACY = __name__.rpartition(".bridge.")[0]


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


PARTS = tuple(f"{_LEGACY}.{part}." for part in ("rnn", "dpnn", "stn", "torch_rnn"))
"""Modules whose classes are nn's by name, and there only once their package is required."""


def publish_part(tools: Any, part: str, module: Any) -> None:
    """Publish the classes nn.X that a package beside nn defines, in a table of its own."""
    for name, cls in _classes_of(part):
        tools.classes.publish(cls, name, module)


def _classes_of(part: str) -> list[tuple[str, type]]:
    home = f"{_LEGACY}.{part}."
    return [
        (name, known.cls)
        for name, known in CLASSES.items()
        if known.cls is not None and known.cls.__module__.startswith(home)
    ]
