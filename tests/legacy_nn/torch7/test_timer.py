"""torch.Timer, tic and toc."""

import time

import pytest

from rekindle.core.checkpoint import Table, loads
from rekindle.legacy_nn.torch7 import timer
from rekindle.legacy_nn.torch7.files import deserialize, serialize
from rekindle.legacy_nn.torch7.timer import FUNCTIONS, Timer


def burn(seconds):
    """Use the CPU."""
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass


@pytest.fixture
def clock(monkeypatch):
    """Let the test say what the time is: real, user and system."""
    now = [1e9, 40.0, 7.0]
    monkeypatch.setattr(timer, "_now", lambda: tuple(now))
    return now


def test_a_timer_counts_while_it_runs():
    before = time.time()
    running = Timer()
    time.sleep(0.03)
    burn(0.03)
    passed = running.time()
    after = time.time()
    assert set(passed.keys()) == {"real", "user", "sys"}
    assert 0.02 <= passed.real <= after - before
    assert passed.user + passed.sys >= 0.02


def test_stop_and_resume(clock):
    watch = Timer()
    clock[:] = 1e9 + 2, 41.5, 7.25
    assert watch.stop() is watch
    stopped = watch.time()
    assert (stopped.real, stopped.user, stopped.sys) == (2, 1.5, 0.25)
    clock[0] += 2
    assert watch.time().real == 2
    watch.stop()
    assert watch.time().real == 2
    clock[0] += 5
    assert watch.resume() is watch
    assert watch.time().real == 2
    clock[0] += 3
    assert watch.resume().time().real == 5


def test_reset_keeps_a_stopped_timer_stopped(clock):
    watch = Timer()
    clock[0] += 2
    assert watch.reset().time().real == 0
    clock[0] += 1
    assert watch.time().real == 1
    watch.stop().reset()
    clock[0] += 1
    assert watch.time().real == 0
    assert repr(watch) == "torch.Timer [status: stopped]"
    assert repr(watch.resume()) == "torch.Timer [status: running]"


def test_tic_and_toc():
    before = time.time()
    start = FUNCTIONS["tic"]()
    time.sleep(0.02)
    passed = FUNCTIONS["toc"](start)
    after = time.time()
    assert before <= start <= after
    assert 0.01 <= passed <= after - before


def test_a_timer_is_read_as_a_new_one():
    stopped = Timer().stop()
    found = deserialize(serialize(Table([stopped, "after"])))
    assert repr(found[1]) == "torch.Timer [status: running]"
    assert found[2] == "after"
    assert loads(serialize(stopped).encode("latin-1")).t7_typename == "torch.Timer"
