"""The files of tnt.IndexedDataset: an archive, and an index of what is where in it.

An index is a row of longs: a mark, the version, the code of the type and the bytes of an element,
the number N of samples and S of sizes; then N + 1 offsets into the sizes, N + 1 into the archive
(in elements), and the sizes of all dimensions. Source: torchnet/torchnet
dataset/indexeddataset.lua.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table, dumps, loads
from rekindle.core.creation import tensor
from rekindle.core.tensor import Tensor

from .dataset import check_position
from .meter import Array, TorchnetError, array, check

File = str | PathLike[str]

MARK = 0x584449544E54
VERSION = 1
HEADER = 6

TYPES: dict[str, np.dtype[Any]] = {
    "byte": np.dtype("u1"),
    "char": np.dtype("i1"),
    "short": np.dtype("<i2"),
    "int": np.dtype("<i4"),
    "long": np.dtype("<i8"),
    "float": np.dtype("<f4"),
    "double": np.dtype("<f8"),
    "table": np.dtype("i1"),
}
"""The types of archives in the order of their codes, which count from 1."""


@dataclass
class Index:
    """What an index says: the archive's type, and the ends and sizes of its samples."""

    type: str
    dim_ends: list[int] = field(default_factory=lambda: [0])
    ends: list[int] = field(default_factory=lambda: [0])
    sizes: list[int] = field(default_factory=list)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the archive's elements."""
        return TYPES[self.type]

    def add(self, shape: tuple[int, ...]) -> None:
        """Note one more sample; one without elements has no dimensions, as in Torch7."""
        count = int(np.prod(shape))
        self.sizes += shape if count else ()
        self.dim_ends.append(len(self.sizes))
        self.ends.append(self.ends[-1] + count)

    def write(self, path: File) -> None:
        """Write the file."""
        code = [*TYPES].index(self.type) + 1
        head = [MARK, VERSION, code, self.dtype.itemsize, len(self.ends) - 1, len(self.sizes)]
        longs = np.array([*head, *self.dim_ends, *self.ends, *self.sizes], "<i8")
        Path(path).write_bytes(longs.tobytes())

    @classmethod
    def read(cls, path: File) -> Index:
        """Read the file.

        Raises
        ------
        TorchnetError
            If it is no index, or damaged.
        """
        raw = Path(path).read_bytes()
        longs = np.frombuffer(raw, "<i8", len(raw) // 8).tolist()
        check(longs[:1] == [MARK], f"{path} is no index of an IndexedDataset")
        check(len(longs) >= HEADER, f"{path} ends within its head")
        _, version, code, size, n, s = longs[:HEADER]
        check(version == VERSION, f"{path} has the version {version}, expected {VERSION}")
        check(1 <= code <= len(TYPES), f"{path} has an unknown type, {code}")
        found = cls([*TYPES][code - 1])
        check(
            size == found.dtype.itemsize,
            f"{path}: an element of the type {found.type!r} has {size} bytes",
        )
        expected = HEADER + 2 * (n + 1) + s
        check(
            n >= 0 and s >= 0 and len(longs) >= expected,
            f"{path} should have {8 * expected} bytes, and has {len(raw)}",
        )
        rest = longs[HEADER:expected]
        found.dim_ends, found.ends = rest[: n + 1], rest[n + 1 : 2 * n + 2]
        found.sizes = rest[2 * n + 2 :]
        for i, (shape, count) in enumerate(found.samples(), start=1):
            fits = all(x > 0 for x in shape) and int(np.prod(shape)) == count if shape else True
            check(count >= 0 and fits, f"{path}: sample {i} of {count} elements is {shape}")
        return found

    def shape(self, idx: int) -> tuple[int, ...]:
        """Return the shape of a sample, at a position from 1; () for one without elements."""
        return tuple(self.sizes[self.dim_ends[idx - 1] : self.dim_ends[idx]])

    def samples(self) -> list[tuple[tuple[int, ...], int]]:
        """Return the shape and the number of elements of each sample."""
        return [(self.shape(i), self.ends[i] - self.ends[i - 1]) for i in range(1, len(self.ends))]


class IndexedDatasetWriter:
    """Writes an archive and its index, or adds to these.

    `close` writes the index; as a context manager the writer does so at the end.

    Parameters
    ----------
    indexfilename, datafilename : str or path
    type : str, optional
        "byte", "char", "short", "int", "long", "float", "double" or "table". Without it the
        files are there, and go on.

    Raises
    ------
    TorchnetError
        For another type, and an index that is none.

    Source: torchnet/torchnet dataset/indexeddataset.lua.
    """

    def __init__(self, indexfilename: File, datafilename: File, type: str | None = None) -> None:
        check(type is None or type in TYPES, f"type should be one of {[*TYPES]}, got {type!r}")
        self.indexfilename = indexfilename
        self._index = Index.read(indexfilename) if type is None else Index(type)
        self._data = Path(datafilename).open("ab" if type is None else "wb")  # noqa: SIM115

    def add(self, sample: Any) -> None:
        """Add a sample.

        Parameters
        ----------
        sample : Tensor or array of the archive's type, str or path, Table, dict or list
            A str is the name of a file, whose bytes are the elements of a tensor with one
            dimension. Tables, dicts and lists are for archives of the types "table" and "char";
            they become tables of Lua. A tensor without dimensions gets one.

        Raises
        ------
        TorchnetError
            For something else, another type of tensor, or a file that is not full elements.
        """
        if isinstance(sample, (str, PathLike)):
            elements = self._of_file(Path(sample))
        elif isinstance(sample, (Table, Mapping, list, tuple)):
            check(
                self._index.type in ("table", "char"),
                f"tables are for archives of tables or chars; this one is {self._index.type!r}",
            )
            elements = np.frombuffer(dumps(sample), "i1")
        elif isinstance(sample, (Tensor, np.ndarray)):
            elements = np.atleast_1d(array(sample))
        else:
            raise TorchnetError(f"a tensor, file or table expected, got {sample!r}")
        check(
            elements.dtype == self._index.dtype,
            f"the archive is of the type {self._index.type!r}, got a tensor of {elements.dtype}",
        )
        self._data.write(elements.astype(self._index.dtype, copy=False).tobytes())
        self._index.add(elements.shape)

    def _of_file(self, path: Path) -> Array:
        raw, size = path.read_bytes(), self._index.dtype.itemsize
        check(len(raw) % size == 0, f"{path} has {len(raw)} bytes, elements have {size}")
        return np.frombuffer(raw, self._index.dtype)

    def close(self) -> None:
        """Write the index, and close the archive."""
        self._data.close()
        self._index.write(self.indexfilename)

    def __enter__(self) -> IndexedDatasetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class IndexedDatasetReader:
    """Reads the samples of an archive.

    Parameters
    ----------
    indexfilename, datafilename : str or path
    mmap : bool
        Tensors are views of the mapped file: nothing is copied, and what is written into them
        stays out of the file. Otherwise they are copies.

    Raises
    ------
    TorchnetError
        If the files are no such pair.

    Source: torchnet/torchnet dataset/indexeddataset.lua.
    """

    def __init__(self, indexfilename: File, datafilename: File, mmap: bool = False) -> None:
        self._index, self._mmap = Index.read(indexfilename), mmap
        dtype, there = self._index.dtype, Path(datafilename).stat().st_size
        expected = self._index.ends[-1] * dtype.itemsize
        check(
            there >= expected,
            f"{datafilename} has {there} bytes, and {expected} by its index {indexfilename}",
        )
        # An empty file cannot be mapped.
        self._data: Array = np.memmap(datafilename, dtype, "c") if expected else np.empty(0, dtype)

    def size(self) -> int:
        """Return the number of samples."""
        return len(self._index.ends) - 1

    def get(self, idx: int) -> Any:
        """Return the sample at a position from 1: a Tensor, or a Table in archives of tables.

        Raises
        ------
        PositionError
        """
        check_position(idx, self.size())
        idx = int(idx)
        elements = self._data[self._index.ends[idx - 1] : self._index.ends[idx]]
        if self._index.type == "table":
            return loads(elements.tobytes())
        shaped = np.asarray(elements).reshape(self._index.shape(idx) or (0,))
        return Tensor(shaped) if self._mmap else tensor(shaped)
