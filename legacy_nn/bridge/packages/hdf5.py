"""The package hdf5, through h5py. Source: deepmind/torch-hdf5 luasrc/*.lua."""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor

from ...torch7.memory import values, wrap
from ..toolbox import Toolbox


class MissingH5py(RekindleError, ImportError):
    """HDF5 files need h5py, which is not installed."""


def _library() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingH5py(
            "the package hdf5 needs h5py, which is not installed: pip install h5py"
        ) from error
    return h5py


def _open(path: str, mode: str = "r") -> Any:
    modes = {"r": "r", "w": "w", "a": "a", "r+": "r+"}
    if mode not in modes:
        raise ValueError(f"hdf5.open takes the modes r, w, a and r+; given {mode!r}")
    return _Node(_library().File(path, modes[mode]))


class _Node:
    """A file, a group or a data set: an object of h5py, which Lua reaches only through us."""

    def __init__(self, node: Any) -> None:
        self.node = node


def _is_data(node: _Node) -> bool:
    return hasattr(node.node, "dtype")


def _find(node: _Node, path: str) -> Any:
    """Return what a path leads to; None where it leads nowhere."""
    path = path.strip("/")
    if not path:
        return node
    return _Node(node.node[path]) if path in node.node else None


def _children(node: _Node) -> Table:
    return Table(sorted(node.node.keys()))


def _part(node: _Node, ranges: Any = None) -> Tensor:
    """Return a data set, or the part from 1-based starts to ends, ends included."""
    data = node.node
    if ranges is None:
        found = np.asarray(data[()])
    else:
        found = data[tuple(slice(int(r[1]) - 1, int(r[2])) for r in ranges.array())]
    if found.dtype.char not in "Bbhilfd":
        wide = np.float64 if found.dtype.kind == "f" else np.int64
        found = found.astype(wide)
    return wrap(np.array(found, found.dtype.newbyteorder("=")))


def _size(node: _Node) -> Table:
    return Table(list(node.node.shape))


def _write(node: _Node, path: str, value: Any, chunks: Any = None, level: Any = None) -> None:
    options: dict[str, Any] = {}
    if chunks is not None:
        options["chunks"] = tuple(int(n) for n in chunks.array())
    if level is not None:
        options["compression"], options["compression_opts"] = "gzip", int(level)
    if isinstance(value, Table):
        for key, part in value.items():
            _write(node, f"{path}/{key}", part, chunks, level)
        return
    if not isinstance(value, Tensor):
        raise TypeError(f"hdf5 files hold tensors and tables of tensors; given {value!r:.60}")
    node.node.create_dataset(path.strip("/"), data=values(value), **options)


def _append(node: _Node, path: str, value: Tensor) -> None:
    """Put a tensor behind what a data set holds, along the first dimension."""
    known = _find(node, path)
    data = values(value)
    if known is None:
        node.node.create_dataset(path.strip("/"), data=data, maxshape=(None, *data.shape[1:]))
        return
    count = known.node.shape[0]
    known.node.resize(count + len(data), 0)
    known.node[count:] = data


def load(tools: Toolbox) -> Any:
    """Return the functions that `hdf5.lua` is built on."""
    _library()
    return tools.table(
        {
            "open": _open,
            "close": lambda node: node.node.close(),
            "is_data": _is_data,
            "find": _find,
            "children": _children,
            "part": _part,
            "size": _size,
            "write": _write,
            "append": _append,
        }
    )
