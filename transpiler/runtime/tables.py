"""Table: what `{...}` makes in translated programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from rekindle.core.checkpoint import Table as PlainTable
from rekindle.core.checkpoint.holes import end_of_results, end_of_written
from rekindle.core.checkpoint.table import set_array_end
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import call, index, newindex
from rekindle.legacy_nn.torch7.files.classes import STANDARD


class Table(PlainTable):
    """A Lua table on which Python's own syntax does what Lua's does.

    Entries that are missing read as None, as attributes too, metatables are heeded, and
    assigning None deletes.

    Parameters
    ----------
    *elements
        What is at 1, 2, ...
    **fields
        What is under names.

    Examples
    --------
    >>> t = Table("a", "b", rate=0.1)
    >>> t[1], t.rate, t.momentum, len(t)
    ('a', 0.1, None, 2)
    """

    __slots__ = ()

    def __init__(self, *elements: Any, **fields: Any) -> None:
        super().__init__()
        entries = self._map
        for position, value in enumerate(elements, 1):
            if value is not None:
                entries[position] = value
        if len(entries) < len(elements):
            set_array_end(self, end_of_results(len(elements)))
        for name, value in fields.items():
            if value is not None:
                entries[name] = value

    @classmethod
    def of(cls, pairs: Iterable[tuple[Any, Any]], *elements: Any) -> Self:
        """Return a table of (key, value) pairs and elements: `{["a b"] = 1, [true] = 2, ...}`."""
        made = cls(*elements)
        if len(made._map) < len(elements):
            set_array_end(made, end_of_written(value is not None for value in elements))
        for key, value in pairs:
            newindex(made, key, value)
        return made

    def append(self, value: Any) -> None:
        """Put a value behind the last element: `t[#t + 1] = value`."""
        newindex(self, len(self) + 1, value)

    def __getitem__(self, key: Any) -> Any:
        return index(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        newindex(self, key, value)

    def __call__(self, *args: Any) -> Any:
        """Call what the metatable says."""
        return call(self, *args)

    def __getattr__(self, name: str) -> Any:
        if name in ("_map", "_metatable", "_array_end"):
            raise AttributeError("a table that is being unpickled has no entries yet")
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return index(self, name)


STANDARD.table_type = Table


def setmetatable(table: Any, metatable: Any) -> Any:
    """Give a table a metatable, which Python's syntax then heeds, wherever the table is from."""
    return lualib.setmetatable(as_program_table(table), metatable)


def as_program_table(table: Any) -> Any:
    """Let Python's syntax do on a table from elsewhere what Lua's does; return it."""
    if type(table) is PlainTable:
        object.__setattr__(table, "__class__", Table)  # the same slots, other methods
    return table
