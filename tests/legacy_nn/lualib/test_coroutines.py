"""Coroutines against LuaJIT, and what only threads need: ending, contexts, exits."""

import gc
import threading
import time

import pytest

from rekindle.core.autograd import is_grad_enabled, no_grad
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import Coroutine, LuaError, Table

co = lualib.coroutine


def yield_(*args):
    return co["yield"](*args)


def test_values_go_both_ways(lua):
    source = """function()
       local log = {}
       local c = coroutine.create(function(first, ...)
          log[#log + 1] = select('#', ...)
          local more = coroutine.yield(first + 1)
          local a, b = coroutine.yield(more, nil, 'x')
          return a, b, 'end'
       end)
       log[#log + 1] = coroutine.status(c)
       local r = {coroutine.resume(c, 1, nil, nil)}
       local s = {coroutine.resume(c, 'm')}
       local t = {coroutine.resume(c, 5)}
       return log, r, s, t, coroutine.status(c), coroutine.resume(c)
    end"""

    def run():
        log = Table()

        def body(first, *rest):
            lualib.table.insert(log, len(rest))
            more = lualib.first(yield_(first + 1))
            a, b = lualib.take(yield_(more, None, "x"), 2)
            return a, b, "end"

        c = co.create(body)
        lualib.table.insert(log, co.status(c))
        r = lualib.sequence(*co.resume(c, 1, None, None))
        s = lualib.sequence(*co.resume(c, "m"))
        t = lualib.sequence(*co.resume(c, 5))
        return log, r, s, t, co.status(c), *co.resume(c)

    lua.same_as(source, run)


def test_status_and_errors(lua):
    source = """function()
       local out = {}
       local function note(v) out[#out + 1] = v end
       local outer
       outer = coroutine.create(function()
          local inner = coroutine.create(function()
             note((coroutine.status(outer)))
             note((select(2, coroutine.resume(outer))))
             error('inside', 0)
          end)
          note((coroutine.status(outer)))
          note((select(2, coroutine.resume(inner))))
          note((coroutine.status(inner)))
          note((select(2, coroutine.resume(inner))))
          note((select(2, coroutine.resume(outer))))
          error({code = 3})
       end)
       local ok, thrown = coroutine.resume(outer)
       note((thrown.code))
       note((coroutine.status(outer)))
       return out, ok
    end"""

    def run():
        out = Table()

        def note(value):
            lualib.table.insert(out, value)

        def inside():
            note(co.status(outer))
            note(co.resume(outer)[1])
            lualib.error("inside", 0)

        def body():
            inner = co.create(inside)
            note(co.status(outer))
            note(co.resume(inner)[1])
            note(co.status(inner))
            note(co.resume(inner)[1])
            note(co.resume(outer)[1])
            lualib.error(Table({"code": 3}))

        outer = co.create(body)
        ok, thrown = co.resume(outer)
        note(thrown.code)
        note(co.status(outer))
        return out, ok

    lua.same_as(source, run)


def test_wrap_throws_and_iterates():
    def numbers(n):
        for i in range(1, n + 1):
            yield_(i, i * i)

    step = co.wrap(numbers)
    assert step(2) == (1, 1)
    assert step() == (2, 4)
    assert step() is None
    assert lualib.pcall(step) == (False, "cannot resume dead coroutine")
    assert list(lualib.each(2, co.wrap(lambda *_: numbers(3)))) == [(1, 1), (2, 4), (3, 9)]

    def throws():
        lualib.error("bad")

    with pytest.raises(LuaError, match=r"test_coroutines\.py:\d+: .*test_coroutines\.py:\d+: bad"):
        co.wrap(throws)()


def test_yield_from_deep_inside():
    """From a sort function, through pcall, out of a recursion."""

    def body():
        t = Table([3, 1, 2])
        lualib.table.sort(t, lambda a, b: (yield_("compare"), a < b)[1])
        ok, got = lualib.pcall(lambda: lualib.first(yield_("in pcall")))

        def down(n):
            return yield_("deep") if n == 0 else down(n - 1)

        return ok, got, down(100), t.array()

    c = co.create(body)
    seen = []
    while True:
        result = co.resume(c, "in")
        if co.status(c) == "dead":
            break
        seen.append(result[1])
    assert result == (True, True, "in", "in", [1, 2, 3])
    assert set(seen) == {"compare", "in pcall", "deep"}


def test_misuse(lua):
    lua.same("coroutine.create", 1)
    lua.same("coroutine.wrap", None)
    lua.same("coroutine.resume", 1)
    lua.same("coroutine.status", 1)
    lua.same("coroutine.yield", 1)
    main, is_main = co.running()
    assert (lualib.type_of(main), is_main, co.status(main)) == ("thread", True, "running")
    assert co.resume(main) == (False, "cannot resume running coroutine")
    assert co.isyieldable() is False


def test_running_is_the_coroutine_itself():
    c = co.create(lambda: (*co.running(), co.isyieldable()))
    assert co.resume(c) == (True, c, False, True)
    assert lualib.type_of(c) == "thread"
    assert lualib.tostring(c).startswith("thread: 0x")


def waiting():
    """Return the threads of coroutines, those that other tests have left among them."""
    return {thread for thread in threading.enumerate() if thread.name == "coroutine"}


def test_a_forgotten_coroutine_ends():
    before, left = waiting(), []

    def body():
        try:
            yield_(1)
        finally:
            left.append(True)

    steps = [co.wrap(body) for _ in range(5)]
    for step in steps:
        step()
    own = waiting() - before
    assert len(own) == 5
    del steps, step
    gc.collect()
    for thread in own:
        thread.join(60)
        assert not thread.is_alive()
    assert left == [True] * 5


def test_a_coroutine_never_started_needs_no_thread():
    before = waiting()
    unused = [co.create(print) for _ in range(100)]
    assert waiting() <= before
    assert all(isinstance(c, Coroutine) and co.status(c) == "suspended" for c in unused)


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_goes_through(exception):
    def stop():
        raise exception

    c = co.create(stop)
    with pytest.raises(exception):
        co.resume(c)
    assert co.status(c) == "dead"


def test_a_coroutine_sees_the_context_of_its_start():
    with no_grad():
        assert co.wrap(is_grad_enabled)() is False
    assert co.wrap(is_grad_enabled)() is True


def test_many_switches_are_quick():
    def count():
        for i in range(5000):
            yield_(i)

    step = co.wrap(count)
    begun = time.perf_counter()
    assert sum(step() for _ in range(5000)) == 5000 * 4999 // 2
    taken = time.perf_counter() - begun
    assert taken < 20 * by_hand(5000)  # nobody waits for a time to pass, such as Python's 5 ms


def by_hand(switches):
    """Return the seconds that two threads take to hand over to each other, on this machine now."""
    there, back = threading.Semaphore(0), threading.Semaphore(0)

    def work():
        for _ in range(switches):
            there.acquire()
            back.release()

    thread = threading.Thread(target=work)
    thread.start()
    begun = time.perf_counter()
    for _ in range(switches):
        there.release()
        back.acquire()
    thread.join()
    return time.perf_counter() - begun


def test_two_threads_have_coroutines_of_their_own():
    found = []

    def work(base):
        step = co.wrap(lambda: [yield_(base + i) for i in range(200)])
        found.append([step() for _ in range(200)] == [base + i for i in range(200)])

    threads = [threading.Thread(target=work, args=(k * 1000,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4
