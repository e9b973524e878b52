"""Modules inside modules, thousands deep: room for the calls that go through them.

Python ends calls that are nested some hundred deep, where LuaJIT has room for many more; a walk
through containers takes several calls for each level.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from .errors import ModuleError

P = ParamSpec("P")
R = TypeVar("R")

DEEPEST = 5000
"""How deep walks go: beyond, the stack of the thread itself might not last."""

_EVERY = 8
"""Levels after which there is more room."""

_ROOM = 50 * _EVERY
"""Python's calls in as many levels, and then some."""


class _Depth(threading.local):
    levels = 0


_DEPTH = _Depth()
_LOCK = threading.Lock()  # the limit is one for all threads


def nested(method: Callable[P, R]) -> Callable[P, R]:
    """Let a method that calls itself for the modules inside go as deep as they are nested.

    Raises
    ------
    ModuleError
        Beyond `DEEPEST` levels.
    """

    @functools.wraps(method)
    def walked(*args: P.args, **kwargs: P.kwargs) -> R:
        levels = _DEPTH.levels = _DEPTH.levels + 1
        try:
            if levels % _EVERY:
                return method(*args, **kwargs)
            if levels > DEEPEST:
                raise ModuleError(
                    f"modules are nested more than {DEEPEST} deep, or hold themselves"
                )
            _change_limit(_ROOM)
            try:
                return method(*args, **kwargs)
            finally:
                _change_limit(-_ROOM)
        finally:
            _DEPTH.levels = levels - 1

    return walked


def _change_limit(calls: int) -> None:
    with _LOCK:
        sys.setrecursionlimit(sys.getrecursionlimit() + calls)


def far_inside(module: Any) -> list[Any]:
    """Return the modules at every 32nd level inside a module, the deepest first."""
    seen, level, found = {id(module)}, [module], []
    depth = 0
    while level:
        if depth and depth % 32 == 0:
            found += level
        below = []
        for outer in level:
            for inner in outer.inside() if hasattr(outer, "inside") else ():
                if id(inner) not in seen:
                    seen.add(id(inner))
                    below.append(inner)
        level = below
        depth += 1
    return found[::-1]
