"""Torch7's storages: the methods that Lua sees on core's Storage, counting from 1.

Source: torch7 generic/Storage.c.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rekindle.core.autograd.versions import count_write
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import storage_class
from rekindle.core.dtypes import Dtype
from rekindle.core.resizing import resize_storage
from rekindle.core.storage import Storage

from .checks import as_int, as_number, type_text
from .errors import BadArgument, TorchError
from .memory import convert_number
from .printing import storage_text
from .resizing import cast

STORAGE_METHODS: dict[str, Callable[..., Any]] = {}


def _method(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            STORAGE_METHODS[name] = body
        return body

    return register


def construct_storage(dtype: Dtype, args: Sequence[Any]) -> Storage:
    """Return what `torch.DoubleStorage(...)` makes: of a size, a table, or part of a storage."""
    first = args[0] if args else None
    if isinstance(first, (Table, list, tuple)):
        numbers = first.array() if isinstance(first, Table) else list(first)
        for i, x in enumerate(numbers, 1):
            if isinstance(x, bool) or not isinstance(x, (int, float)):
                raise TorchError(f"element at index {i} is not a number")
        return Storage(np.array([convert_number(x, dtype) for x in numbers], dtype))
    if isinstance(first, Storage):
        offset = as_int(args[1], 2) - 1 if len(args) > 1 and args[1] is not None else 0
        if not 0 <= offset < first.size:
            raise TorchError("offset out of bounds")
        length = as_int(args[2], 3) if len(args) > 2 else first.size - offset
        if not 1 <= length <= first.size - offset:
            raise TorchError("size out of bounds")
        return Storage(first.array[offset : offset + length], first.cell)
    if isinstance(first, str):
        return _mapped(dtype, first, args[1:])
    return Storage(np.zeros(as_int(0 if first is None else first, 1), dtype))


SHARED_MEMORY = Path("/dev/shm")
"""Where Linux has the memory that processes share by name."""


def _mapped(dtype: Dtype, name: str, rest: Sequence[Any]) -> Storage:
    shared = bool(rest[0]) if rest else False
    size = as_int(rest[1], 3) if len(rest) > 1 and rest[1] is not None else 0
    in_memory = len(rest) > 2 and bool(rest[2])
    path = SHARED_MEMORY / name if in_memory else Path(name)
    shape = (size,) if size else None
    if (shared or in_memory) and size:
        with open(path, "ab") as file:
            file.truncate(max(file.tell(), size * dtype.itemsize))
    mode: Any = "r+" if shared or in_memory else "c"
    storage = Storage(np.asarray(np.memmap(path, dtype, mode, shape=shape)))
    if in_memory:  # as Torch7 does, the name goes with the storage
        weakref.finalize(storage, path.unlink, missing_ok=True)
    return storage


@_method("size", "__len")
def size(self: Storage, *_: Any) -> int:
    """Return the number of elements."""
    return self.size


@_method("elementSize")
def element_size(self: Storage) -> int:
    """Bytes of an element."""
    return self.dtype.itemsize


def _place(self: Storage, key: Any) -> int:
    index = as_int(key, 2) - 1
    if not 0 <= index < self.size:
        raise BadArgument(2, "index out of bounds")
    return index


@_method("__index")
def get(self: Storage, key: Any) -> Any:
    """Element `key`, from 1."""
    return self.array[_place(self, key)].item()


@_method("__newindex")
def put(self: Storage, key: Any, value: Any) -> None:
    """Assign element `key`."""
    self.array[_place(self, key)] = convert_number(as_number(value, 3), self.dtype)
    count_write(self.cell, "[]")


@_method("fill")
def fill(self: Storage, value: Any = None) -> Storage:
    """Make all elements `value`."""
    self.array[...] = convert_number(as_number(value, 2), self.dtype)
    count_write(self.cell, "fill")
    return self


@_method("copy")
def copy(self: Storage, other: Any = None) -> Storage:
    """Copy a storage of the same size and any type."""
    if not isinstance(other, Storage):
        raise BadArgument(2, f"torch.*Storage expected, got {type_text(other)}")
    if other.size != self.size:
        raise BadArgument(2, "size mismatch")
    self.array[...] = cast(other.array, self.dtype)
    count_write(self.cell, "copy")
    return self


@_method("resize")
def resize(self: Storage, size: Any = None, *_: Any) -> Storage:
    """Change the number of elements; tensors on the storage stay on it."""
    resize_storage(self, as_int(size, 2))
    return self


@_method("totable")
def totable(self: Storage) -> Table:
    """Return a table of the elements."""
    return Table(self.tolist())


@_method("string")
def string(self: Storage, text: str | None = None) -> Any:
    """Return the bytes as a string, or take those of a string."""
    if self.dtype.itemsize != 1:
        raise TorchError(f"{storage_class(self.dtype)} has no method 'string'")
    if text is None:
        return self.array.tobytes().decode("latin-1")
    data = np.frombuffer(text.encode("latin-1"), self.dtype)
    resize_storage(self, data.size)
    self.array[...] = data
    count_write(self.cell, "string")
    return self


@_method("type")
def type_(self: Storage) -> str:
    """Return the name of the type."""
    return storage_class(self.dtype)


@_method("__tostring")
def text(self: Storage) -> str:
    """Return what print prints."""
    return storage_text(self)
