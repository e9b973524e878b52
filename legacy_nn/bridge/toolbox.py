"""What packages that Rekindle answers are made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint import Table

from .values import Handle

if TYPE_CHECKING:
    from .border import Border
    from .classes import Classes


class Toolbox:
    """What `load(tools)` of a package gets.

    Parameters
    ----------
    lua : lupa.LuaRuntime
    shared : namespace
        The functions that the files of the Lua side share.
    border : Border
    classes : Classes
    globals : Table
        Lua's global variables.
    """

    def __init__(
        self, lua: Any, shared: Any, border: Border, classes: Classes, globals: Table
    ) -> None:
        self.lua = lua
        self.shared = shared
        self.border = border
        self.classes = classes
        self.globals = globals

    def function(self, function: Callable[..., Any]) -> Any:
        """Return a Lua function that calls a Python function."""
        return self.shared.bind_public(self.border.guard(function), Handle(function))

    def table(self, entries: Mapping[str, Any]) -> Any:
        """Return a Lua table; functions among the values become Lua functions."""
        return self.lua.table_from(
            {
                name: self.function(value) if callable(value) else self.border.to_lua(value)
                for name, value in entries.items()
            }
        )

    def raw_table(self, entries: Mapping[str, Any]) -> Any:
        """Return a Lua table of what is Lua's already."""
        return self.lua.table_from(entries)
