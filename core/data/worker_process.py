"""What runs in a worker process of a loader."""

from __future__ import annotations

import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from .fetching import Fetch, Make
from .parcels import Pool


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """Which worker this is.

    Attributes
    ----------
    id : int
        From 0.
    num_workers : int
    dataset : Any
        The worker's own copy.
    """

    id: int
    num_workers: int
    dataset: Any


_INFO: ContextVar[WorkerInfo | None] = ContextVar("rekindle_worker", default=None)


def get_worker_info() -> WorkerInfo | None:
    """Return which worker of a loader this process is; None in any other process."""
    return _INFO.get()


@dataclass(frozen=True, slots=True)
class Begin:
    """Sent to a worker: an epoch begins."""

    epoch: int
    seed: int
    returned: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """Sent to a worker: make this batch; blocks of memory that come back."""

    epoch: int
    number: int
    indices: Any
    returned: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Sent by a worker: a batch, or what went wrong; blocks of memory that it has dropped."""

    epoch: int
    number: int
    batch: Any = None
    error: BaseException | None = None
    text: str = ""
    dropped: tuple[int, ...] = ()


def work(
    mine: Connection,
    parents: Connection,
    fetch: Any,
    info: WorkerInfo,
    init: Callable[[int], Any] | None,
) -> None:
    """Make the batches that are asked for, until None is.

    Parameters
    ----------
    mine, parents : Connection
        The ends of the pipe; this process closes its copy of the other's.
    fetch : Fetch
    info : WorkerInfo
    init : callable or None
        Called with the worker's number before anything else.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process stops its workers
    parents.close()
    _INFO.set(info)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(mine, tasks), daemon=True).start()
    try:
        if init is not None:
            init(info.id)
    except Exception as error:
        mine.send(_failure(0, -1, error))
        return
    _answer_all(tasks, mine, fetch, info)


def _answer_all(tasks: Any, mine: Connection, fetch: Fetch, info: WorkerInfo) -> None:
    make: Make | None = None
    failed: Answer | None = None
    pool = Pool()
    while (task := tasks.get()) is not None:
        pool.take_back(task.returned)
        try:
            if isinstance(task, Begin):
                make = failed = None
                make = fetch.begin(task.seed, info.id)
                continue
            assert make is not None or failed is not None
            answer = failed or Answer(
                task.epoch,
                task.number,
                pool.packed(make(task.number, task.indices)),  # type: ignore[misc]
                dropped=pool.dropped(),
            )
        except Exception as error:
            number = -1 if isinstance(task, Begin) else task.number
            answer = failed = _failure(task.epoch, number, error)
        mine.send(answer)


def _listen(mine: Connection, tasks: Any) -> None:
    """Take tasks as they come, so that the main process never waits to send one.

    Without a parent there is nobody to make batches for.
    """
    parent = parent_process()
    assert parent is not None
    try:
        while True:
            if mine not in wait([mine, parent.sentinel]):
                os._exit(1)
            tasks.put(mine.recv())
    except (EOFError, OSError):
        os._exit(1)


def _failure(epoch: int, number: int, error: Exception) -> Answer:
    """Return an answer with an exception that arrives as it was, or else only its text."""
    text = "".join(traceback.format_exception(error))
    try:
        same = ForkingPickler.loads(bytes(ForkingPickler.dumps(error)))
    except Exception:  # whatever a class does when it is copied, its text tells what happened
        return Answer(epoch, number, text=text)
    return Answer(epoch, number, error=same if type(same) is type(error) else None, text=text)
