"""Globals of the workers of `threads`, which share none with the program or each other.

Workers take turns, so each one's globals lie over the program's while it runs.
"""

from __future__ import annotations

from typing import Any

from .shared import G, hidden

PROGRAM = 0
"""Stands for the program among the numbers of workers."""

_GONE: Any = object()

_own: dict[int, dict[Any, Any]] = {}
"""What each worker has set."""

_running = PROGRAM


def switch_globals(number: int, thread: int | None = None) -> int:
    """Let the globals be those of a worker, or again the program's; return whose they were.

    Parameters
    ----------
    number : int
        Of the worker, unlike those of all others.
    thread : int, optional
        What a new worker is told to be its number in its pool, `__threadid`.
    """
    global _running
    before, _running = _running, number
    if before != PROGRAM:
        _own[before] |= _changes(hidden, G._map)
        G._map.clear()
        G._map.update(hidden)
    if number != PROGRAM:
        hidden.clear()
        hidden.update(G._map)
        for name, value in _own.setdefault(number, {"__threadid": thread}).items():
            if value is _GONE:
                G._map.pop(name, None)
            else:
                G._map[name] = value
    return before


def _changes(before: dict[Any, Any], after: dict[Any, Any]) -> dict[Any, Any]:
    """Return what is new or another object, and _GONE for what is no longer there."""
    changed = {k: v for k, v in after.items() if before.get(k, _GONE) is not v}
    return changed | dict.fromkeys(before.keys() - after.keys(), _GONE)
