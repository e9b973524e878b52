"""Data sets of lists: tnt.ListDataset, tnt.TableDataset, tnt.ConcatDataset.

Source: torchnet/torchnet dataset.
"""

from __future__ import annotations

import bisect
import copy
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from .dataset import Dataset, check_position
from .meter import TorchnetError, check


class ListDataset(Dataset):
    """Samples that a function makes of the elements of a list.

    Parameters
    ----------
    list : sequence, Table or Tensor of shape (n,); or str
        A string is the `filename`.
    load : callable
        Called with an element.
    path : str, optional
        A folder: `load` gets ``path/element``.
    filename : str, optional
        A text file, whose lines are the list.
    maxload : int, optional
        How many lines are read at most.

    Raises
    ------
    TorchnetError
        Without a list or a function.

    Source: torchnet/torchnet dataset/listdataset.lua.
    """

    def __init__(
        self,
        list: Sequence[Any] | Table | Tensor | str | None = None,
        load: Callable[[Any], Any] | None = None,
        path: str | None = None,
        *,
        filename: str | None = None,
        maxload: int | None = None,
    ) -> None:
        if isinstance(list, str):
            list, filename = None, list
        if load is None or (list is None) == (filename is None):
            raise TorchnetError("ListDataset needs a function `load`, and a list or a filename")
        self.list = _lines(filename, maxload) if filename is not None else _elements(list)
        self.load, self.path = load, path

    def size(self) -> int:
        """Return the length of the list."""
        return len(self.list)

    def get(self, idx: int) -> Any:
        """Return what `load` makes of an element."""
        check_position(idx, self.size())
        element = self.list[int(idx) - 1]
        return self.load(element if self.path is None else f"{self.path}/{element}")


class TableDataset(Dataset):
    """Samples of a list; `get` returns copies.

    Parameters
    ----------
    data : sequence or Table

    Source: torchnet/torchnet dataset/tabledataset.lua.
    """

    def __init__(self, data: Sequence[Any] | Table) -> None:
        self.data = _elements(data)

    def size(self) -> int:
        """Return the length of the list."""
        return len(self.data)

    def get(self, idx: int) -> Any:
        """Return a copy of a sample, with all that is in it."""
        check_position(idx, self.size())
        return copy.deepcopy(self.data[int(idx) - 1])


class ConcatDataset(Dataset):
    """Data sets one after the other.

    Parameters
    ----------
    datasets : sequence of Dataset

    Raises
    ------
    TorchnetError
        For no data set, and for something else in the list.

    Source: torchnet/torchnet dataset/concatdataset.lua.
    """

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        check(datasets, "datasets should not be empty")
        for dataset in datasets:
            check(isinstance(dataset, Dataset), f"Dataset expected, got {type(dataset).__name__}")
        self.datasets = [*datasets]
        self._ends = [*itertools.accumulate(dataset.size() for dataset in datasets)]

    def size(self) -> int:
        """Return the sum of the sizes."""
        return self._ends[-1]

    def get(self, idx: int) -> Any:
        """Return the sample of the data set that the position falls in."""
        check_position(idx, self.size())
        which = bisect.bisect_left(self._ends, idx)
        before = self._ends[which - 1] if which else 0
        return self.datasets[which].get(idx - before)


def _elements(found: Any) -> Sequence[Any]:
    """Return a list as a sequence of Python."""
    if isinstance(found, Tensor):
        elements: Sequence[Any] = found.numpy().tolist()
        return elements
    if isinstance(found, Table):
        return [found[i] for i in range(1, len(found) + 1)]
    if not isinstance(found, Sequence):
        raise TorchnetError(f"a sequence, Table or Tensor expected, got {type(found).__name__}")
    return found


def _lines(filename: str, count: int | None) -> list[str]:
    """Return the first lines of a text file, all of them for a count of None or 0."""
    lines = Path(filename).read_text(encoding="utf-8").splitlines()
    return lines[:count] if count else lines
