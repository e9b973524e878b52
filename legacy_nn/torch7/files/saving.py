"""torch.save, load, serialize and deserialize, as Torch7's, for programs written against it.

`rekindle.load` and `rekindle.save` do the same with more comfort: formats found by content,
text as utf-8, memory mapped.

Source: torch7 File.lua, doc/serialization.md.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import numpy as np

from rekindle.core import dtypes
from rekindle.core.backend import to_numpy
from rekindle.core.checkpoint.save import replacing
from rekindle.core.storage import Storage

from ..errors import TorchError
from .classes import FileClasses
from .disk_file import DiskFile
from .errors import bad_argument
from .memory_file import MemoryFile

F = TypeVar("F", DiskFile, MemoryFile)
PathLike = str | os.PathLike[str]


def save(
    filename: PathLike,
    object: Any,
    mode: str | None = None,
    referenced: bool | None = None,
    *,
    classes: FileClasses | None = None,
) -> None:
    """Write an object to a file.

    An existing file is replaced once the new one is complete.

    Parameters
    ----------
    filename : str or path
    object : object
    mode : {"binary", "ascii"}, optional
    referenced : bool, optional
        False writes an object that comes twice twice.
    classes : FileClasses, optional

    Raises
    ------
    TorchError
        If the file cannot be written, or the object has something that cannot.
    """
    if mode not in (None, "binary", "ascii"):
        raise TorchError('"binary" or "ascii" (or nil) expected for mode')
    _check_referenced(referenced)
    name = os.fspath(filename)
    try:
        with replacing(name) as path:
            file = _in_mode(DiskFile(path, "w", classes=classes), mode)
            try:
                file.referenced(referenced is not False).writeObject(object)
            finally:
                file.close()
    except OSError as error:
        if error.filename is None:  # the disk is full
            raise
        raise DiskFile.not_opened(name, " w") from error


def load(
    filename: PathLike,
    mode: str | None = None,
    referenced: bool | None = None,
    *,
    classes: FileClasses | None = None,
) -> Any:
    """Read the object in a file.

    Parameters
    ----------
    filename : str or path
    mode : {"binary", "b32", "b64", "ascii"}, optional
        "b32" and "b64" say how many bits a long has in the file.
    referenced : bool, optional
        False makes every object a new one.
    classes : FileClasses, optional

    Raises
    ------
    TorchError
        If the file cannot be opened, ends early, or holds an object of an unknown class.
    T7Error
        If it is damaged.
    """
    if mode not in (None, "binary", "b32", "b64", "ascii"):
        raise TorchError('"binary", "b32", "b64" or "ascii" (or nil) expected for mode')
    _check_referenced(referenced)
    file = _in_mode(DiskFile(os.fspath(filename), "r", classes=classes), mode)
    try:
        return file.referenced(referenced is not False).readObject()
    finally:
        file.close()


def serializeToStorage(
    object: Any, mode: str | None = None, *, classes: FileClasses | None = None
) -> Storage:
    """Return what `save` would write, as a CharStorage."""
    file = _in_mode(MemoryFile(classes=classes), mode)
    file.writeObject(object)
    return Storage(file.storage().array[:-1])


def serialize(object: Any, mode: str | None = None, *, classes: FileClasses | None = None) -> str:
    """Return what `save` would write, as a string of one character per byte."""
    raw: bytes = to_numpy(serializeToStorage(object, mode, classes=classes).array).tobytes()
    return raw.decode("latin-1")


def deserializeFromStorage(
    storage: Storage, mode: str | None = None, *, classes: FileClasses | None = None
) -> Any:
    """Return the object that `serializeToStorage` wrote.

    Raises
    ------
    BadArgument
        For an empty storage.
    """
    if not storage.size:
        reason = "dimension 1 out of range of 0D tensor at torch7/generic/Tensor.c:18"
        raise bad_argument(2, reason, "size")
    ended = np.zeros(storage.size + 1, dtypes.int8)
    ended[:-1] = to_numpy(storage.array)
    return _in_mode(MemoryFile(Storage(ended), "r", classes=classes), mode).readObject()


def deserialize(
    text: str | bytes, mode: str | None = None, *, classes: FileClasses | None = None
) -> Any:
    """Return the object that `serialize` wrote.

    Raises
    ------
    BadArgument
        For an empty string.
    """
    raw = text if isinstance(text, bytes) else text.encode("latin-1")
    chars = np.frombuffer(raw, dtypes.int8)
    return deserializeFromStorage(Storage(chars), mode, classes=classes)


def _in_mode(file: F, mode: str | None) -> F:
    if mode in ("b32", "b64"):
        file.longSize(4 if mode == "b32" else 8)
    elif mode not in (None, "binary", "ascii"):
        raise TorchError(f'"binary" or "ascii" (or nil) expected for mode; given {mode!r}')
    return file.ascii() if mode == "ascii" else file.binary()


def _check_referenced(referenced: bool | None) -> None:
    if referenced not in (None, True, False):
        raise TorchError("true or false (or nil) expected for referenced")
