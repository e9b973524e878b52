"""Primitives: computations of fixed shapes that are made ready once and run often.

Making one compiles code for its shapes, which takes a millisecond; running one from Python, a
few microseconds. So each thread keeps those that it used last, with their argument lists.
"""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ...backend.pool import SMALLEST, empty
from ..threads import get_num_threads
from .library import failure, library
from .memory import Array, Descriptor, address, owned

T = TypeVar("T")

SRC, DST, WEIGHTS, BIAS = 1, 17, 33, 41
SRC_1 = 2
MEAN, VARIANCE, SCALE, SHIFT = 49, 50, 51, 52
DIFF_SRC, DIFF_DST, DIFF_WEIGHTS, DIFF_BIAS = 129, 145, 161, 169
DIFF_SCALE, DIFF_SHIFT = 255, 256
POST_OP = 32768
"""Numbers of arguments; POST_OP * (i + 1) + SRC_1 is that of the operation i that follows."""

FORWARD_TRAINING, FORWARD = 64, 96
"""Kinds of propagation; the second keeps nothing for a backward pass."""

QUERY_SRC, QUERY_WEIGHTS, QUERY_DIFF_WEIGHTS = 129, 131, 132

KEPT = 1024
"""How many primitives a thread keeps."""


class _Kept(threading.local):
    def __init__(self) -> None:
        self.found: OrderedDict[Any, Any] = OrderedDict()
        self.threads = 0


_KEPT = _Kept()


def prepared(key: tuple[Any, ...], make: Callable[..., T], *args: Any) -> T:
    """Return `make(*args)`, made once for each key and thread.

    The objects that it makes are used by one thread at a time: each has its own. They compute
    with the number of threads that was set when they were made, so with another they are made anew.
    """
    if _KEPT.threads != (threads := get_num_threads()):
        _KEPT.found, _KEPT.threads = OrderedDict(), threads
    kept = _KEPT.found
    found: T | None = kept.get(key)
    if found is None:
        found = kept[key] = make(*args)
        if len(kept) > KEPT:
            kept.popitem(last=False)
    else:
        kept.move_to_end(key)
    return found


class Description:
    """What a primitive will compute, with the orders of memory that oneDNN has chosen.

    Parameters
    ----------
    name : str
        "convolution_forward" and the like.
    *args
        Arguments of the function that makes it.
    """

    __slots__ = ("__weakref__", "handle")

    def __init__(self, name: str, *args: Any) -> None:
        handles = [x.handle if isinstance(x, (Descriptor, Description)) else x for x in args]
        made = library().create(f"{name}_primitive_desc_create", *handles)
        self.handle: ctypes.c_void_p = made
        owned(self, "primitive_desc_destroy", made)

    def chosen(self, query: int) -> ctypes.c_void_p:
        """Return the order of an argument; it belongs to this object."""
        return ctypes.c_void_p(library().query(self.handle, query, 0))


class _Argument(ctypes.Structure):
    _fields_ = (("number", ctypes.c_int), ("memory", ctypes.c_void_p))


class Primitive:
    """A computation that is ready to run.

    Parameters
    ----------
    description : Description
    arguments : sequence of (number, order of memory)
        In the order in which calls give their addresses.

    Notes
    -----
    Not for several threads at once: the addresses of a call are kept in the object.
    """

    __slots__ = (
        *("__weakref__", "_arguments", "_count", "_handle"),
        *("_memories", "_places", "_run", "_running"),
    )

    def __init__(
        self, description: Description, arguments: Sequence[tuple[int, ctypes.c_void_p]]
    ) -> None:
        lib = library()
        self._handle = lib.create("primitive_create", description.handle)
        owned(self, "primitive_destroy", self._handle)
        self._memories: list[ctypes.c_void_p] = []
        self._places: tuple[int, ...] = ()
        self._running: tuple[int, ...] = ()
        self._count = len(arguments)
        self._arguments = (_Argument * self._count)()
        for slot, (number, descriptor) in zip(self._arguments, arguments, strict=True):
            memory = lib.create("memory_create", descriptor, lib.engine, None)
            owned(self, "memory_destroy", memory)
            self._memories.append(memory)
            slot.number, slot.memory = number, memory.value
        self._run = lib.execute

    def __call__(self, *places: int) -> None:
        """Compute, with the arguments at these addresses.

        Raises
        ------
        KernelLibraryError
            If oneDNN reports a failure.
        """
        lib = library()
        outer, self._running = self._running, places
        try:
            if places != self._places:
                self._point_to(places)
            if status := self._run(self._handle, lib.stream, self._count, self._arguments):
                raise failure("primitive_execute", status)
        finally:
            self._running = outer
            if outer:  # a signal handler or finaliser computes amid the lines above
                self._point_to(outer)

    def _point_to(self, places: tuple[int, ...]) -> None:
        set_handle = library().set_handle
        self._places = ()
        for memory, place in zip(self._memories, places, strict=True):
            set_handle(memory, place)
        self._places = places


def reorder(source: ctypes.c_void_p, target: ctypes.c_void_p) -> Primitive:
    """Return the primitive that copies from one order of memory to another."""
    engine = library().engine
    made = Description("reorder", source, engine, target, engine, None)
    return Primitive(made, [(SRC, source), (DST, target)])


def buffer(descriptor: ctypes.c_void_p) -> Array:
    """Return new memory in an order that only oneDNN knows; on a cache line of its own."""
    size = library().memory_size(descriptor)
    if size >= SMALLEST:
        return empty((size,), np.uint8)
    raw = np.empty(size + 64, np.uint8)
    start = -address(raw) % 64
    return raw[start : start + size]
