"""Memory that does not grow, threads, coroutines, and runtimes that go away."""

import gc
import resource
import threading
import weakref

import numpy as np

import rekindle
from rekindle.legacy_nn.bridge import Runtime


def test_big_garbage_is_collected_in_time(torch_lua):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    torch_lua.execute("for i = 1, 200 do local t = torch.Tensor(1000000):fill(i) end")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 700 * 1024  # in kB; all of it would be 1,600 MB


def test_many_small_operations_leave_nothing(torch_lua):
    work = torch_lua.execute("""
        local m = nn.Linear(4, 4)
        return function(n)
          for i = 1, n do
            local x = torch.ones(4)
            local y = x * 2 + m:forward(x)
            local t = {x, y, {y}}
            local f = function() return t end
          end
          collectgarbage() collectgarbage()
          return collectgarbage('count')
        end""")

    def objects():
        gc.collect()
        return len(gc.get_objects())

    work(1000)
    before = objects()
    size = work(6000)
    assert objects() < before + 200
    assert size < 8000  # kB; the tensors' stand-ins alone would be more


def test_tables_and_functions_that_crossed_are_collected(lua):
    lua.globals.take = lambda t, f: None
    lua.execute("for i = 1, 2000 do take({i}, function() return i end) end")
    count = lua.execute("collectgarbage() collectgarbage() return collectgarbage('count')")
    lua.execute("for i = 1, 20000 do take({i}, function() return i end) end")
    again = lua.execute("collectgarbage() collectgarbage() return collectgarbage('count')")
    assert again < count + 500


def test_what_crosses_inside_coroutines_outlives_them(torch_lua):
    kept = []
    torch_lua.globals.keep = lambda *values: kept.extend(values)
    torch_lua.execute("""
        for i = 1, 300 do
          local co = coroutine.wrap(function()
            keep({i}, torch.Tensor{i}, function() return i end)
            coroutine.yield()
          end)
          co()
        end
        collectgarbage() collectgarbage()""")
    for i in range(300):
        table, tensor, function = kept[3 * i : 3 * i + 3]
        assert (table[1], tensor.item(), function()) == (i + 1, i + 1, i + 1)


def test_a_compiled_loop_may_call_python_from_coroutines(torch_lua):
    torch_lua.globals.twice = lambda f, x: f(f(x))
    code = """
        local function work(n)
          local s = 0
          for i = 1, n do s = s + twice(function(x) return x + i end, 1) coroutine.yield(s) end
        end
        local a, b = coroutine.wrap(work), coroutine.wrap(work)
        local x, y = 0, 0
        for i = 1, 500 do x, y = a(500), b(500) end
        return x, y"""
    total = sum(1 + 2 * i for i in range(1, 501))
    assert torch_lua.execute(code) == (total, total)


def test_two_runtimes_in_two_threads():
    results = {}

    def run(seed):
        lua = Runtime()
        lua.require("nn")
        code = """
            local seed = ...
            local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
            local w = net:getParameters()
            w:fill(seed)
            local s = 0
            for i = 1, 300 do s = s + net:forward(torch.ones(3)):sum() end
            return s"""
        results[seed] = lua.globals.loadstring(code)(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (0.1, 0.2, 0.3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (0.1, 0.2, 0.3):
        assert abs(results[seed] - 900 * np.tanh(4 * seed)) < 1e-9


def test_a_runtime_goes_away():
    lua = Runtime()
    lua.require("nn")
    lua.execute("function nn.Linear:reset() return self end X = nn.Linear(2, 2)")
    reference = weakref.ref(lua)
    state = weakref.ref(lua._border)
    del lua
    gc.collect()
    assert reference() is None
    assert state() is None
    assert rekindle.legacy_nn.Linear(2, 2).weight.abs().sum().item() > 0


def test_deep_tables_cross(lua):
    table = inner = rekindle.Table()
    for _ in range(5000):
        inner["next"] = rekindle.Table()
        inner = inner["next"]
    depth = lua.execute("""
        return function(t) local n = 0 while t do n, t = n + 1, t.next end return n end""")
    assert depth(table) == 5001
