"""Data sets: what gives samples by number, or one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from ..generators import Generator, chosen
from ..tensor import Tensor
from .errors import DataError


class Dataset:
    """Samples by number, from 0: subclasses define `__getitem__` and `__len__`.

    Anything with these two methods is a data set too, a list for example.
    """

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset:
    """Samples one after the other: subclasses define `__iter__`.

    Each worker process of a loader iterates a copy; `get_worker_info` tells which it is, so
    that each can take its part.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class TensorDataset(Dataset):
    """Tensors of one length; a sample is a tuple of one element of each.

    Parameters
    ----------
    *tensors : Tensor, shape (n, ...)

    Raises
    ------
    DataError
        If their lengths differ.
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [len(t) for t in tensors]
        if len(set(lengths)) != 1:
            raise DataError(f"a TensorDataset takes tensors of one length; given {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """Some samples of a data set.

    Parameters
    ----------
    dataset : Dataset
    indices : sequence of int
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Data sets one after the other.

    Parameters
    ----------
    datasets : iterable of Dataset

    Raises
    ------
    DataError
        Without any.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise DataError("a ConcatDataset needs data sets; given none")
        self.ends = list(accumulate(map(len, self.datasets)))

    def __getitem__(self, index: int) -> Any:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        which = bisect_right(self.ends, number)
        start = self.ends[which - 1] if which else 0
        return self.datasets[which][number - start]

    def __len__(self) -> int:
        return self.ends[-1]


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset]:
    """Split a data set into parts, at random.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of int, or of float
        How many samples each part has, or which fraction; what is left by rounding fractions
        down goes to the first parts, one each.
    generator : Generator, optional
        What draws; by default the default generator.

    Returns
    -------
    list of Subset

    Raises
    ------
    DataError
        If the lengths do not add up to the data set's, or the fractions to 1.
    """
    total = len(dataset)
    if any(isinstance(n, float) for n in lengths):
        if abs(sum(lengths) - 1) > 1e-9 or min(lengths) < 0:
            raise DataError(f"fractions are 0 or more and add up to 1; given {list(lengths)}")
        counts = [int(total * fraction + 1e-9) for fraction in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(n) for n in lengths]
    if sum(counts) != total or min(counts) < 0:
        raise DataError(f"the lengths of the parts add up to {total}; given {list(lengths)}")
    order = chosen(generator, None).stream.permutation(total).tolist()
    ends = list(accumulate(counts))
    return [Subset(dataset, order[end - n : end]) for end, n in zip(ends, counts, strict=True)]
