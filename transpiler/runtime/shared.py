"""Globals that several files of a program use."""

from __future__ import annotations

from typing import Any

from rekindle.legacy_nn.lualib import _G

from .tables import Table


class Globals(Table):
    """Lua's table of globals, the same as `_G` of lualib; what nobody has set is None."""

    __slots__ = ()

    def __init__(self) -> None:
        from rekindle.core.checkpoint.table import Table as PlainTable

        super().__init__()
        PlainTable.__dict__["_map"].__set__(self, _G._map)
        self._map["_G"] = self


G = Globals()
"""The globals of the program."""

hidden: dict[Any, Any] = {}
"""What they were before those of a worker of `threads` came to lie over them: see workers.py."""


def define(name: str, value: Any) -> None:
    """Make a package a global, as `require` does in Torch."""
    if G[name] is None:
        G[name] = value
    hidden.setdefault(name, value)  # where a worker was the first to require it
