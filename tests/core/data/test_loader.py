"""DataLoader: the same batches in any number of processes, and no process left behind."""

import multiprocessing
import os
import signal
import time
from multiprocessing import shared_memory

import numpy as np
import pytest

import rekindle
from rekindle import random
from rekindle.core import data
from rekindle.core.data import parcels
from rekindle.core.data import workers as workers_module

LARGE = 20_000  # elements: more than what goes through a pipe


class Squares(data.Dataset):
    """Large samples, with something drawn in each."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return rekindle.full(LARGE, i, "float64") + random.normal((LARGE,)), {"square": i * i}


class Counting(data.IterableDataset):
    """Worker w of n gives w, w + n, ..."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = data.get_worker_info()
        start, step = (0, 1) if info is None else (info.id, info.num_workers)
        for i in range(start, self.n, step):
            yield i + 0.0 * random.uniform(()).item()


class Failing(data.Dataset):
    """Sample 5 goes wrong in a way of its own."""

    def __init__(self, how):
        self.how = how

    def __len__(self):
        return 8

    def __getitem__(self, i):
        if i == 5:
            self.how()
        return i


class Unsendable(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a}{b}")


def raise_key_error():
    raise KeyError("the label")


def raise_unsendable():
    raise Unsendable(1, 2)


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def leave():
    os._exit(3)


def sleep_long():
    time.sleep(60)


PREFIX = f"{os.getpid():x}_"
"""Of the names of shared memory here and in forked workers: other programs have some, too."""


def segments():
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    return {name for name in names if name.startswith(PREFIX)}


@pytest.fixture(autouse=True)
def nothing_is_left_behind(monkeypatch):
    monkeypatch.setattr(shared_memory, "_SHM_NAME_PREFIX", f"/{PREFIX}")
    before = segments()
    yield
    assert not multiprocessing.active_children()
    assert segments() <= before


def batches(n, **options):
    loader = data.DataLoader(
        Squares(11), 3, shuffle=True, num_workers=n, generator=random.Generator(4), **options
    )
    return [(x.numpy().copy(), y["square"].tolist()) for x, y in loader]


@pytest.mark.parametrize(
    ("count", "context"), [(1, "fork"), (3, "fork"), (2, "spawn"), (2, "forkserver")]
)
def test_batches_do_not_depend_on_the_workers(count, context):
    expected = batches(0)
    found = batches(count, multiprocessing_context=context)
    assert [y for _, y in found] == [y for _, y in expected]
    assert sorted(n for _, y in found for n in y) == [i * i for i in range(11)]
    for (a, _), (b, _) in zip(found, expected, strict=True):
        assert a.tobytes() == b.tobytes()


def test_large_tensors_arrive_in_shared_memory_which_goes_with_them():
    before = segments()
    loader = data.DataLoader(Squares(4), 2, num_workers=2)
    kept = [x for x, _ in loader]
    assert all(x.is_shared() for x in kept)
    assert segments() <= before
    assert [x.mean().item() for x in kept] == pytest.approx([0.5, 2.5], abs=0.1)
    kept[0][:] = 5
    assert kept[0].mean().item() == 5


def addresses(loader, keep=None):
    """Return where the batches of an epoch are in memory, which may be kept."""
    found = []
    for x, _ in loader:
        found.append(x.numpy().ctypes.data)
        if keep is not None:
            keep.append(x)
    return found


def test_memory_is_used_again_by_batches_that_nobody_has():
    loader = data.DataLoader(Squares(60), 2, num_workers=2, prefetch_factor=2)
    assert len(set(addresses(loader))) <= 8  # two for each worker on the way, and one at hand
    kept = []
    assert len(set(addresses(loader, kept))) == 30
    means = [x.mean().item() for x in kept]
    assert means == pytest.approx([2 * i + 0.5 for i in range(30)], abs=0.1)


def test_a_view_keeps_the_memory_of_its_batch():
    rows = [x[0].numpy()[:10] for x, _ in data.DataLoader(Squares(40), 2, num_workers=2)]
    for i, row in enumerate(rows):
        assert abs(row.mean() - 2 * i) < 2


def test_persistent_workers_drop_memory_that_was_kept_for_long():
    loader = data.DataLoader(Squares(80), 2, num_workers=1, persistent_workers=True)
    kept = []
    addresses(loader, kept)
    kept.clear()
    addresses(loader)
    pool = loader._workers.workers[0].loans
    assert len(pool._blocks) <= parcels.KEPT + 8
    del loader, pool


@pytest.mark.parametrize("count", [0, 2])
def test_epochs_are_drawn_anew_and_repeat_from_a_seed(count):
    def orders():
        loader = data.DataLoader(range(20), 4, shuffle=True, num_workers=count)
        rekindle.manual_seed(6)
        return [[batch.tolist() for batch in loader] for _ in range(2)]

    first, second = orders()
    assert first != second
    assert orders() == [first, second]


def test_order_is_kept_where_workers_are_slow_at_times():
    class Slow(data.Dataset):
        def __len__(self):
            return 12

        def __getitem__(self, i):
            time.sleep(0.03 * (i % 3 == 0))
            return i

    loader = data.DataLoader(Slow(), None, num_workers=3)
    assert list(loader) == list(range(12))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("drop", [False, True])
def test_iterables_are_shared_out_by_themselves(count, drop):
    loader = data.DataLoader(Counting(10), 3, num_workers=count, drop_last=drop)
    found = [batch.tolist() for batch in loader]
    parts = max(count, 1)
    expected = []
    for w in range(parts):
        own = list(range(w, 10, parts))
        expected.append([own[i : i + 3] for i in range(0, len(own), 3)])
    turns = []
    while any(expected):
        turns += [queue.pop(0) for queue in expected if queue]
    assert found == [b for b in turns if len(b) == 3 or not drop]


def test_without_batches():
    arrays = [np.zeros(2), np.ones(2)]
    found = list(data.DataLoader(arrays, None))
    assert [type(x) for x in found] == [rekindle.Tensor] * 2
    assert list(data.DataLoader([5, 6, 7], batch_sampler=[[2, 0], [1]], collate_fn=list)) == [
        [7, 5],
        [6],
    ]


@pytest.mark.parametrize("count", [0, 2])
def test_exceptions_come_as_they_were(count):
    loader = data.DataLoader(Failing(raise_key_error), 2, num_workers=count)
    found = []
    with pytest.raises(KeyError, match="the label") as raised:
        found.extend(batch.tolist() for batch in loader)
    assert found == [[0, 1], [2, 3]]
    if count:
        note = "".join(raised.value.__notes__)
        assert "batch 2 of the samples 4, 5" in note
        assert "raise_key_error" in note
        assert "Traceback" in note


def test_an_exception_that_cannot_be_sent_is_told():
    with pytest.raises(data.WorkerError, match="Unsendable: 12") as raised:
        list(data.DataLoader(Failing(raise_unsendable), num_workers=1))
    assert "raise_unsendable" in str(raised.value)


def test_the_start_of_a_worker_may_fail():
    def init(number):
        raise ZeroDivisionError(f"worker {number}")

    with pytest.raises(ZeroDivisionError, match="worker 0"):
        list(data.DataLoader([1], num_workers=1, worker_init_fn=init))


def test_an_iterable_that_does_not_begin():
    class Broken(data.IterableDataset):
        def __iter__(self):
            raise ZeroDivisionError("no beginning")

    for count in (0, 2):
        with pytest.raises(ZeroDivisionError, match="no beginning"):
            list(data.DataLoader(Broken(), num_workers=count))


@pytest.mark.parametrize(
    ("how", "message"), [(be_killed, "signal 9 \\(SIGKILL\\)"), (leave, "exit code 3")]
)
def test_a_worker_that_dies_is_reported(how, message):
    with pytest.raises(data.WorkerError, match=message) as raised:
        list(data.DataLoader(Failing(how), 2, num_workers=2))
    assert "batch 2 of the samples 4, 5" in str(raised.value)


def test_a_worker_that_is_stuck(monkeypatch):
    monkeypatch.setattr(workers_module, "PATIENCE", 0.1)
    loader = data.DataLoader(Failing(sleep_long), 2, num_workers=2, timeout=0.5)
    started = time.monotonic()
    with pytest.raises(data.LoaderTimeoutError, match="no batch came in"):
        list(loader)
    assert time.monotonic() - started < 50  # the worker sleeps for 60 seconds


def test_iteration_that_is_left_ends_the_processes():
    for _ in data.DataLoader(Squares(100), 2, num_workers=2):
        assert len(multiprocessing.active_children()) == 2
        break
    assert not multiprocessing.active_children()


def test_persistent_workers_stay():
    def pids(loader):
        return {int(pid) for batch in loader for pid in batch.tolist()}

    class Pid(data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            time.sleep(0.01)
            return os.getpid()

    loader = data.DataLoader(Pid(), 1, num_workers=2, persistent_workers=True)
    first = pids(loader)
    assert len(first) == 2
    for _ in loader:
        break
    assert pids(loader) == first
    older = iter(loader)
    next(older)
    assert pids(loader) == first
    with pytest.raises(data.DataError, match="another iteration"):
        list(older)
    del loader, older


def test_an_interrupt_ends_the_processes():
    def interrupted(batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(map(interrupted, data.DataLoader(Squares(100), 2, num_workers=2)))


def test_lengths():
    assert len(data.DataLoader(range(10), 3)) == 4
    assert len(data.DataLoader(range(10), 3, drop_last=True)) == 3
    assert len(data.DataLoader(range(10), None)) == 10
    assert list(data.DataLoader([], 3, shuffle=True)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": True, "sampler": [0]},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_size": 0},
        {"batch_size": None, "drop_last": True},
        {"num_workers": -1},
        {"persistent_workers": True},
    ],
)
def test_arguments_that_do_not_fit(options):
    with pytest.raises(data.DataError):
        data.DataLoader(range(3), **options)
    with pytest.raises(data.DataError, match="own order"):
        data.DataLoader(Counting(3), shuffle=True)


# -- resuming ---------------------------------------------------------------------------------


def numbers(loader, steps=None):
    found = []
    for x, y in loader:
        found.append((x.numpy().tobytes(), y["square"].tolist()))
        if len(found) == steps:
            break
    return found


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("counts", [(0, 0), (0, 2), (2, 0)])
def test_an_epoch_goes_on_where_it_was_saved(tmp_path, own, counts):
    def make(count):
        generator = random.Generator(8) if own else None
        return data.DataLoader(Squares(9), 2, shuffle=True, num_workers=count, generator=generator)

    rekindle.manual_seed(1)
    loader, expected = make(counts[0]), []
    for epoch in range(3):
        for i, (x, y) in enumerate(loader):
            random.normal((3,))  # training draws too
            expected.append((x.numpy().tobytes(), y["square"].tolist()))
            if (epoch, i) == (1, 1):
                rekindle.save_training(tmp_path / "run", loader=loader)
                done = len(expected)
    rekindle.manual_seed(77)
    loader, found = make(counts[1]), []
    rekindle.load_training(tmp_path / "run", loader=loader)
    for _ in range(2):
        for x, y in loader:
            random.normal((3,))
            found.append((x.numpy().tobytes(), y["square"].tolist()))
    assert found == expected[done:]


def test_a_saved_epoch_that_was_over_is_followed_by_a_new_one(tmp_path):
    rekindle.manual_seed(1)
    loader = data.DataLoader(range(6), 2, shuffle=True)
    list(loader)
    for _ in loader:
        break
    rekindle.save_training(tmp_path / "run", loader=loader)
    expected = [b.tolist() for b in loader]
    assert len(expected) == 3
    rekindle.load_training(tmp_path / "run", loader=loader)
    assert [b.tolist() for b in loader] == expected


@pytest.mark.parametrize("count", [0, 2])
def test_an_iterable_goes_on_too(count):
    loader = data.DataLoader(Counting(12), 2, num_workers=count)
    found = []
    for batch in loader:
        found.append(batch.tolist())
        if len(found) == 2:
            state = loader.state_dict()
    resumed = data.DataLoader(Counting(12), 2, num_workers=count)
    resumed.load_state_dict(state)
    assert [b.tolist() for b in resumed] == found[2:]
