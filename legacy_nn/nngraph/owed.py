"""Copies of a gradient that are made when somebody looks.

CAddTable gives each of its inputs a copy of gradOutput. In an LSTM that is the gradient of all its
gates, which SplitTable puts together; the Linear modules before the sum only read it, and nobody
ever looks at the copies in the field, which are half of what going back writes. So they are owed:
the tensors in the field have shape and dtype, and get memory once their values are asked for, or
before anybody writes into what they are copies of. That memory is private as in core/waiting.py
says, and the mark in its cell names the `Owing` that put it there: it alone may go on writing, and
owes copies of the new values then.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from threading import Lock
from typing import Any, Self

from numpy import ndarray

from rekindle.core.autograd.versions import count_write
from rekindle.core.backend import holds_alone
from rekindle.core.dtypes import Dtype
from rekindle.core.ops.adoption import HELD_BY_TENSOR, HELD_HERE
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.core.waiting import PRIVATE, wait

from ..linear import Linear
from ..shape import Reshape, View
from ..table import SplitTable
from ..table_arithmetic import CAddTable
from .pulls import PULLS, entries_of

_LEAST = 1 << 14
"""Bytes from which on making copies takes longer than owing them."""

_LOCK = Lock()


class Owed:
    """What a tensor has in the place of a chain while it is owed a copy of an array.

    Attributes
    ----------
    shape : tuple of int
    dtype : Dtype
    source : array or None
        What to copy; None once that has happened.
    value : array or None
        The copy.
    """

    __slots__ = ("__weakref__", "dtype", "shape", "source", "value")

    def __init__(self, source: ndarray[Any, Any]) -> None:
        self.shape = source.shape
        self.dtype: Dtype = source.dtype
        self.source: Any = source
        self.value: Any = None

    def evaluated(self) -> Any:
        """Return the copy, the same array every time."""
        with _LOCK:
            if self.source is not None:
                self.value = self.source.copy()
                self.source = None
        return self.value


class Owing:
    """Rules for SplitTable and for CAddTable, with Reshape or View between or nothing.

    Parameters
    ----------
    split, last : Module
        The SplitTable, and what gives CAddTable its gradOutput: Reshape, View or that same module.
    """

    def __init__(self, split: Any, last: Any) -> None:
        self._split = split
        self._last = last

    @classmethod
    def of(cls, modules: Sequence[Any], users: Sequence[Any]) -> Self | None:
        """Return the rules for modules that are asked one right after the other, if they fit.

        Parameters
        ----------
        modules : sequence of Module
            Two or three, each of which gives the next one all that arrives there.
        users : sequence of Module
            Those that the last one has gradients for.
        """
        split, *between, table = modules
        fits = (
            type(split) is SplitTable
            and all(type(module) in (Reshape, View) for module in between)
            and type(table) is CAddTable
            and [type(module) for module in users] == [Linear, Linear]
        )
        return cls(split, [split, *between][-1]) if fits else None

    def pull_split(self, module: Any, g: Any, x: Any) -> Any:
        """Do what the rule of SplitTable does, in memory that copies are owed of."""
        own = module.gradInput
        cell = own._version if type(own) is Tensor else {}
        if cell.get(PRIVATE) is not self:
            return PULLS[SplitTable](module, g, x)
        del cell[PRIVATE]  # nothing is handed out below
        try:
            return PULLS[SplitTable](module, g, x)
        finally:
            cell[PRIVATE] = self

    def pull_sum(self, module: Any, g: Any, x: Any, y: Any) -> Any:
        """Return gradOutput itself for both inputs, and owe the copies in the field."""
        own = entries_of(module)
        if module.inplace or not self._fits(g, x, y) or not all(map(_unseen, own)):
            return PULLS[CAddTable](module, g, x, y)
        if not all(_owes(tensor, g) for tensor in own) and not self._owe(own, g):
            return PULLS[CAddTable](module, g, x, y)
        for tensor in own:
            count_write(tensor._version, "copy_")
        return g, g

    def _fits(self, g: Any, x: Any, y: Any) -> bool:
        if not (type(g) is type(x) is type(y) is Tensor and g is self._last.gradInput):
            return False
        a, b, c = g._array, x._array, y._array
        return (
            type(a) is type(b) is type(c) is ndarray
            and a.dtype is b.dtype is c.dtype
            and a.shape == b.shape == c.shape
            and a.nbytes >= _LEAST
        )

    def _owe(self, own: Sequence[Tensor], g: Tensor) -> bool:
        """Let tensors have copies of `g` when they are asked for, if that can be; return that."""
        memory = self._split.gradInput
        cell = g._version
        if type(memory) is not Tensor or memory._version is not cell:
            return False
        if cell.get(PRIVATE) is not self and not _is_private(memory, g):
            return False
        cell.setdefault("count", 0)
        cell[PRIVATE] = self
        for tensor in own:
            owed: Any = Owed(g._array)
            wait(owed, [cell])
            tensor._array, tensor._chain = None, owed
        return True


def _is_private(memory: Tensor, g: Tensor) -> bool:
    """Whether nobody else knows the memory of a tensor, all of which another one may view."""
    array, views = memory._array, int(g is not memory)
    if (
        type(array) is not ndarray
        or not holds_alone(array)
        or memory._node is not None
        or hasattr(memory, "_mirror")
        or hasattr(g, "_mirror")
        or (g._array if g is memory else g._array.base) is not array
    ):
        return False
    known = 0
    if hasattr(memory, "_storage"):
        if not _is_alone(memory._storage, array, views + 1):
            return False
        known = 1
    if views and hasattr(g, "_storage") and g._storage is not getattr(memory, "_storage", None):
        return False
    del array
    return getrefcount(memory._array) == HELD_BY_TENSOR + views + known and (
        not views or getrefcount(g._array) == HELD_BY_TENSOR
    )


def _is_alone(storage: Storage, array: Any, tensors: int) -> bool:
    """Whether the storage of an array is known to so many tensors, and its memory to nobody."""
    twice = storage._raw is storage._array
    return (
        getrefcount(storage) == HELD_HERE + tensors
        and storage._raw.base is array
        and getrefcount(storage._raw) == HELD_BY_TENSOR + twice
    )


def _owes(tensor: Tensor, g: Tensor) -> bool:
    """Whether a tensor is owed a copy of another one already."""
    owed: Any = None if tensor._array is not None else tensor._chain
    return owed is not None and owed.source is g._array


def _unseen(tensor: Any) -> bool:
    """Whether nobody knows the memory of a tensor, if it has some, so that others will do."""
    if (
        type(tensor) is not Tensor
        or tensor._node is not None
        or hasattr(tensor, "_storage")
        or hasattr(tensor, "_mirror")
    ):
        return False
    kept, array = getattr(tensor, "_chain", None), tensor._array
    if array is None:
        return type(kept) is Owed
    held = HELD_BY_TENSOR + (type(kept) is Owed and kept.value is array)
    alone = type(array) is ndarray and holds_alone(array)
    del array
    return alone and getrefcount(tensor._array) == held
