"""tnt.ParallelDatasetIterator: loops over samples that threads load.

Source: torchnet/torchnet dataset/paralleldatasetiterator.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any

from .dataset import Dataset, always, same
from .iterator import DatasetIterator
from .meter import TorchnetError, check


class ParallelDatasetIterator(DatasetIterator):
    """Yields the samples of a data set that several threads get, each from its own copy.

    At most as many samples as there are threads wait. What loads or computes outside of Python
    (files, images, NumPy) runs at the same time.

    Parameters
    ----------
    closure : callable
        `closure(idx)` returns the data set of a thread, the threads counting from 1. It is
        called here, for one thread after the other.
    nthread : int
    init : callable, optional
        `init(idx)` is called before.
    perm : callable, optional
        `perm(idx)` returns the position of the sample that comes there.
    filter : callable, optional
        Whether a sample, which `transform` has changed, comes.
    transform : callable, optional
        Returns a sample for a sample; it runs in the loop's own thread.
    ordered : bool
        Samples come in order. Otherwise each comes when it is there.

    Raises
    ------
    TorchnetError
        For less than one thread, and a closure that returns something else.

    Notes
    -----
    Data sets that draw from Torch's generator share it among the threads: what each draws is not
    the same in every run.

    Source: torchnet/torchnet dataset/paralleldatasetiterator.lua.
    """

    def __init__(
        self,
        closure: Callable[[int], Dataset],
        nthread: int,
        init: Callable[[int], Any] = same,
        perm: Callable[[int], int] = same,
        filter: Callable[[Any], Any] = always,
        transform: Callable[[Any], Any] = same,
        ordered: bool = False,
    ) -> None:
        check(nthread >= 1 and nthread == int(nthread), f"nthread is 1 or more, got {nthread}")
        threads = range(1, int(nthread) + 1)
        for idx in threads:
            init(idx)
        self._datasets = [closure(idx) for idx in threads]
        for dataset in self._datasets:
            check(isinstance(dataset, Dataset), f"closure should return a Dataset, got {dataset!r}")
        super().__init__(self._datasets[0], perm, filter, transform)
        self._ordered = ordered
        self._free: SimpleQueue[Dataset] = SimpleQueue()
        for dataset in self._datasets:
            self._free.put(dataset)
        self._pool = ThreadPoolExecutor(len(self._datasets), "ParallelDatasetIterator")
        self._waiting: list[Future[Any]] = []

    def run(self) -> Iterator[Any]:
        """Yield the samples."""
        wait(self._waiting)
        waiting: list[Future[Any]] = []
        self._waiting = waiting
        size, i = self._datasets[0].size(), 0
        try:
            while i < size or waiting:
                while i < size and len(waiting) < len(self._datasets):
                    i += 1
                    waiting.append(self._pool.submit(self._get, self._perm(i)))
                sample = self._transform(self._next(waiting).result())
                if self._filter(sample):
                    yield sample
        finally:  # also where the loop is left before the end
            wait(waiting)
            waiting.clear()

    def _get(self, position: int) -> Any:
        dataset = self._free.get()
        try:
            return dataset.get(position)
        finally:
            self._free.put(dataset)

    def _next(self, waiting: list[Future[Any]]) -> Future[Any]:
        """Take the job whose sample comes next from those that wait."""
        if not self._ordered:
            wait(waiting, return_when=FIRST_COMPLETED)
            for job in waiting:
                if job.done():
                    waiting.remove(job)
                    return job
        return waiting.pop(0)

    def _check_idle(self) -> None:
        if self._waiting:
            raise TorchnetError("the data sets are in use: a loop over the samples is going on")

    def execSingle(self, name: str, *args: Any) -> Any:
        """Call a method of the data set of one thread, or of the first below that has it.

        Raises
        ------
        TorchnetError
            During a loop.
        """
        self._check_idle()
        return self._datasets[0].exec(name, *args)

    def exec(self, name: str, *args: Any) -> list[Any]:
        """Call a method of the data sets of all threads; return a list of what it returns.

        Raises
        ------
        TorchnetError
            During a loop.
        """
        self._check_idle()
        return [dataset.exec(name, *args) for dataset in self._datasets]
