"""How arrays lie in memory, and how oneDNN is told.

Images are kept channels-last: an array of shape (N, C, *spatial) whose channels are neighbours
in memory. That is the order in which oneDNN is fastest, and to NumPy it is an array like any
other.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from typing import Any

import numpy as np

from ...backend import empty
from .library import dims, library

Array = Any
Layout = str

FIRST, LAST = "channels first", "channels last"
F32, ANY = 3, 1
"""oneDNN's number for float32, and for "in the order that is best"."""

_SINGLE = np.dtype(np.float32)


class Descriptor:
    """Shape and order of an array, as an object of oneDNN's.

    Attributes
    ----------
    handle : c_void_p
    """

    __slots__ = ("__weakref__", "handle")

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self.handle = handle
        owned(self, "memory_desc_destroy", handle)


def owned(owner: object, destroy: str, handle: ctypes.c_void_p) -> None:
    """Let an object of oneDNN's go with the object that holds it; at exit all go anyway."""
    weakref.finalize(owner, library().call, destroy, handle).atexit = False


@functools.lru_cache(4096)
def steps(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """Return the strides, in elements, of a dense array in one of the two orders."""
    order = range(len(shape)) if layout == FIRST else (0, *range(2, len(shape)), 1)
    found = [0] * len(shape)
    step = 1
    for axis in reversed(order):
        found[axis] = step
        step *= shape[axis]
    return tuple(found)


@functools.lru_cache(4096)
def described(shape: tuple[int, ...], strides: tuple[int, ...]) -> Descriptor:
    """Return the descriptor of a float32 array; strides count elements."""
    sizes = dims(shape)
    made = library().create(
        "memory_desc_create_with_strides", len(shape), sizes, F32, dims(strides)
    )
    return Descriptor(made)


@functools.lru_cache(1024)
def undecided(shape: tuple[int, ...]) -> Descriptor:
    """Return a descriptor that leaves the order to oneDNN."""
    return Descriptor(
        library().create("memory_desc_create_with_tag", len(shape), dims(shape), F32, ANY)
    )


def images(shape: tuple[int, ...]) -> Descriptor:
    """Return the descriptor of channels-last images."""
    return described(shape, steps(shape, LAST))


def empty_images(shape: tuple[int, ...]) -> Array:
    """Return new channels-last images with arbitrary contents."""
    return empty(shape, _SINGLE, _strides(shape))


@functools.lru_cache(4096)
def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in bytes, of channels-last images."""
    return tuple(4 * s for s in steps(shape, LAST))


def is_dense(x: Array, layout: Layout) -> bool:
    """Whether an array lies in an order, without gaps; strides where there is one do not count."""
    step = x.itemsize
    axes = range(x.ndim - 1, -1, -1) if layout == FIRST else (1, *range(x.ndim - 1, 1, -1), 0)
    shape, strides = x.shape, x.strides
    for axis in axes:
        n = shape[axis]
        if n != 1:
            if strides[axis] != step:
                return False
            step *= n
    return True


def address(x: Array) -> int:
    """Return where the first element is."""
    place: int = x.__array_interface__["data"][0]
    return place


def pointer(place: int) -> ctypes.c_void_p:
    """Return an address as C takes it."""
    return ctypes.c_void_p(place)
