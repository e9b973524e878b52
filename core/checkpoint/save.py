"""save, dumps and dump_all."""

from __future__ import annotations

import io
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Literal

from .encoder import AsciiEncoder, BinaryEncoder, Encoder
from .errors import T7Error
from .extent import Measure, Reached, Whole
from .writer import ObjectWriter

Format = Literal["binary", "ascii"]
Storages = Literal["reached", "whole"]

_ENCODERS: dict[str, type[Encoder]] = {"binary": BinaryEncoder, "ascii": AsciiEncoder}


def save(
    obj: Any,
    path: str | os.PathLike[str] | IO[bytes],
    format: Format = "binary",
    *,
    encoding: str = "utf-8",
    storages: Storages = "reached",
) -> None:
    """Write an object to a file that Torch7 itself loads.

    Parameters
    ----------
    obj : object
        Tables, dicts, lists and tuples become Lua tables; Tensors and NumPy arrays
        torch.*Tensor, with their memory layout (0-d ones with one element, bool as
        ByteTensor, negative strides copied); Storages torch.*Storage; None, bool, int, float,
        str and bytes themselves; objects of registered classes, TorchObject, LuaFunction and
        tds containers what they were. The same object twice is written once.
    path : path or binary file object
        A path's file appears when it is complete: it is written beside and then renamed, so
        that a failure leaves nothing behind and an existing file as it was.
    format : {"binary", "ascii"}
    encoding : str
        Of strings, with surrogateescape: that of `load`.
    storages : {"reached", "whole"}
        A tensor is written with its storage, as Torch7 does. Where more than 64 KiB of a
        storage are reached by no tensor in the file, "reached" leaves out what lies before
        the first and after the last element that is; "whole" writes every storage whole.
        A Storage that is an object of its own is always whole.

    Raises
    ------
    T7Error
        For a value that Torch7 has nothing for, with its path, and for a name that ends with
        .safetensors or .npz, which `save_state` writes.
    """
    _check_options(format, storages)
    if not isinstance(path, (str, os.PathLike)):
        _write([obj], path, format, encoding, storages)
        return
    name = os.fspath(path)
    if name.endswith((".safetensors", ".npz")):
        raise T7Error(
            f"{name} would be a Torch7 file under the name of another format",
            hint="save_state writes a state_dict there; choose a name that ends with .t7",
        )
    try:
        _write_atomically(obj, name, format, encoding, storages)
    except T7Error as error:
        error.file = name
        raise


def dumps(
    obj: Any,
    format: Format = "binary",
    *,
    encoding: str = "utf-8",
    storages: Storages = "reached",
) -> bytes:
    """Return what `save` would write, as bytes: the counterpart of `loads`."""
    return dump_all([obj], format, encoding=encoding, storages=storages)


def dump_all(
    objects: Iterable[Any],
    format: Format = "binary",
    *,
    encoding: str = "utf-8",
    storages: Storages = "reached",
) -> bytes:
    """Return several objects, one after the other, as bytes: the counterpart of `load_all`."""
    _check_options(format, storages)
    file = io.BytesIO()
    _write(list(objects), file, format, encoding, storages)
    return file.getvalue()


def _check_options(format: str, storages: str) -> None:
    if format not in _ENCODERS:
        raise ValueError(f"format is 'binary' or 'ascii'; given {format!r}")
    if storages not in ("reached", "whole"):
        raise ValueError(f"storages is 'reached' or 'whole'; given {storages!r}")


def _write(objects: list[Any], file: IO[bytes], format: str, encoding: str, storages: str) -> None:
    def measure() -> Measure:
        measured = Measure()
        walk = ObjectWriter(_ENCODERS[format](None), encoding, measured)
        for obj in objects:
            walk.write(obj)
        return measured

    extents = Whole() if storages == "whole" else Reached(measure)
    encoder = _ENCODERS[format](file)
    writer = ObjectWriter(encoder, encoding, extents)
    for obj in objects:
        writer.write(obj)
    encoder.flush()


def _write_atomically(obj: Any, name: str, format: str, encoding: str, storages: str) -> None:
    with replacing(name) as path, open(path, "wb") as file:
        _write([obj], file, format, encoding, storages)


@contextmanager
def replacing(name: str) -> Iterator[str]:
    """Yield where to write a file called `name`, which appears when the block ends well.

    What was mapped from an existing file of that name stays as it was. A pipe or a device is
    written itself.
    """
    target = os.path.realpath(name)  # a link stays one
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):  # a pipe, or /dev/stdout
        yield target
        return
    temporary = f"{target}.{secrets.token_hex(4)}.part"
    try:
        open(temporary, "xb").close()
        yield temporary
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename = name
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
