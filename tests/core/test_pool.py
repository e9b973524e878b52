"""Output buffers: memory goes round, is aligned, never shared by two, and never raises the peak."""

import gc
import os
import threading

import numpy as np
import pytest

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


def test_never_covers_more_than_was_in_use_at_once(monkeypatch):
    own = Pool()
    monkeypatch.setattr(pool, "POOL", own)
    sizes = [LARGE * k for k in (1, 2, 3, 5, 8)]
    rng = np.random.default_rng(0)
    alive = []
    most = 0
    for _ in range(400):
        if alive and rng.random() < 0.5:
            del alive[int(rng.integers(len(alive)))]
        else:
            alive.append(empty((sizes[int(rng.integers(len(sizes)))],), np.float32))
        stats = own.stats()
        assert stats.used == sum(a.nbytes for a in alive)
        most = max(most, stats.used)
        assert stats.peak == most
        assert stats.used + stats.kept <= most
    assert stats.reused > 50
    own.release()
    assert own.stats().kept == 0
    alive.clear()


def test_threads_do_not_get_the_same_memory():
    wrong = []

    def work(mark):
        for _ in range(200):
            a, b = empty((LARGE,), np.float32), empty((LARGE,), np.float32)
            a[::97], b[::97] = mark, -mark
            if (a[::97] != mark).any() or (b[::97] != -mark).any():
                wrong.append(mark)

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
