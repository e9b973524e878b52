"""Output buffers: memory goes round, is aligned, never shared by two, hardly raises the peak."""

import gc
import os
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekindle.core.backend import pool
from rekindle.core.backend.pool import Pool, empty, holds_alone, memory_stats

LARGE = pool.SMALLEST // 4  # float32 elements


def test_memory_is_used_again_when_the_last_view_has_gone():
    first = empty((LARGE,), np.float32)
    address, view = first.ctypes.data, first[5:].reshape(-1, 1)
    view[...] = 7
    del first
    second = empty((LARGE,), np.float32)
    assert second.ctypes.data != address
    second[...] = 8
    assert (view == 7).all()
    del view
    before = memory_stats()
    third = empty((LARGE // 2, 2), np.float32)
    assert third.ctypes.data == address
    assert memory_stats().reused == before.reused + 1
    assert memory_stats().used == before.used + third.nbytes


@pytest.mark.parametrize("shape", [(), (0, 3), (3, 4), (LARGE,), (7, LARGE + 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_is_an_ordinary_array(shape, dtype):
    array = empty(shape, dtype)
    assert type(array) is np.ndarray
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert holds_alone(array)
    assert array.nbytes < pool.SMALLEST or array.ctypes.data % 64 == 0
    assert array.size == 0 or not holds_alone(array[...])


@pytest.mark.parametrize("size", [4, 400])
def test_takes_strides(size):
    n, c, h, w = shape = (2, 3, size, 100)
    strides = (h * w * c * 4, 4, w * c * 4, c * 4)
    array = empty(shape, np.float32, strides)
    assert array.strides == strides
    assert np.moveaxis(array, 1, -1).flags.c_contiguous
    assert array.nbytes == n * c * h * w * 4


def test_blocks_are_at_most_an_eighth_too_large_and_few_in_kind():
    sizes = range(pool.SMALLEST, 20 * pool.SMALLEST, 997)
    rounded = [pool._rounded(n) for n in sizes]
    assert all(n <= r <= n * 1.126 for n, r in zip(sizes, rounded, strict=True))
    assert len(set(rounded)) < 50


def test_hardly_covers_more_than_was_in_use_at_once(monkeypatch):
    own = Pool()
    monkeypatch.setattr(pool, "POOL", own)
    rng = np.random.default_rng(0)
    alive = []
    most = highest = 0
    for _ in range(1000):
        if alive and rng.random() < 0.5:
            array, mark = alive.pop(int(rng.integers(len(alive))))
            assert (array[::999] == mark).all()
            del array
        else:
            array = empty((int(LARGE * 2 ** rng.uniform(0, 5)),), np.float32)
            mark = len(alive) + rng.random(dtype=np.float32)
            array[::999] = mark
            alive.append((array, mark))
            del array
        stats = own.stats()
        used = sum(a.nbytes for a, _ in alive)
        assert used <= stats.used <= 1.126 * used
        most = max(most, stats.used)
        assert stats.peak == most
        highest = max(highest, stats.used + stats.kept)
    assert highest <= 1.3 * most
    assert stats.reused > 0.9 * stats.requests
    alive.clear()
    assert own.stats().used == 0
    own.release()
    assert own.stats().kept == 0  # so all pieces had become whole again


def test_pieces_are_cut_and_joined(monkeypatch):
    own = Pool()
    monkeypatch.setattr(pool, "POOL", own)
    start = empty((8 * LARGE,), np.float32).ctypes.data
    a, b = empty((2 * LARGE,), np.float32), empty((3 * LARGE,), np.float32)
    assert [a.ctypes.data, b.ctypes.data] == [start, start + a.nbytes]
    assert own.stats().kept == 3 * pool.SMALLEST
    del a
    c = empty((3 * LARGE,), np.float32)  # the rest fits, the first piece does not
    assert c.ctypes.data == start + 5 * pool.SMALLEST
    del b
    d = empty((5 * LARGE,), np.float32)
    assert d.ctypes.data == start
    assert own.stats().requests == 5
    assert own.stats().reused == 4
    own.release()
    assert own.stats().kept == 0


def test_memory_is_given_up_where_another_size_is_needed(monkeypatch):
    own = Pool()
    monkeypatch.setattr(pool, "POOL", own)
    for k in (2, 3, 5, 8):
        empty((k * LARGE,), np.float32)
        assert own.stats().kept == k * pool.SMALLEST


def test_threads_do_not_get_the_same_memory():
    wrong = []

    def work(mark):
        for _ in range(200):
            a, b = empty((LARGE,), np.float32), empty((LARGE,), np.float32)
            a[::97], b[::97] = mark, -mark
            if (a[::97] != mark).any() or (b[::97] != -mark).any():
                wrong.append(mark)

    gc.collect()  # what other tests have left
    before = memory_stats().used
    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    gc.collect()
    assert not wrong
    assert memory_stats().used == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_goes_on():
    kept = empty((LARGE,), np.float32)
    kept[...] = 3
    del kept
    held = pool.POOL._lock
    with held:
        child = os.fork()
        if child == 0:
            array = empty((LARGE,), np.float32)
            array[...] = 1
            os._exit(0 if pool.POOL._lock is not held and memory_stats().kept == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0


def ends_elsewhere(array):
    held = [array]
    del array
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()


def ends_with_the_collector(array):
    cycle = [array]
    cycle.append(cycle)


def view_of_the_middle(array):
    return array[array.size // 3 : array.size // 2].reshape(1, -1)


STEPS = st.one_of(
    st.tuples(st.just("new"), st.integers(pool.SMALLEST, 6 * pool.SMALLEST)),
    st.tuples(st.sampled_from(["end", "elsewhere", "cycle", "view"]), st.integers(0, 99)),
    st.just(("collect", 0)),
    st.just(("release", 0)),
)


@pytest.fixture
def few_objects():
    """Let the collector look at new objects only, so that it is quick."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("few_objects")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_memory_is_lent_once_and_comes_back(steps):
    own = Pool()
    alive, unreachable, made, most = [], 0, 0, 0
    for step, number in steps:
        if step == "new":
            array = np.ndarray((number,), np.uint8, own.lend(number))
            alive.append((array, pool._rounded(number)))
            made += 1
        elif step == "collect":
            gc.collect()
            unreachable = 0
        elif step == "release":
            own.release()
        elif alive:
            place = number % len(alive)
            array, size = alive.pop(place)
            if step == "elsewhere":
                ends_elsewhere(array)
            elif step == "cycle":
                ends_with_the_collector(array)
                unreachable += size
            elif step == "view":
                alive.append((view_of_the_middle(array), size))
        array = None
        places = sorted((a.ctypes.data, a.ctypes.data + a.nbytes) for a, _ in alive)
        assert all(end <= start for (_, end), (start, _) in pairwise(places))
        stats = own.stats()
        used = sum(size for _, size in alive)
        assert used <= stats.used <= used + unreachable  # the collector may run at any time
        most = max(most, stats.used)
        assert stats.peak == most
        assert stats.requests == made
        free = [piece for _, _, piece in own._free]
        assert [p.size for p in free] == sorted(p.size for p in free)
        assert not any(p.after.number for p in free if p.after is not None)
        assert stats.kept == sum(p.size for p in free)
    alive.clear()
    gc.collect()
    assert own.stats().used == 0
    own.release()
    assert own.stats().kept == 0


def test_a_signal_handler_or_finaliser_may_ask_amid_another_call(monkeypatch):
    own = Pool()
    monkeypatch.setattr(pool, "POOL", own)
    original, found = pool.insort, []

    def insort(*args):
        if len(found) < 5:
            found.append(empty((LARGE,), np.float32))
            empty((LARGE,), np.float32)
            own.release()
            assert own.stats().used >= 0
        original(*args)

    monkeypatch.setattr(pool, "insort", insort)
    arrays = [empty((k * LARGE,), np.float32) for k in (5, 2, 4)]
    while arrays:
        arrays.pop()
    arrays = [empty((k * LARGE,), np.float32) for k in (1, 2, 3)] + found
    assert len(found) == 5
    for mark, array in enumerate(arrays):
        array[...] = mark
    assert all((array == mark).all() for mark, array in enumerate(arrays))
    arrays.clear()
    found.clear()
    array = None
    assert own.stats().used == 0
    own.release()
    assert own.stats().kept == 0


def test_memory_that_there_is_not_leaves_nothing_behind(monkeypatch):
    own = Pool()
    monkeypatch.setattr(pool, "POOL", own)
    kept = empty((LARGE,), np.float32)
    before = own.stats()
    with pytest.raises(MemoryError):
        empty((1 << 60,), np.uint8)
    after = own.stats()
    assert (after.used, after.kept, after.peak) == (before.used, before.kept, before.peak)
    assert kept.nbytes == after.used
