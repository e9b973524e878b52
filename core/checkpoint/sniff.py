"""What a file is, by its first bytes: ascii or binary, byte order, or another format."""

from __future__ import annotations

import re

from .errors import T7Error

_BINARY = "It is a binary Torch7 file if its first four bytes are a number from 0 to 8"

_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive, as torch.save of PyTorch 1.6 and later, .npz and Keras write",
     "Open it with rekindle.load_state (.npz, .pt), torch.load or unzip"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "a PyTorch file of before 1.6",
     "Open it with torch.load (PyTorch)"),
    (b"\x80", "a Python pickle", "Pickles run code when opened: open it only if you trust it"),
    (b"version https://git-lfs.github.com/spec/", "a git-lfs pointer, not the file itself",
     "Fetch the file with `git lfs pull`"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras, MATLAB 7.3)", "Open it with h5py"),
    (b"\x93NUMPY", "a NumPy array (.npy)", "Open it with numpy.load"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"%PDF", "a PDF document", ""),
    (b"\x1f\x8b", "gzip-compressed data", "Decompress it first, or pass gzip.open(...)"),
    (b"BZh", "bzip2-compressed data", "Decompress it first, or pass bz2.open(...)"),
    (b"\xfd7zXZ\x00", "xz-compressed data", "Decompress it first, or pass lzma.open(...)"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data", "Decompress it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first"),
    (b"Rar!", "a rar archive", "Unpack it first"),
    (b"\x1bLJ", "LuaJIT bytecode", ""),
    (b"\x1bLua", "Lua bytecode", ""),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file", "Open it with scipy.io.loadmat"),
)  # fmt: skip

_HTML = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<script)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml|\s*<Error>", re.IGNORECASE)
_ASCII = re.compile(rb"\s*([0-8])\s")
_TAGS = range(9)


def looks_like_ascii(head: bytes) -> bool:
    """Whether a file that begins so is an ascii one: its first word is a type number."""
    return _ASCII.match(head) is not None or head in (b"0", b"1", b"2", b"3", b"4", b"5")


def is_big_endian(head: bytes) -> bool:
    """Whether the first type number is big-endian; 0 (nil) says nothing and counts as little."""
    little = int.from_bytes(head[:4], "little")
    return little not in _TAGS and int.from_bytes(head[:4], "big") in _TAGS


def refuse_other_formats(head: bytes) -> None:
    """Return if `head` can begin a Torch7 file.

    Parameters
    ----------
    head : bytes
        At least the first 300 bytes, or all there are.

    Raises
    ------
    T7Error
        Naming what the file is, as far as its first bytes tell.
    """
    if looks_like_ascii(head):
        if re.match(rb"\s*[0-8]\r\n", head):
            raise T7Error(
                "the line ends of this ascii file were changed to CR LF on the way",
                offset=0,
                hint="Transfer the file again in binary mode",
            )
        return
    if len(head) >= 4 and (
        int.from_bytes(head[:4], "little") in _TAGS or int.from_bytes(head[:4], "big") in _TAGS
    ):
        return
    name, hint = _describe(head)
    raise T7Error(f"this is {name}, not a Torch7 file", offset=0, hint=hint or None)


def _describe(head: bytes) -> tuple[str, str]:
    if not head:
        return "an empty file", "The download or the save may have failed"
    for magic, name, hint in _FORMATS:
        if head.startswith(magic):
            return name, hint
    if _HTML.match(head):
        return "an HTML page", "The link led to a web page: download the file itself"
    if _XML.match(head):
        return "an XML document", "A server may have answered with an error message"
    if head[257:262] == b"ustar":
        return "a tar archive", "Unpack it first; very old PyTorch files are tar archives too"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32:
        return "a safetensors file", "Open it with rekindle.load_state"
    if len(head) < 4:
        return f"a file of {len(head)} bytes", "The download or the save may have failed"
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        text = head[: error.start].decode("utf-8") if error.start > len(head) - 4 else ""
    if (
        text.isprintable()
        or text.replace("\n", "").replace("\t", "").replace("\r", "").isprintable()
    ):
        start = " ".join(text.split())[:40]
        if text:
            return f"a text file (it begins {start!r})", "Lua code and logs are not checkpoints"
    return f"an unknown binary format (it begins {head[:8].hex(' ')})", _BINARY
