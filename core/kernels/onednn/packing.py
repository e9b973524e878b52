"""Filters in oneDNN's own orders, kept while nobody writes to them.

To bring the filters of a network into order takes as long as a third of its work on one image.
So filters that were the same in two calls are kept in order from then on, unless others may write
to their memory. Whether they are the same is known from the version that an operation announces.
A backward pass announces nothing: filters are then those that were announced last at this place.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend.pool import Loan
from .library import library
from .memory import Array, address


class _Entry:
    """One array of filters, as it was last seen.

    Attributes
    ----------
    state : tuple
        The cell, and its count.
    again : bool
        Whether it was met before in this state.
    packed : array or None
        The filters in order, from the second call in the same state on.
    """

    __slots__ = ("again", "packed", "root", "state")

    def __init__(self, state: tuple[Any, ...], root: Any) -> None:
        self.state, self.root, self.packed = state, root, None
        self.again = False


_ENTRIES: dict[tuple[Any, ...], _Entry] = {}
_CELLS: dict[tuple[Any, ...], tuple[Any, Any]] = {}
_ORDERS: defaultdict[tuple[int, ...], list[tuple[ctypes.c_void_p, Any]]] = defaultdict(list)
_LOCK = threading.Lock()


def number_of(shape: tuple[int, ...], order: ctypes.c_void_p, owner: Any) -> int:
    """Return a number that orders of filters of this shape have in common if they are equal.

    Parameters
    ----------
    owner : object
        What the order belongs to; it is kept.
    """
    same = library().same_descriptor
    with _LOCK:
        known = _ORDERS[shape]
        for number, (other, _) in enumerate(known):
            if same(order, other):
                return number
        known.append((order, owner))
        return len(known) - 1


def kept(w: Array, cell: Any, order: int, pack: Callable[[Array], Array]) -> Array:
    """Return `pack(w)`, or what it returned for the same filters before.

    Parameters
    ----------
    w : array
        Contiguous filters.
    cell : dict or None
        What `announced` returned for them. Where none was ever announced, or others write to the
        memory without counting, they are packed anew.
    order : int
        The number of the order that `pack` brings them into.
    """
    entry = _entry(w, cell, order)
    if entry is None or not entry.again:
        return pack(w)
    if entry.packed is None:
        entry.packed = pack(w)
    return entry.packed


def settled(w: Array, cell: Any, order: int) -> bool:
    """Whether filters are those of the last call that asked for this order, here or in `kept`."""
    entry = _entry(w, cell, order)
    return entry is not None and entry.again


def _entry(w: Array, cell: Any, order: int) -> _Entry | None:
    """Return what is known of filters in their present state, None where nothing can be."""
    place, root = (address(w), w.shape), _root(w)
    known = _CELLS.get(place)
    if known is not None and known[1]() is not root:
        known = None  # of memory that is going, which the pool has lent again
    if cell is None:
        cell = None if known is None else known[0]
    elif known is None or known[0] is not cell:
        _CELLS[place] = cell, weakref.ref(root, lambda gone: _forget(_CELLS, place, gone))
    if cell is None or "exposed" in cell:
        return None
    key = (*place, order)
    state = id(cell), cell["count"] if cell else 0
    entry = _ENTRIES.get(key)
    if entry is None or entry.state != state or entry.root[1]() is not root:
        gone = weakref.ref(root, lambda gone: _forget(_ENTRIES, key, gone))
        entry = _ENTRIES[key] = _Entry(state, (cell, gone))
    else:
        entry.again = True
    return entry


def _forget(kept: dict[tuple[Any, ...], Any], key: tuple[Any, ...], gone: Any) -> None:
    """Drop what is kept for memory that has gone, unless other memory is there by now."""
    found = kept.get(key)
    reference = found.root[1] if isinstance(found, _Entry) else found and found[1]
    if reference is gone:
        kept.pop(key, None)


def _root(w: Array) -> Array:
    """Return the array that lives as long as the memory of `w` is its own."""
    while isinstance(w.base, np.ndarray) and type(w) is not Loan:
        w = w.base
    return w
