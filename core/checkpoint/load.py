"""load, loads, load_all and load_lua."""

from __future__ import annotations

import os
import warnings
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
    return _load(open_source(file, use_mmap=mmap), encoding)


def loads(data: bytes | bytearray | memoryview, *, encoding: str | None = "utf-8") -> Any:
    """Read the object that `torch.serialize` or `dumps` turned into bytes; see `load`."""
    return _load(Source(bytes(data), 0, None), encoding)


def load_all(file: File | bytes, *, encoding: str | None = "utf-8", mmap: bool = True) -> list[Any]:
    """Read all objects of a file, which may refer to each other; see `load`.

    Torch7 makes such files by several calls of `file:writeObject`.
    """
    source = Source(file, 0, None) if isinstance(file, bytes) else open_source(file, use_mmap=mmap)

    def read(reader: ObjectReader) -> list[Any]:
        found = [reader.read()]
        while reader.decoder.unread():
            found.append(reader.read())
        return found

    result: list[Any] = _attempt(source, encoding, read)
    return result


def load_lua(
    file: File,
    unknown_classes: bool = False,
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

    Raises
    ------
    T7Error
        As `load`, and for unknown classes.
    """

    def read(reader: ObjectReader) -> Any:
        value = _read_single(reader)
        if reader.unknown and not unknown_classes:
            names = ", ".join(sorted(reader.unknown))
            raise T7Error(
                f"the file holds objects of unknown classes: {names}",
                hint="Register them with rekindle.register, or pass unknown_classes=True",
            )
        return value

    return _attempt(open_source(file, use_mmap=mmap), encoding, read)


def _load(source: Source, encoding: str | None) -> Any:
    return _attempt(source, encoding, _read_single)


def _attempt(source: Source, encoding: str | None, read: Any) -> Any:
    """Run `read` on a reader of `source`; once more with 4-byte longs where that was unclear."""
    try:
        head = source.data[source.start : source.start + 4096]
        refuse_other_formats(head)
        if looks_like_ascii(head):
            return read(ObjectReader(AsciiDecoder(source, encoding)))
        big_endian = is_big_endian(head)
        decoder = BinaryDecoder(source, encoding, big_endian=big_endian)
        try:
            return read(ObjectReader(decoder))
        except T7Error:
            if not decoder.unsure_of_long_size:
                raise
            other = 12 - (decoder.long_size or 8)
            again = BinaryDecoder(source, encoding, big_endian=big_endian, long_size=other)
            try:
                return read(ObjectReader(again))
            except T7Error:
                pass
            raise
    except T7Error as error:
        error.file = source.name
        raise


def _read_single(reader: ObjectReader) -> Any:
    value = reader.read()
    decoder = reader.decoder
    rest = decoder.unread()
    if rest and reader.unknown:
        name = next(reversed(reader.unknown))
        raise decoder.fail(
            f"{rest} bytes follow the object, so class {name} may write its own record",
            hint=register_hint(name)
            + f"; or, if one table is its record, register({name!r}, TorchObject); "
            "or read several objects with load_all",
        )
    if rest:
        label = f"{decoder.source.name}: " if decoder.source.name else ""
        warnings.warn(
            f"{label}{rest} bytes follow the object; load_all reads files of several objects",
            RekindleWarning,
            stacklevel=5,
        )
    return value


def _load_with_torchfile(file: File, encoding: str | None) -> Any:
    import torchfile

    if encoding not in (None, "utf-8"):
        raise ValueError(f"torchfile reads strings as bytes or utf-8; given encoding {encoding!r}")
    options = {"utf8_decode_strings": encoding is not None, "use_list_heuristic": False}
    if isinstance(file, (str, os.PathLike)):
        return torchfile.load(os.fspath(file), **options)
    return torchfile.T7Reader(file, **options).read_obj()
