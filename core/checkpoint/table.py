"""Table: a Lua table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Any

from .holes import border, end_of_grown

EXACT = 2.0**53
"""Whole floats up to this size are the same number as an int; beyond it they stay floats."""


class _BoolKey:
    """The key `true` or `false` inside a table's dict, where Python takes True for 1."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value


TRUE_KEY = _BoolKey(True)
FALSE_KEY = _BoolKey(False)


class Table:
    """A Lua table: any keys in one mapping, positions counted from 1, equality by identity.

    Entries keep the order of their insertion, which is the order of the file they came from.
    A field is reached as `t["name"]` or `t.name`; where a method has that name the method
    wins, and `t["items"]` always works. Assigning None deletes the entry, as nil does in Lua.
    A table is true even if it is empty.

    Parameters
    ----------
    entries : mapping, iterable or None
        A mapping becomes the table's entries; any other iterable its elements 1, 2, ...

    Notes
    -----
    Keys are Lua's: `true` and `false` are not 1 and 0, and 1.0 is 1. Tables, tensors and
    other objects are keys by identity. A metatable (`legacy_nn.lualib.setmetatable`) is heeded by
    lualib's operations, not by the methods here; files and copies do without it, as in Torch7.

    Examples
    --------
    >>> t = Table({"name": "conv1", 1: "first"})
    >>> t[True] = "yes"
    >>> t.name, t[1.0], t[True], len(t)
    ('conv1', 'first', 'yes', 1)
    """

    __slots__ = ("__weakref__", "_array_end", "_map", "_metatable")

    _map: dict[Any, Any]
    _metatable: Table | None
    _array_end: int  # 0 in tables that never had a hole

    def __init__(self, entries: Mapping[Any, Any] | Table | Iterable[Any] | None = None) -> None:
        _set_map(self, {})
        set_metatable(self, None)
        set_array_end(self, 0)
        if entries is not None:
            self.update(entries)

    def update(self, entries: Mapping[Any, Any] | Table | Iterable[Any]) -> None:
        """Assign all entries of a mapping or table, or the elements of an iterable to 1, 2, ..."""
        if isinstance(entries, (Mapping, Table)):
            pairs: Iterable[tuple[Any, Any]] = entries.items()
        else:
            pairs = enumerate(entries, 1)
        for key, value in pairs:
            self[key] = value

    # -- entries ------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._map[as_key(key)]
        except KeyError:
            raise KeyError(f"the table has no entry {key!r}") from None

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value of `key`, or `default` where the table has none."""
        return self._map.get(as_key(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        key = as_key(key)
        if value is None:
            delete(self, key)
        elif key is None or (type(key) is float and key != key):
            raise KeyError(f"a table has no entry {key!r}: Lua allows neither nil nor nan as a key")
        else:
            self._map[key] = value

    def __delitem__(self, key: Any) -> None:
        self[key]
        self[key] = None

    def __contains__(self, key: Any) -> bool:
        return as_key(key) in self._map

    def __len__(self) -> int:
        """Return a border, as Lua's `#`: entry n is there and n + 1 is not; 0 without entry 1.

        In a table with holes it is LuaJIT's, as far as `holes` can tell.
        """
        return border(self._map, self._array_end)

    def __bool__(self) -> bool:
        return True

    # -- fields -------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name in ("_map", "_metatable", "_array_end"):
            raise AttributeError("a table that is being unpickled has no entries yet")
        return get_field(self._map, name, self)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(
                f"{name!r} is a method of {type(self).__name__}; write t[{name!r}] = ..."
            )
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    # -- all of them --------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> KeysView[Any] | list[Any]:
        """Return the keys in order."""
        entries = self._map
        if TRUE_KEY in entries or FALSE_KEY in entries:
            return [k.value if type(k) is _BoolKey else k for k in entries]
        return entries.keys()

    def values(self) -> Iterable[Any]:
        """Return the values in order."""
        return self._map.values()

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Return the (key, value) pairs in order."""
        entries = self._map
        if TRUE_KEY in entries or FALSE_KEY in entries:
            return [(k.value if type(k) is _BoolKey else k, v) for k, v in entries.items()]
        return entries.items()

    def array(self) -> list[Any]:
        """Return the elements 1, 2, ... up to the first hole as a list."""
        entries = self._map
        found = []
        index = 1
        while index in entries:
            found.append(entries[index])
            index += 1
        return found

    def count(self) -> int:
        """Return the number of entries of any key; `len` counts positions only."""
        return len(self._map)

    # -- as a whole ---------------------------------------------------------------------

    def equals(self, other: object) -> bool:
        """Whether `other` is a table with equal entries, all the way down.

        `==` is identity, as in Lua. Keys that are objects themselves are paired in order;
        nan equals nan; True is not 1, and 1.0 is 1.
        """
        from .compare import equal_contents

        return equal_contents(self, other)

    def __repr__(self) -> str:
        from .display import summary

        return summary(self)

    def __getstate__(self) -> list[tuple[Any, Any]]:
        return list(self.items())

    def __setstate__(self, state: list[tuple[Any, Any]]) -> None:
        _set_map(self, {})
        set_metatable(self, None)
        set_array_end(self, 0)
        for key, value in state:
            self[key] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), self.__getstate__()


_set_map = Table.__dict__["_map"].__set__
set_metatable = Table.__dict__["_metatable"].__set__
set_array_end = Table.__dict__["_array_end"].__set__


def delete(table: Table, key: Any) -> None:
    """Delete the entry of a key, as `as_key` makes it; a hole in the elements is remembered."""
    entries = table._map
    makes_hole = type(key) is int and key + 1 in entries and key in entries
    if makes_hole and not table._array_end:
        set_array_end(table, end_of_grown(len(table)))
    entries.pop(key, None)


def new_table(entries: dict[Any, Any], cls: type[Table] = Table) -> Table:
    """Return a table on `entries` itself, whose keys are already as `as_key` makes them."""
    table = cls.__new__(cls)
    _set_map(table, entries)
    set_metatable(table, None)
    set_array_end(table, 0)
    return table


def as_key(key: Any) -> Any:
    """Return what stands for a Lua key in a table's dict."""
    kind = type(key)
    if kind is str or kind is int:
        return key
    if kind is bool:
        return TRUE_KEY if key else FALSE_KEY
    if kind is float:
        return int(key) if key.is_integer() and abs(key) <= EXACT else key
    if kind.__module__ == "numpy" and hasattr(key, "item") and getattr(key, "ndim", None) == 0:
        return as_key(key.item())
    return key


def get_field(entries: Mapping[Any, Any], name: str, owner: object) -> Any:
    """Return the entry that an attribute's name means: text, or bytes of `encoding=None`.

    Raises
    ------
    AttributeError
        If there is no such field.
    """
    if not (name.startswith("__") and name.endswith("__")):
        if name in entries:
            return entries[name]
        raw = name.encode("utf-8", "surrogateescape")
        if raw in entries:
            return entries[raw]
    raise AttributeError(f"{type(owner).__name__} has no field {name!r}")
