"""`.safetensors`, through the library of that name."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .errors import UnreadableError
from .weights import Array, Weights, c_order


def write(path: str | os.PathLike[str], weights: Weights) -> None:
    """Write weights to `path`; aliases become an entry of the metadata."""
    from safetensors.numpy import save_file

    arrays = {name: c_order(array) for name, array in weights.arrays.items()}
    save_file(arrays, path, metadata=weights.texts())


def read(path: str | os.PathLike[str]) -> Weights:
    """Return the weights in `path`.

    Raises
    ------
    UnreadableError
        If it is no such file, or holds a type that NumPy lacks (bfloat16, float8).
    """
    with _open(path) as file:
        arrays = {name: _array(path, file, name) for name in file.keys()}  # noqa: SIM118
        return Weights.from_texts(arrays, file.metadata() or {})


def read_shapes(path: str | os.PathLike[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes in `path`, of any type, without reading values."""
    with _open(path) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def _open(path: str | os.PathLike[str]) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(path, framework="np")
    except SafetensorError as error:
        raise UnreadableError(f"{os.fspath(path)}: not a safetensors file: {error}") from None


def _array(path: str | os.PathLike[str], file: Any, name: str) -> Array:
    from safetensors import SafetensorError

    try:
        array = np.asarray(file.get_tensor(name))
        if array.dtype.kind == "V":  # ml_dtypes, where something imported it, adds such types
            raise TypeError(array.dtype.name)
        return array
    except (KeyError, TypeError, SafetensorError) as error:
        kind = file.get_slice(name).get_dtype()
        raise UnreadableError(
            f"{os.fspath(path)}: {name} is of type {kind}, which NumPy does not have; "
            "save it as float32 first"
        ) from error
