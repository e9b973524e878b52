"""DataLoader: batches of a data set, made here or in worker processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Generator as Generate
from itertools import chain, islice, repeat
from typing import Any

from ..generators import Generator, chosen, default_generator
from .collation import collate, convert
from .datasets import IterableDataset
from .errors import DataError
from .fetching import END, ByNumber, Fetch, InOrder
from .samplers import BatchSampler, RandomSampler, SequentialSampler
from .workers import Workers


class DataLoader:
    """Batches of a data set.

    Parameters
    ----------
    dataset : Dataset, or IterableDataset
        Anything with `__getitem__` and `__len__`, or an IterableDataset.
    batch_size : int or None
        None gives samples as they are, arrays as Tensors.
    shuffle : bool
        Draw a new order for every epoch.
    sampler : iterable of int, optional
        Which samples, in which order.
    batch_sampler : iterable of sequences of int, optional
        Which samples make each batch; alone, without the four arguments before and `drop_last`.
    num_workers : int
        Processes that make batches; 0 makes them here, when they are asked for.
    collate_fn : callable, optional
        Makes a batch of a list of samples; by default `collate`.
    drop_last : bool
        Leave out a last batch that is smaller.
    timeout : float
        Seconds to wait for a worker's batch; 0 for ever.
    worker_init_fn : callable, optional
        Called in each worker with its number, from 0.
    multiprocessing_context : str or context, optional
        "fork", "spawn" or "forkserver"; by default the system's. Other than "fork" need a data
        set and functions that pickle.
    generator : Generator, optional
        What draws the order, and the seed of what the data set draws; by default the default
        generator.
    prefetch_factor : int
        How many batches each worker is ahead.
    persistent_workers : bool
        Keep the processes between epochs.

    Raises
    ------
    DataError
        For arguments that exclude each other, or are out of their range.

    Notes
    -----
    Batches come in order, and are the same for any number of workers: what a data set draws
    from Rekindle's default generator comes from a generator for each batch. (NumPy's and
    Python's own global generators are copies in each worker; seed them in `worker_init_fn`.)
    Tensors from workers lie in shared memory and are not copied; each that is large keeps one
    open file while it lives. When it does not any more, a worker fills its memory again.

    An exception in a worker is raised here, as it was, with its traceback as a note; a worker
    that dies raises WorkerError. Iteration that is left ends the processes.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        prefetch_factor: int = 2,
        persistent_workers: bool = False,
    ) -> None:
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.num_workers, self.timeout, self.prefetch_factor = num_workers, timeout, prefetch_factor
        self.worker_init_fn, self.persistent_workers = worker_init_fn, persistent_workers
        self.generator = generator
        self.multiprocessing_context = (
            multiprocessing.get_context(multiprocessing_context)
            if multiprocessing_context is None or isinstance(multiprocessing_context, str)
            else multiprocessing_context
        )
        self.iterable = isinstance(dataset, IterableDataset)
        self._check(shuffle, sampler, batch_sampler)
        if sampler is None and not self.iterable:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle and len(dataset)
                else SequentialSampler(dataset)
            )
        self.sampler, self.batch_sampler = sampler, batch_sampler
        if batch_sampler is None and batch_size is not None and sampler is not None:
            self.batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        batched = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (collate if batched else convert)
        self._workers: Workers | None = None
        self._epoch: dict[str, Any] | None = None
        self._resumed: dict[str, Any] | None = None

    def _check(self, shuffle: bool, sampler: Any, batch_sampler: Any) -> None:
        if self.num_workers < 0 or self.timeout < 0 or self.prefetch_factor < 1:
            raise DataError(
                "num_workers and timeout are 0 or more and prefetch_factor 1 or more; given "
                f"{self.num_workers}, {self.timeout}, {self.prefetch_factor}"
            )
        if self.iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise DataError("an IterableDataset has its own order: no shuffle, no sampler")
        if shuffle and sampler is not None:
            raise DataError("a sampler is an order; shuffle is another")
        if batch_sampler is not None and (
            self.batch_size != 1 or shuffle or sampler is not None or self.drop_last
        ):
            raise DataError(
                "batch_sampler says which samples make a batch: no batch_size, shuffle, sampler "
                "or drop_last beside it"
            )
        if self.batch_size is None and self.drop_last:
            raise DataError("drop_last is about batches; batch_size is None")
        if self.batch_size is not None and self.batch_size <= 0:
            raise DataError(f"batch_size is above 0, or None; given {self.batch_size}")
        if self.persistent_workers and not self.num_workers:
            raise DataError("persistent_workers needs num_workers")

    def __len__(self) -> int:
        if self.iterable:
            samples = len(self.dataset)
            size = self.batch_size or 1
            return samples // size if self.drop_last else -(-samples // size)
        order: Any = self.batch_sampler if self.batch_sampler is not None else self.sampler
        return len(order)

    # -- iteration --------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        resumed, self._resumed = self._resumed, None
        source = self._source()
        now = source.get_state()
        if resumed is not None:
            source.set_state(resumed["start"])
        self._epoch = {"start": source.get_state(), "batches": 0}
        if resumed is not None:
            self._epoch["batches"] = resumed["batches"]
        seed = int(source.stream.integers(2**62))
        tasks = self._order()
        if resumed is not None:
            source.set_state(now)
        return self._counted(tasks, seed, self._epoch)

    def _source(self) -> Generator:
        """Return the generator that the order comes from."""
        samplers = (self.sampler, self.batch_sampler, getattr(self.batch_sampler, "sampler", None))
        own = [getattr(sampler, "generator", None) for sampler in samplers]
        return chosen(next((g for g in own if g is not None), self.generator), None)

    def _order(self) -> Iterator[Any]:
        """Return the indices of all batches; samplers have drawn when this returns."""
        if self.iterable:
            return repeat(None)
        order: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        batches = iter(order)
        return chain(list(islice(batches, 1)), batches)

    def _counted(self, tasks: Iterator[Any], seed: int, epoch: dict[str, Any]) -> Iterator[Any]:
        """Yield the batches that are left of an epoch, and count them."""
        skipped = epoch["batches"]
        first = 0 if self.iterable else skipped
        made = (self._from_workers if self.num_workers else self._made_here)(
            islice(tasks, first, None), seed, first
        )
        try:
            for batch in islice(made, skipped - first, None):
                epoch["batches"] += 1
                yield batch
        finally:
            made.close()
            if self._epoch is epoch:
                self._epoch = None

    def _fetch(self) -> Fetch:
        if self.iterable:
            return InOrder(self.dataset, self.collate_fn, self.batch_size, self.drop_last)
        return ByNumber(self.dataset, self.collate_fn, self.batch_sampler is not None)

    def _made_here(self, tasks: Iterator[Any], seed: int, first: int) -> Generate[Any, None, None]:
        make = self._fetch().begin(seed, 0)
        for number, indices in enumerate(tasks, first):
            batch = make(number, indices)
            if isinstance(batch, str) and batch == END:
                return
            yield batch

    def _from_workers(
        self, tasks: Iterator[Any], seed: int, first: int
    ) -> Generate[Any, None, None]:
        if self._workers is None:
            self._workers = Workers(
                self.num_workers, self._fetch(), self.multiprocessing_context, self.worker_init_fn
            )
        workers, kept = self._workers, False
        if not self.persistent_workers:
            self._workers = None
        ahead = self.num_workers * self.prefetch_factor
        try:
            yield from workers.run(
                enumerate(tasks, first), seed, ahead, self.timeout, in_turn=self.iterable
            )
            kept = self.persistent_workers
        except GeneratorExit:
            kept = self.persistent_workers
            raise
        finally:
            if not kept:
                workers.close()
                if self._workers is workers:
                    self._workers = None

    # -- resuming ---------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return where the current epoch is, and the state of the loader's own generator.

        After `load_state_dict` the next iteration gives the batches that were left, in the
        order that was drawn; after an epoch's end it is a new epoch. Samplers that draw must
        do so from a generator, when iteration begins; an IterableDataset is run through again
        up to its place.
        """
        source = self._source()
        own = None if source is default_generator() else source.get_state()
        return {"generator": own, "epoch": None if self._epoch is None else dict(self._epoch)}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take a state that `state_dict` returned."""
        if saved["generator"] is not None:
            self._source().set_state(saved["generator"])
        self._resumed = saved["epoch"]
