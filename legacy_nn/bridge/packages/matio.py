"""The package matio: MATLAB's files. Source: soumith/matio-ffi.torch init.lua."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.io import loadmat

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..adapt import as_lua_calls
from ..toolbox import Toolbox


def _converted(value: Any) -> Any:
    """Return what a MATLAB value is in Lua: a tensor, a string, or a table of values."""
    array = np.asarray(value)
    if array.dtype.names:
        rows = [
            Table({name: _converted(row[name]) for name in array.dtype.names})
            for row in array.ravel(order="F")
        ]
        return rows[0] if len(rows) == 1 else Table(rows)
    if array.dtype.kind in "US":
        texts = [str(text) for text in array.ravel()]
        return texts[0] if len(texts) == 1 else Table(texts)
    if array.dtype == object:
        return Table([_converted(part) for part in array.ravel(order="F")])
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind in "ui" and array.dtype.char not in "Bbhil":
        array = array.astype(np.int64)
    return Tensor(np.ascontiguousarray(array))


def read(path: str, wanted: Any = None) -> Any:
    """Return the variables of a file as a table, or one of them by its name.

    Raises
    ------
    KeyError
        If there is no such variable.
    """
    found = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    if isinstance(wanted, str):
        if wanted not in found:
            raise KeyError(f"{path} has no variable {wanted}; it has {', '.join(found)}")
        return _converted(found[wanted])
    names = list(found) if wanted is None else wanted.array()
    return Table({name: _converted(found[name]) for name in names})


def load(tools: Toolbox) -> Any:
    """Return the table `matio`."""
    return tools.table({"load": as_lua_calls(read)})
