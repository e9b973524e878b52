"""`.npz`: NumPy's archive of arrays, uncompressed."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np

from .errors import UnreadableError
from .weights import Weights, c_order

METADATA = "__metadata__"
"""The array of one text that holds the metadata, as JSON."""


def write(path: str | os.PathLike[str], weights: Weights) -> None:
    """Write weights to `path`, with their metadata as one array of text.

    One array is in memory at a time, and no name is special, unlike in `numpy.savez`. Members
    carry no date, so that equal weights give equal files.
    """
    with zipfile.ZipFile(path, "w") as archive:
        arrays = dict(weights.arrays)
        if weights.texts():
            arrays[METADATA] = np.array(json.dumps(weights.texts()))
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, c_order(array), allow_pickle=False)


def read(path: str | os.PathLike[str]) -> Weights:
    """Return the weights in `path`.

    Raises
    ------
    UnreadableError
        If it is no archive of arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise UnreadableError(
                    f"{os.fspath(path)}: one array, not an archive of named arrays"
                )
            arrays = {name: archive[name] for name in archive.files}
        texts = json.loads(str(arrays.pop(METADATA, "{}")))
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UnreadableError(f"{os.fspath(path)}: not a .npz archive of arrays: {error}") from None
    return Weights.from_texts(arrays, texts)


def read_shapes(path: str | os.PathLike[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes in `path`."""
    return {name: array.shape for name, array in read(path).arrays.items()}
