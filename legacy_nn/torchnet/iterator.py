"""tnt.DatasetIterator: loops over samples.

Source: torchnet/torchnet dataset/datasetiterator.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .dataset import Dataset, always, execute, same


class DatasetIterator:
    """Yields the samples of a data set, each time that it is called or looped over.

    Parameters
    ----------
    dataset : Dataset or DatasetIterator
    perm : callable, optional
        `perm(idx)` returns the position of the sample that comes there; not for an iterator.
    filter : callable, optional
        Whether a sample, which `transform` has changed, comes.
    transform : callable, optional
        Returns a sample for a sample.

    Source: torchnet/torchnet dataset/datasetiterator.lua.
    """

    def __init__(
        self,
        dataset: Dataset | DatasetIterator,
        perm: Callable[[int], int] = same,
        filter: Callable[[Any], Any] = always,
        transform: Callable[[Any], Any] = same,
    ) -> None:
        self.dataset = dataset
        self._perm, self._filter, self._transform = perm, filter, transform

    def run(self) -> Iterator[Any]:
        """Yield the samples."""
        dataset = self.dataset
        if isinstance(dataset, Dataset):
            found = (dataset.get(self._perm(i)) for i in range(1, dataset.size() + 1))
        else:
            found = (sample for sample in dataset)
        for sample in map(self._transform, found):
            if self._filter(sample):
                yield sample

    def __call__(self) -> Iterator[Any]:
        return self.run()

    def __iter__(self) -> Iterator[Any]:
        return self.run()

    def exec(self, name: str, *args: Any) -> Any:
        """Call a method of this iterator, or of the first data set below that has it."""
        return execute(self, name, args)

    def filter(self, filter: Callable[[Any], Any]) -> DatasetIterator:
        """Return an iterator over the samples that a function wants."""
        return DatasetIterator(self, filter=filter)

    def transform(self, transform: Callable[[Any], Any]) -> DatasetIterator:
        """Return an iterator over samples that a function changes."""
        return DatasetIterator(self, transform=transform)
