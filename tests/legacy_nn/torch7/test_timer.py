"""torch.Timer, tic and toc."""

import time

from rekindle.core.checkpoint import Table, loads
from rekindle.legacy_nn.torch7.files import deserialize, serialize
from rekindle.legacy_nn.torch7.timer import FUNCTIONS, Timer


def burn(seconds):
    """Use the CPU."""
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass


def test_a_timer_counts_while_it_runs():
    timer = Timer()
    time.sleep(0.03)
    burn(0.03)
    passed = timer.time()
    assert set(passed.keys()) == {"real", "user", "sys"}
    assert 0.06 <= passed.real < 5
    assert passed.user + passed.sys >= 0.02


def test_stop_and_resume():
    timer = Timer()
    time.sleep(0.02)
    assert timer.stop() is timer
    stopped = timer.time().real
    assert stopped >= 0.02
    time.sleep(0.02)
    assert timer.time().real == stopped
    timer.stop()
    assert timer.time().real == stopped
    time.sleep(0.05)
    assert timer.resume() is timer
    assert stopped <= timer.time().real < stopped + 0.04
    time.sleep(0.02)
    assert timer.resume().time().real >= stopped + 0.02


def test_reset_keeps_a_stopped_timer_stopped():
    timer = Timer()
    time.sleep(0.02)
    assert timer.reset().time().real < 0.02
    timer.stop().reset()
    time.sleep(0.01)
    assert timer.time().real == 0
    assert repr(timer) == "torch.Timer [status: stopped]"
    assert repr(timer.resume()) == "torch.Timer [status: running]"


def test_tic_and_toc():
    start = FUNCTIONS["tic"]()
    assert abs(start - time.time()) < 5
    time.sleep(0.01)
    assert 0.01 <= FUNCTIONS["toc"](start) < 5


def test_a_timer_is_read_as_a_new_one():
    timer = Timer().stop()
    found = deserialize(serialize(Table([timer, "after"])))
    assert repr(found[1]) == "torch.Timer [status: running]"
    assert found[2] == "after"
    assert loads(serialize(timer).encode("latin-1")).t7_typename == "torch.Timer"
