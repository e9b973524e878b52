"""Inputs of models: read from files, or drawn."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import rekindle
from rekindle.core.checkpoint import Table
from rekindle.core.dtypes import Dtype, DtypeError, uint8
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.paths import PathError, follow, parse_path

from .group import Unusable
from .images import Preprocessing, image_tensor, is_image


def read_input(file: str, select: str | None, preprocessing: Preprocessing | None) -> Any:
    """Return the tensor or table in a file, whose format its content tells; `-` is stdin.

    Parameters
    ----------
    file : str
        A .npy, .npz or .t7 file, or an image.
    select : str or None
        Lua path of the input inside a .t7 file.
    preprocessing : Preprocessing or None
        For images; None gives numbers from 0 to 1.

    Raises
    ------
    Unusable
        If it is none of these, or preprocessing is given for something that is no image.
    T7Error
        If it is a damaged .t7 file.
    """
    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    name = "standard input" if file == "-" else file
    if is_image(data):
        return image_tensor(data, name, preprocessing or Preprocessing())
    if preprocessing is not None:
        raise Unusable(f"{name} is no image that Pillow knows; --preprocess is for images")
    if data[:6] == b"\x93NUMPY" or data[:2] == b"PK":
        value = _numpy_input(data, name)
    else:
        value = rekindle.loads(data) if file == "-" else rekindle.load(file)
    if select:
        try:
            value = follow(value, parse_path(select))
        except PathError as error:
            raise Unusable(f"{name}: {error}") from None
    if not isinstance(value, (Tensor, Table)):
        raise Unusable(f"{name} holds a {type(value).__name__}, not a tensor or a table of tensors")
    return value


def _numpy_input(data: bytes, name: str) -> Any:
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return Tensor(loaded)
        with loaded:
            arrays = {key: Tensor(loaded[key]) for key in loaded.files}
    except (ValueError, zipfile.BadZipFile, EOFError, DtypeError) as error:
        raise Unusable(f"{name}: no array that a model can take: {error}") from None
    alone = len(arrays) == 1 and not next(iter(arrays))[0].isdigit()
    return next(iter(arrays.values())) if alone else table_of(arrays)


def table_of(arrays: dict[str, Tensor]) -> Table:
    """Return the table that named arrays mean: "1" is position 1, "2.1" is in a table inside.

    numpy.savez's own names, arr_0 and so on, are positions from 1.
    """
    root = Table()
    for name, value in arrays.items():
        if name.startswith("arr_") and name[4:].isdigit():
            root[int(name[4:]) + 1] = value
            continue
        *parents, last = [int(part) if part.isdigit() else part for part in name.split(".")]
        table = root
        for key in parents:
            inner = table.get(key)
            if not isinstance(inner, Table):
                inner = table[key] = Table()
            table = inner
        table[last] = value
    return root


def cast_input(value: Any, dtype: Dtype, *, inside: bool = False) -> Any:
    """Return an input with its numbers in the model's type.

    Booleans, and bytes inside tables, are masks and become or stay uint8.
    """
    if isinstance(value, Table):
        return Table({key: cast_input(v, dtype, inside=True) for key, v in value.items()})
    if not isinstance(value, Tensor):
        return value
    if value.dtype.kind == "b" or (inside and value.dtype == uint8):
        return value.astype(uint8)
    return value.astype(dtype)


def describe(value: Any) -> str:
    """Return the type and shape of an input or output."""
    if isinstance(value, Tensor):
        return f"{value.dtype} {'x'.join(map(str, value.shape))}"
    if isinstance(value, Table):
        return "{" + ", ".join(describe(v) for v in value.values()) + "}"
    return type(value).__name__
