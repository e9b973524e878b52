"""load, loads, load_all and load_lua."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Literal

from .ascii import AsciiDecoder
from .binary import BinaryDecoder
from .errors import RekindleWarning, T7Error
from .reader import ObjectReader
from .records import register_hint
from .sniff import is_big_endian, looks_like_ascii, refuse_other_formats
from .source import Source, open_source

File = str | os.PathLike[str] | IO[bytes]


def load(
    file: File,
    *,
    encoding: str | None = "utf-8",
    mmap: bool = True,
    engine: Literal["rekindle", "torchfile"] = "rekindle",
) -> Any:
    """Read the object in a Torch7 file, whatever its encoding, byte order and size of long.

    Parameters
    ----------
    file : path or binary file object
        A stream (a pipe, `gzip.open(...)`) is read to its end.
    encoding : str or None
        Of strings, with surrogateescape, so that any bytes survive; None leaves them bytes.
        "latin-1" gives one character per byte.
    mmap : bool
        Map storages of more than 1 MB instead of reading them. The mapping is private: what
        is written to a tensor never reaches the file. The file may be replaced or deleted
        while it is mapped, but not shortened in place.
    engine : {"rekindle", "torchfile"}
        "torchfile" hands the file to that package, for those who depend on its object model.

    Returns
    -------
    object
        Tables as Table, tensors and storages as Tensor and Storage on the CPU, objects of
        registered classes as instances of those, others as TorchObject, functions as
        LuaFunction, numbers as int where they are whole and within 2^53, else as float.

    Raises
    ------
    T7Error
        If the file is damaged, is not a Torch7 file, or holds a record that only its class
        can read.

    Warns
    -----
    RekindleWarning
        If more bytes follow the object.
    """
    if engine == "torchfile":
        return _load_with_torchfile(file, encoding)
    if engine != "rekindle":
        raise ValueError(f"engine is 'rekindle' or 'torchfile'; given {engine!r}")
    value, _ = _load(open_source(file, use_mmap=mmap), encoding)
    return value


def loads(data: bytes | bytearray | memoryview, *, encoding: str | None = "utf-8") -> Any:
    """Read the object that `torch.serialize` or `dumps` turned into bytes; see `load`."""
    value, _ = _load(Source(bytes(data), 0, None), encoding)
    return value


def load_all(file: File | bytes, *, encoding: str | None = "utf-8", mmap: bool = True) -> list[Any]:
    """Read all objects of a file, which may refer to each other; see `load`.

    Torch7 makes such files by several calls of `file:writeObject`.
    """
    source = Source(file, 0, None) if isinstance(file, bytes) else open_source(file, use_mmap=mmap)

    found, _ = _attempt(source, encoding, _read_all)
    values: list[Any] = found
    return values


def load_lua(
    file: File,
    unknown_classes: bool = False,
    long_size: int | None = None,
    *,
    encoding: str | None = "utf-8",
    mmap: bool = True,
) -> Any:
    """Read a file as PyTorch's `load_lua` did; see `load`.

    Parameters
    ----------
    unknown_classes : bool
        False refuses a file with classes that nobody registered and names them; True gives
        them as TorchObject.
    long_size : {4, 8}, optional
        Bytes of a long in a binary file; by default, and almost always rightly, found out.

    Raises
    ------
    T7Error
        As `load`, and for unknown classes.
    """
    source = open_source(file, use_mmap=mmap)
    value, reader = _load(source, encoding, long_size)
    if reader.unknown and not unknown_classes:
        names = ", ".join(sorted(reader.unknown))
        with _naming(source):
            raise T7Error(
                f"the file holds objects of unknown classes: {names}",
                hint="Register them with rekindle.register, or pass unknown_classes=True",
            )
    return value


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Put the name of the file into errors."""
    try:
        yield
    except T7Error as error:
        error.file = source.name
        raise


def _load(
    source: Source, encoding: str | None, long_size: int | None = None
) -> tuple[Any, ObjectReader]:
    """Read the only object of a file."""
    value, reader = _attempt(source, encoding, ObjectReader.read, long_size)
    rest = reader.decoder.unread()
    if rest and reader.unknown:
        name = next(reversed(reader.unknown))
        with _naming(source):
            raise reader.decoder.fail(
                f"{rest} bytes follow the object, so class {name} may write its own record",
                hint=register_hint(name)
                + f"; or, if one table is its record, register({name!r}, TorchObject); "
                "or read several objects with load_all",
            )
    if rest:
        label = f"{source.name}: " if source.name else ""
        warnings.warn(
            f"{label}{rest} bytes follow the object; load_all reads files of several objects",
            RekindleWarning,
            stacklevel=4,
        )
    return value, reader


def _read_all(reader: ObjectReader) -> list[Any]:
    found = [reader.read()]
    while reader.decoder.unread():
        found.append(reader.read())
    return found


def _attempt(
    source: Source,
    encoding: str | None,
    read: Callable[[ObjectReader], Any],
    long_size: int | None = None,
) -> tuple[Any, ObjectReader]:
    """Run `read` on a reader of `source`, whichever its format."""
    with _naming(source):
        head = source.data[source.start : source.start + 4096]
        refuse_other_formats(head)
        if looks_like_ascii(head):
            reader = ObjectReader(AsciiDecoder(source, encoding))
            return read(reader), reader
        big_endian = is_big_endian(head)
        decoder = BinaryDecoder(source, encoding, big_endian=big_endian, long_size=long_size)
        return _attempt_binary(decoder, read)


def _attempt_binary(
    decoder: BinaryDecoder, read: Callable[[ObjectReader], Any]
) -> tuple[Any, ObjectReader]:
    """Run `read`; where the size of a long was unclear and did not lead far, once more."""
    reader = ObjectReader(decoder)
    result: tuple[Any, ObjectReader] | None = None
    failure: T7Error | None = None
    try:
        result = read(reader), reader
    except T7Error as error:
        failure = error
    if decoder.unsure_of_long_size and (failure is not None or decoder.unread()):
        other = decoder.with_other_longs()
        reader = ObjectReader(other)
        with suppress(T7Error):  # the first attempt's error is the one to report
            found = read(reader)
            if not other.unread():
                return found, reader
    if failure is not None:
        raise failure
    assert result is not None
    return result


def _load_with_torchfile(file: File, encoding: str | None) -> Any:
    import torchfile

    if encoding not in (None, "utf-8"):
        raise ValueError(f"torchfile reads strings as bytes or utf-8; given encoding {encoding!r}")
    options = {"utf8_decode_strings": encoding is not None, "use_list_heuristic": False}
    if isinstance(file, (str, os.PathLike)):
        return torchfile.load(os.fspath(file), **options)
    return torchfile.T7Reader(file, **options).read_obj()
