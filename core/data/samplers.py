"""Samplers: in which order the samples of a data set come, and which make a batch.

Those that draw do it all when iteration begins, from the generator they have or the default
one, so that a loader can begin an epoch again where it was left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from ..generators import Generator, chosen
from ..tensor import Tensor
from .errors import DataError


class Sampler:
    """Numbers of samples: subclasses define `__iter__` and, where it is known, `__len__`."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler):
    """All samples in order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Samples in random order.

    Parameters
    ----------
    data_source : Sized
    replacement : bool
        Whether a sample may come again before all have come.
    num_samples : int, optional
        How many; by default as many as there are. Without replacement, more than there are
        means several rounds.
    generator : Generator, optional

    Raises
    ------
    DataError
        For a data source without samples, or no positive number of them.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source, self.replacement = data_source, replacement
        self.count, self.generator = num_samples, generator
        if len(self) <= 0 or not len(data_source):
            raise DataError(f"num_samples is above 0; given {len(self)}")

    def __iter__(self) -> Iterator[int]:
        stream, total = chosen(self.generator, None).stream, len(self.data_source)
        if self.replacement:
            return iter(stream.integers(0, total, len(self)).tolist())
        rounds = -(-len(self) // total)
        order = np.concatenate([stream.permutation(total) for _ in range(rounds)])
        return iter(order[: len(self)].tolist())

    def __len__(self) -> int:
        return len(self.data_source) if self.count is None else self.count


class SubsetRandomSampler(Sampler):
    """The given samples in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        order = chosen(self.generator, None).stream.permutation(len(self.indices))
        return iter([self.indices[i] for i in order.tolist()])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Samples drawn with given weights.

    Parameters
    ----------
    weights : sequence of float, or Tensor, shape (n,)
        0 or more; they need not add up to 1.
    num_samples : int
    replacement : bool
        Whether a sample may be drawn again.
    generator : Generator, optional

    Raises
    ------
    DataError
        For weights that no distribution has, or fewer samples with a weight than are drawn
        without replacement.
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        values = weights.numpy() if isinstance(weights, Tensor) else weights
        self.weights = np.asarray(values, np.float64)
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator
        total = self.weights.sum() if self.weights.ndim == 1 else 0.0
        if not (np.isfinite(total) and total > 0 and self.weights.min() >= 0):
            raise DataError("weights are a vector of numbers from 0, not all of them 0")
        if num_samples <= 0:
            raise DataError(f"num_samples is above 0; given {num_samples}")
        if not replacement and num_samples > np.count_nonzero(self.weights):
            raise DataError(
                f"{num_samples} samples are drawn without replacement, of "
                f"{np.count_nonzero(self.weights)} that have a weight"
            )

    def __iter__(self) -> Iterator[int]:
        stream = chosen(self.generator, None).stream
        probabilities = self.weights / self.weights.sum()
        drawn = stream.choice(
            len(probabilities), self.num_samples, replace=self.replacement, p=probabilities
        )
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Batches of the numbers that a sampler gives.

    Parameters
    ----------
    sampler : iterable of int
    batch_size : int
    drop_last : bool
        Whether a last batch that is smaller is left out.

    Raises
    ------
    DataError
        If the size is not positive.
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False) -> None:
        if batch_size <= 0:
            raise DataError(f"batch_size is above 0; given {batch_size}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        batch: list[Any] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        samples = len(self.sampler)  # type: ignore[arg-type]  # as far as the sampler has a length
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)
