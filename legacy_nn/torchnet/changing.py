"""Data sets that pick or change the samples of another.

Source: torchnet/torchnet dataset.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..torch7 import random
from .dataset import Dataset, check_position, with_as_many
from .meter import TorchnetError, check


class ResampleDataset(Dataset):
    """The samples that a function picks.

    Parameters
    ----------
    dataset : Dataset
    sampler : callable, optional
        `sampler(dataset, idx)` returns a position in `dataset`; by default idx.
    size : int, optional
        By default that of `dataset`.

    Source: torchnet/torchnet dataset/resampledataset.lua.
    """

    def __init__(
        self,
        dataset: Dataset,
        sampler: Callable[[Dataset, int], int] = lambda dataset, idx: idx,
        size: int | None = None,
    ) -> None:
        self.dataset, self._sampler, self._size = dataset, sampler, size

    def size(self) -> int:
        """Return the number of samples."""
        return self._size if self._size else self.dataset.size()

    def get(self, idx: int) -> Any:
        """Return the sample that the sampler picks."""
        check_position(idx, self.size())
        sampled = self._sampler(self.dataset, idx)
        check_position(sampled, self.dataset.size())
        return self.dataset.get(sampled)


class ShuffleDataset(ResampleDataset):
    """Samples in random order, by the generator of `torch`.

    Parameters
    ----------
    dataset : Dataset
    size : int, optional
        By default that of `dataset`.
    replacement : bool
        Whether a sample may come more than once.

    Raises
    ------
    TorchnetError
        For more samples than there are, without replacement.

    Source: torchnet/torchnet dataset/shuffledataset.lua.
    """

    def __init__(
        self, dataset: Dataset, size: int | None = None, replacement: bool = False
    ) -> None:
        if size and not replacement and size > dataset.size():
            raise TorchnetError(
                f"size cannot be larger than the {dataset.size()} samples when sampling without"
                f" replacement, got {size}"
            )
        super().__init__(dataset, lambda _, idx: self._perm[int(idx) - 1], size)
        self.replacement = replacement
        self.resample()

    def resample(self) -> None:
        """Draw a new order."""
        count, size = self.dataset.size(), self.size()
        if self.replacement:
            self._perm: list[int] = random.default.integers(size, 1, count).tolist()
        else:
            self._perm = random.default.permutation(count)[:size].tolist()


class SplitDataset(Dataset):
    """Parts of a data set, one of which is selected.

    Parameters
    ----------
    dataset : Dataset
    partitions : dict of str to number
        Sizes, or shares whose sum is 1 or less. Parts follow each other in the order of names.
    initialpartition : str, optional
        The one that is selected at first.

    Raises
    ------
    TorchnetError
        For fewer than two parts, and sizes that are negative, fractional or too large.

    Source: torchnet/torchnet dataset/splitdataset.lua.
    """

    def __init__(
        self,
        dataset: Dataset,
        partitions: Mapping[str, float],
        initialpartition: str | None = None,
    ) -> None:
        sizes, all_ = dict(sorted(partitions.items())), dataset.size()
        total = sum(sizes.values())
        check(len(sizes) >= 2, f"at least two partitions expected, got {len(sizes)}")
        check(min(sizes.values()) >= 0, f"partition sizes should not be negative: {sizes}")
        check(total > 0, "all partitions are empty")
        if total <= 1:
            sizes = {name: math.floor(share * all_) for name, share in sizes.items()}
        check(
            all(size == int(size) for size in sizes.values()),
            f"partition sizes should be integers, or sum up to 1 or less: {sizes}",
        )
        check(sum(sizes.values()) <= all_, f"{sizes} are more than the {all_} samples there are")
        self.dataset = dataset
        self._sizes = {name: int(size) for name, size in sizes.items()}
        self._partition: str | None = None
        if initialpartition is not None:
            self.select(initialpartition)

    def select(self, partition: str) -> None:
        """Select a part by its name.

        Raises
        ------
        TorchnetError
            For a name that is not there.
        """
        check(partition in self._sizes, f"one of {[*self._sizes]} expected, got {partition!r}")
        self._partition = partition

    def _selected(self) -> str:
        if self._partition is None:
            raise TorchnetError("select a partition before accessing data")
        return self._partition

    def size(self) -> int:
        """Return the size of the selected part."""
        return self._sizes[self._selected()]

    def get(self, idx: int) -> Any:
        """Return a sample of the selected part."""
        check_position(idx, self.size())
        names = [*self._sizes]
        before = sum(self._sizes[name] for name in names[: names.index(self._selected())])
        return self.dataset.get(before + idx)


class TransformDataset(Dataset):
    """Samples that functions change.

    Parameters
    ----------
    dataset : Dataset
    transform : callable, optional
        `transform(sample)` or `transform(sample, idx)` returns the sample; with a key,
        it gets and returns that field.
    key : str, optional
    transforms : dict of str to callable, optional
        Functions of fields, in place of `transform`.

    Raises
    ------
    TorchnetError
        Without a function, and by `get` for a sample without the key.

    Source: torchnet/torchnet dataset/transformdataset.lua.
    """

    def __init__(
        self,
        dataset: Dataset,
        transform: Callable[..., Any] | Mapping[str, Callable[..., Any]] | None = None,
        key: str | None = None,
        *,
        transforms: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        if isinstance(transform, Mapping):
            transform, transforms = None, transform
        if (transform is None) == (transforms is None):
            raise TorchnetError("a function `transform`, or a dict `transforms` of them, expected")
        self.dataset = dataset
        self._whole: Callable[[Any, Any], Any] | None = None
        self._fields: dict[str, Callable[[Any, Any], Any]] = {}
        if transforms is not None:
            self._fields = {name: _only_first(f) for name, f in transforms.items()}
        elif transform is not None and key is not None:
            self._fields = {key: with_as_many(transform)}
        elif transform is not None:
            self._whole = with_as_many(transform)

    def size(self) -> int:
        """Return the number of samples."""
        return self.dataset.size()

    def get(self, idx: int) -> Any:
        """Return a changed sample."""
        sample = self.dataset.get(idx)
        if self._whole is not None:
            return self._whole(sample, idx)
        for key, function in self._fields.items():
            check(key in sample, f"missing key {key!r} in a sample with {[*sample]}")
            sample[key] = function(sample[key], idx)
        return sample


def _only_first(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda field, _: function(field)
