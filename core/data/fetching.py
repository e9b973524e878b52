"""One batch: the samples of given numbers, or the next ones, put together.

Whatever a data set draws from the default generator comes, for each batch, from a generator
of its own: batches are the same in any number of processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from ..generators import Generator, using

END = "end"
"""What there is instead of a batch when an IterableDataset has come to its end."""

Make = Callable[[int, Any], Any]
"""Makes the batch of a number, of the samples of these indices."""


class Fetch(Protocol):
    """How the batches of a data set are made."""

    def begin(self, seed: int, worker: int) -> Make:
        """Return what makes the batches of an epoch, in the worker of this number."""


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Batches of a data set whose samples have numbers."""

    dataset: Any
    collate: Callable[[Any], Any]
    batched: bool

    def begin(self, seed: int, worker: int) -> Make:
        """Return what makes the batches of an epoch; `seed` decides what is drawn."""

        def make(number: int, indices: Any) -> Any:
            with using(Generator(seed + number)):
                if self.batched:
                    return self.collate([self.dataset[i] for i in indices])
                return self.collate(self.dataset[indices])

        return make


@dataclass(frozen=True, slots=True)
class InOrder:
    """Batches of an IterableDataset."""

    dataset: Any
    collate: Callable[[Any], Any]
    batch_size: int | None
    drop_last: bool

    def begin(self, seed: int, worker: int) -> Make:
        """Return what makes the next batch of an epoch, and returns END after the last."""
        generator = Generator(seed + worker)
        with using(generator):
            samples = iter(self.dataset)

        def make(number: int, indices: Any) -> Any:
            with using(generator):
                found = list(islice(samples, self.batch_size or 1))
                if not found or (self.drop_last and len(found) < (self.batch_size or 1)):
                    return END
                return self.collate(found if self.batch_size else found[0])

        return make
