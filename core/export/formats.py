"""Which format a file of weights has, and its writer and reader."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable

from . import npz, safetensors, torch_file
from .errors import UnreadableError
from .weights import Weights as Weights

Path = str | os.PathLike[str]

WRITERS: dict[str, Callable[[Path, Weights], None]] = {
    ".safetensors": safetensors.write,
    ".npz": npz.write,
    ".pt": torch_file.write,
    ".pth": torch_file.write,
}
"""Writers by file name extension."""

READERS: dict[str, Callable[[Path], Weights]] = {
    ".safetensors": safetensors.read,
    ".npz": npz.read,
    ".pt": torch_file.read,
}
"""Readers by format."""

SHAPE_READERS: dict[str, Callable[[Path], dict[str, tuple[int, ...]]]] = {
    ".safetensors": safetensors.read_shapes,
    ".npz": npz.read_shapes,
    ".pt": torch_file.read_shapes,
}


def write_weights(path: Path, weights: Weights, extension: str) -> None:
    """Write weights to `path` in the format that files of `extension` have."""
    WRITERS[extension](path, weights)


def read_weights(path: Path) -> Weights:
    """Return the weights in a file, whose format its content tells.

    Raises
    ------
    UnreadableError
        If it is of no known format, or damaged.
    """
    return READERS[format_of(path)](path)


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the tensors in a file, in its order.

    Raises
    ------
    UnreadableError
        As `read_weights`.
    """
    return SHAPE_READERS[format_of(path)](path)


def format_of(path: Path) -> str:
    """Return the extension that files with this content have: ".safetensors", ".npz" or ".pt".

    Raises
    ------
    UnreadableError
        If it is none of these.
    """
    with open(path, "rb") as file:
        head = file.read(16)
    if head[8:9] == b"{":
        return ".safetensors"
    if head[:4] == b"PK\x03\x04":
        return _kind_of_archive(path)
    if head[:1] == b"\x80":  # a pickle, which PyTorch before 1.6 wrote bare
        return ".pt"
    raise UnreadableError(
        f"{os.fspath(path)}: not a file of weights (.safetensors, .npz, .pt or .pth)"
    )


def _kind_of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise UnreadableError(f"{os.fspath(path)}: a damaged archive: {error}") from None
    return ".pt" if any(name.endswith("data.pkl") for name in names) else ".npz"
