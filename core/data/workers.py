"""The worker processes of a loader, from the main process: tasks out, batches in, in order.

There is no thread here: the main process waits for all pipes and all processes at once, and
so hears at once of a worker that died.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import resource_tracker, util
from multiprocessing.connection import wait
from typing import Any

from .errors import DataError, LoaderTimeoutError, WorkerError
from .fetching import END, Fetch
from .parcels import Loans
from .worker_process import Answer, Begin, Task, WorkerInfo, work

PATIENCE = 5.0
"""Seconds that a worker has to finish the sample it is at, before it is killed."""


HINTS = {
    "SIGKILL": ": often the system's doing, out of memory",
    "SIGBUS": ": shared memory is full (/dev/shm; docker run --shm-size=...)",
}
"""What a signal that ended a worker mostly means."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What stands in the place of a batch: its error, which is raised when it is its turn."""

    error: BaseException


class Worker:
    """One process and this process's end of its pipe."""

    def __init__(
        self, context: Any, number: int, count: int, fetch: Any, init: Callable[[int], Any] | None
    ) -> None:
        self.number = number
        self.pending: dict[int, Task] = {}
        self.exhausted = False
        self.loans = Loans()
        self.pipe, theirs = context.Pipe()
        info = WorkerInfo(number, count, fetch.dataset)
        self.process = context.Process(
            target=work,
            args=(theirs, self.pipe, fetch, info, init),
            name=f"rekindle-loader-{number}",
            daemon=True,
        )
        self.process.start()
        theirs.close()

    def begin(self, epoch: int, seed: int) -> None:
        """Begin an epoch."""
        self.pending.clear()
        self.exhausted = False
        self.send(Begin(epoch, seed, self.loans.returned()))

    def give(self, epoch: int, number: int, indices: Any) -> None:
        """Give the worker one more task."""
        self.pending[number] = Task(epoch, number, indices, self.loans.returned())
        self.send(self.pending[number])

    def batch_of(self, answer: Answer) -> Any:
        """Return the batch of an answer as tensors."""
        self.loans.forget(answer.dropped)
        return self.loans.opened(answer.batch)

    def send(self, message: Any) -> None:
        """Send a message; a worker that died is found out about when its answer is awaited."""
        with suppress(OSError):
            self.pipe.send(message)

    def death(self) -> WorkerError:
        """Return the error that says how the process ended, and at what."""
        self.process.join(PATIENCE)
        code = self.process.exitcode
        how, hint = f"with exit code {code}", ""
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            how, hint = f"by signal {-code} ({name})", HINTS.get(name, "")
        at = ""
        if self.pending:
            task = self.pending[min(self.pending)]
            at = f" while it made batch {task.number}"
            if task.indices is not None:
                at += f" of the samples {_short(task.indices)}"
        return WorkerError(
            f"worker {self.number} of the loader (process {self.process.pid}) died {how}{at}"
            f"{hint}; num_workers=0 does the same in this process"
        )


class Workers:
    """A pool of workers.

    Parameters
    ----------
    count : int
    fetch : ByNumber or InOrder
    context : multiprocessing context
    init : callable or None
        Called in each with its number.
    """

    def __init__(
        self, count: int, fetch: Fetch, context: Any, init: Callable[[int], Any] | None
    ) -> None:
        resource_tracker.ensure_running()  # one for all processes, which they inherit
        self.epoch = 0
        self.workers: list[Worker] = []
        self.close = util.Finalize(self, stop, args=(self.workers,), exitpriority=10)
        try:
            for number in range(count):
                self.workers.append(Worker(context, number, count, fetch, init))
        except BaseException:
            self.close()
            raise

    def run(
        self, tasks: Iterator[Any], seed: int, ahead: int, timeout: float, in_turn: bool
    ) -> Iterator[Any]:
        """Yield the batches of an epoch, in the order of their tasks.

        Parameters
        ----------
        tasks : iterator of (int, Any)
            Numbers, one after the other, and the indices of each batch.
        seed : int
        ahead : int
            How many batches are made or kept at a time.
        timeout : float
            Seconds to wait for a batch; 0 for ever.
        in_turn : bool
            Whether the workers take turns, as they do for an IterableDataset; otherwise the
            one that has least to do takes a task.

        Raises
        ------
        Exception
            What a worker raised.
        WorkerError
            If one died, or its exception cannot be sent.
        LoaderTimeoutError
            If a batch takes too long.
        DataError
            If another epoch has begun.
        """
        self.epoch += 1
        epoch = self.epoch
        for worker in self.workers:
            worker.begin(epoch, seed)
        turns = cycle(self.workers)
        given: deque[int] = deque()
        arrived: dict[int, Any] = {}
        while True:
            while len(given) < ahead:
                taker = self._next_in(turns) if in_turn else self._least_busy()
                following = None if taker is None else next(tasks, None)
                if taker is None or following is None:
                    break
                given.append(following[0])
                taker.give(epoch, *following)
            if not given:
                return
            while given[0] not in arrived:
                self._receive(arrived, timeout)
            batch = arrived.pop(given.popleft())
            if isinstance(batch, Failed):
                raise batch.error
            if not (isinstance(batch, str) and batch == END):
                yield batch
            if self.epoch != epoch:
                raise DataError("another iteration over this loader's workers has begun")

    def _least_busy(self) -> Worker:
        return min(self.workers, key=lambda worker: len(worker.pending))

    def _next_in(self, turns: Iterator[Worker]) -> Worker | None:
        """Return whose turn it is; None if all have come to their end."""
        if all(worker.exhausted for worker in self.workers):
            return None
        return next(worker for worker in turns if not worker.exhausted)

    def _receive(self, arrived: dict[int, Any], timeout: float) -> None:
        """Wait for answers, and put those of this epoch into `arrived`."""
        pipes: dict[Any, Worker] = {worker.pipe: worker for worker in self.workers}
        ends: dict[Any, Worker] = {worker.process.sentinel: worker for worker in self.workers}
        ready = wait([*pipes, *ends], timeout or None)
        if not ready:
            raise LoaderTimeoutError(f"no batch came in {timeout} seconds")
        for one in ready:
            if one in pipes:
                self._take(pipes[one], arrived)
        for one in ready:
            if one in ends:
                while ends[one].pipe.poll():  # what it sent before it died
                    self._take(ends[one], arrived)
                raise ends[one].death()

    def _take(self, worker: Worker, arrived: dict[int, Any]) -> None:
        """Take one answer."""
        try:
            answer: Answer = worker.pipe.recv()
        except (EOFError, OSError):
            raise worker.death() from None
        batch = worker.batch_of(answer)
        if answer.epoch not in (self.epoch, 0):
            return  # left over from an epoch that nobody ended; its memory goes
        task = worker.pending.pop(answer.number, None)
        if answer.text:
            batch = Failed(_error(worker, answer, task))
            if task is None:  # it did not even begin
                raise batch.error
        worker.exhausted = isinstance(batch, str) and batch == END
        arrived[answer.number] = batch


def _error(worker: Worker, answer: Answer, task: Task | None) -> BaseException:
    """Return the worker's exception, with where it happened and its traceback as a note."""
    where = f"in worker {worker.number} of the loader"
    if task is not None:
        where += f", batch {task.number}"
        if task.indices is not None:
            where += f" of the samples {_short(task.indices)}"
    if answer.error is None:
        return WorkerError(f"{where}:\n{answer.text}")
    answer.error.add_note(f"{where}:\n{answer.text}")
    return answer.error


def _short(indices: Any) -> str:
    numbers = indices if isinstance(indices, (list, tuple)) else [indices]
    more = f", ... ({len(numbers)})" if len(numbers) > 8 else ""
    return ", ".join(map(str, numbers[:8])) + more


def stop(workers: list[Worker]) -> None:
    """End all processes: those that do not end by themselves are killed."""
    for worker in workers:
        worker.send(None)
    deadline = time.monotonic() + PATIENCE
    for worker in workers:
        _drain(worker, deadline)
    for worker in workers:
        for end in (worker.process.terminate, worker.process.kill):
            if worker.process.is_alive():
                end()
                worker.process.join(1)
        worker.pipe.close()
    workers.clear()


def _drain(worker: Worker, deadline: float) -> None:
    """Wait for a process to end, taking what it still sends: it may wait for that."""
    try:
        while (left := deadline - time.monotonic()) > 0:
            ready = wait([worker.pipe, worker.process.sentinel], left)
            if worker.pipe not in ready:
                return
            worker.batch_of(worker.pipe.recv())
    except (EOFError, OSError):
        worker.process.join(max(deadline - time.monotonic(), 0))
