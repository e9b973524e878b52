"""Tensors on memory that processes share.

`Tensor.share_memory_()` moves a tensor's storage into a named block of
`multiprocessing.shared_memory`. Sent to another process (as an argument of a Process, through
a Queue or a Pipe) it arrives as the name, and is a tensor on the same memory there. A block
lives until no tensor of the process that made it is left; others that have it keep it.
"""

from __future__ import annotations

import os
import weakref
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

from . import backend
from .autograd.versions import expose
from .backend import CPU
from .errors import RekindleError, SharingError
from .resizing import replace_memory
from .storage import Storage


class LostMemoryError(RekindleError, RuntimeError):
    """A tensor that arrived after the process that shared it had let it go."""


class Block:
    """Memory that processes share, as what arrays are made on; it lives as long as they do.

    Parameters
    ----------
    memory : SharedMemory
    """

    def __init__(self, memory: SharedMemory) -> None:
        self.memory = memory
        # An array made from this interface keeps the block, but exports no buffer of the
        # memory, which could not be closed then.
        self.__array_interface__ = {
            "version": 3,
            "shape": (memory.size,),
            "typestr": "|u1",
            "data": (np.frombuffer(memory.buf or b"", np.uint8).ctypes.data, False),
        }

    def array(self, count: int, dtype: Any) -> np.ndarray[Any, Any]:
        """Return an array of `count` elements on the block."""
        return np.asarray(self)[: count * np.dtype(dtype).itemsize].view(dtype)


def new_block(nbytes: int) -> Block:
    """Return a block of uninitialised memory.

    Raises
    ------
    OSError
        Where the system has no more of it: /dev/shm is small in many containers.
    """
    return Block(SharedMemory(create=True, size=max(nbytes, 1)))


def open_block(name: str) -> Block:
    """Return a block that another process made.

    Raises
    ------
    LostMemoryError
        If it is gone.
    """
    try:
        return Block(SharedMemory(name=name))
    except FileNotFoundError:
        raise LostMemoryError(
            f"the shared memory {name} is gone: the process that shared the tensor has to keep "
            "it until this one has received it"
        ) from None


def block_of(array: Any) -> Block | None:
    """Return the block that an array is on; None for ordinary memory."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, Block) else None


_STORAGES: weakref.WeakValueDictionary[str, Storage] = weakref.WeakValueDictionary()
"""The storages of this process that are shared: one for each block, however often it arrives."""


def share_storage(storage: Storage) -> None:
    """Move a storage, and the tensors on it, to shared memory; nothing if it is there.

    Raises
    ------
    SharingError
        If it is on a GPU.
    UseError
        If an operation that was recorded made a tensor on it.
    """
    array = storage.array
    if backend.device_of(array) != CPU:
        raise SharingError("memory of a GPU is not shared between processes: .cpu() first")
    if block_of(array) is not None:
        return
    block = new_block(array.nbytes)
    shared = block.array(array.size, array.dtype)
    shared[...] = array
    replace_memory(storage, shared)
    expose(storage.cell)
    weakref.finalize(block, _unlink, block.memory, os.getpid())
    _STORAGES[block.memory.name] = storage


def _unlink(memory: SharedMemory, owner: int) -> None:
    if os.getpid() == owner:  # and not a child that inherited the block
        memory.unlink()


def _reduced(storage: Storage) -> tuple[Any, ...]:
    """Return what a storage is sent to another process as."""
    block = block_of(storage.raw)
    if block is None:
        return storage.__reduce__()
    return _arrived, (block.memory.name, storage.size, storage.dtype.str)


def _arrived(name: str, size: int, dtype: str) -> Storage:
    found = _STORAGES.get(name)
    if found is None:
        found = _STORAGES[name] = Storage(open_block(name).array(size, dtype))
    return found


ForkingPickler.register(Storage, _reduced)
