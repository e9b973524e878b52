"""The package tds: hashes and vectors outside of Lua's memory, and a counter for threads.

- `containers`: what they take, and how tables become them
- `hash`, `vec`: tds.Hash and tds.Vec; the classes themselves are core's TdsHash and TdsVec
- `atomic`: tds.AtomicCounter

`FUNCTIONS` is what becomes `tds.<name>`, `CLASSES` the classes by their names in files.
"""

from collections.abc import Callable
from typing import Any

from rekindle.core.checkpoint import TdsHash, TdsVec

from .atomic import AtomicCounter as AtomicCounter
from .hash import Hash as Hash
from .vec import Vec as Vec

CLASSES: dict[str, type] = {
    "tds.Hash": TdsHash,
    "tds.Vec": TdsVec,
    "tds.AtomicCounter": AtomicCounter,
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Hash": Hash,
    "hash": Hash,
    "Vec": Vec,
    "vec": Vec,
    "AtomicCounter": AtomicCounter,
    "atomic_counter": AtomicCounter,
}
