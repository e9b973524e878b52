"""Tables that live in Lua, as the mapping behind a Table."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint.table import FALSE_KEY, TRUE_KEY, as_key

if TYPE_CHECKING:
    from .border import Border


class LuaMapping(MutableMapping[Any, Any]):
    """The entries of a Lua table, for a Table that has them as its own.

    Keys are those of `Table`: as `as_key` makes them.

    Parameters
    ----------
    border : Border
    reference : object
        The Lua table.
    """

    __slots__ = ("border", "reference")

    def __init__(self, border: Border, reference: Any) -> None:
        self.border = border
        self.reference = reference

    def _key(self, key: Any) -> Any:
        if key is TRUE_KEY or key is FALSE_KEY:
            return key.value
        return self.border.to_lua(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return an entry, or `default`."""
        value = self.border.table_get(self.reference, self._key(key))
        return default if value is None else value

    def __getitem__(self, key: Any) -> Any:
        value = self.border.table_get(self.reference, self._key(key))
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        self.border.table_set(self.reference, self._key(key), self.border.to_lua(value))

    def __delitem__(self, key: Any) -> None:
        self[key]
        self.border.table_set(self.reference, self._key(key), None)

    def __contains__(self, key: Any) -> bool:
        return self.border.table_get(self.reference, self._key(key)) is not None

    def __len__(self) -> int:
        return int(self.border.table_count(self.reference))

    def _entries(self) -> Iterator[tuple[Any, Any]]:
        """Yield the entries that were there when the first was asked for, and still are."""
        count, keys = self.border.table_keys(self.reference)
        for position in range(1, count + 1):
            key, value = self.border.table_item(self.reference, keys, position)
            if value is not None:
                yield as_key(key), value

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._entries())

    def keys(self) -> Any:
        """Return the keys: 1, 2, ... in order, the others in Lua's."""
        return list(self)

    def values(self) -> Any:
        """Return the values, in the order of `keys`."""
        return [value for _, value in self._entries()]

    def items(self) -> Any:
        """Return the pairs, in the order of `keys`."""
        return list(self._entries())

    def met(self, metatable: Any) -> None:
        """Give the Lua table the metatable that its Table was given."""
        self.border.table_meet(self.reference, self.border.to_lua(metatable))

    def clear(self) -> None:
        """Remove all entries."""
        for key in self.keys():
            del self[key]
