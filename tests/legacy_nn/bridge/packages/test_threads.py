"""Pools of workers: what the manual of torch/threads says holds with one job at a time."""

import pytest

from rekindle.legacy_nn.bridge import LuaError


def test_the_example_of_the_manual(lua, capfd):
    lua.execute("""
        local threads = require 'threads'
        local msg = 'hello from a satellite thread'
        local pool, started = threads.Threads(4, function(id) gmsg = msg return id * 10 end)
        local jobdone, seen = 0, {}
        for i = 1, 10 do
          pool:addjob(
            function() return gmsg, __threadid, i end,
            function(text, id, job)
              assert(text == msg and id >= 1 and id <= 4)
              seen[job] = true
              jobdone = jobdone + 1
            end)
        end
        pool:synchronize()
        assert(jobdone == 10 and #seen == 10)
        assert(#started == 4 and started[3][1] == 30)
        assert(gmsg == nil and __threadid == nil, 'globals of workers stay with them')
        pool:terminate()
        assert(not pcall(pool.addjob, pool, print))
    """)


def test_jobs_have_copies_of_what_they_captured(lua):
    code = """
        local upvalue, count = 10, 0
        local function helper() count = count + 1 seen = count return count end
        local pool = require('threads').Threads(2)
        local result = 0
        for i = 1, 3 do
          pool:addjob(function() upvalue = upvalue + 1 return upvalue, helper() end,
                      function(a, b) result = result + a + b end)
        end
        pool:synchronize()
        return upvalue, count, result, seen
    """
    assert lua.execute(code) == (10, 0, 36, None)


def test_workers_have_their_own_globals_streams_and_types(lua):
    code = """
        require 'torch'
        torch.manualSeed(1)
        local expected = torch.uniform()
        torch.manualSeed(1)
        torch.setdefaulttensortype('torch.FloatTensor')
        local pool = require('threads').Threads(2, function(id)
          torch.manualSeed(100 + id)
          _G.mine = id
        end)
        local draws, types = {}, {}
        pool:specific(true)
        for id = 1, 2 do
          pool:addjob(id, function() return mine, torch.uniform(), torch.Tensor():type() end,
                      function(own, draw, kind) draws[own] = draw types[own] = kind end)
        end
        pool:specific(false)
        local own = torch.uniform()
        torch.manualSeed(102)
        return own == expected, draws[1] ~= draws[2], draws[2] == torch.uniform(),
               types[1], torch.Tensor():type(), mine
    """
    assert lua.execute(code) == (True, True, True, "torch.DoubleTensor", "torch.FloatTensor", None)


def test_loaders_that_ask_whether_a_job_fits(lua):
    code = """
        local pool = require('threads').Threads(3)
        local added, got = 0, {}
        repeat
          while added < 8 and pool:acceptsjob() do
            added = added + 1
            pool:addjob(function(n) return n * n end, function(n) got[#got + 1] = n end, added)
          end
          if pool:hasjob() then pool:dojob() end
        until not pool:hasjob() and added == 8
        return table.concat(got, ' ')
    """
    assert lua.execute(code) == "1 4 9 16 25 36 49 64"


def test_errors_say_where_they_arose(lua):
    lua.execute("pool = require('threads').Threads(1)")
    lua.execute("pool:addjob(function() error('in the job') end)")
    with pytest.raises(LuaError, match=r"\[thread 1 callback\] .*in the job(.|\n)*stack traceback"):
        lua.execute("pool:synchronize()")
    lua.execute("pool:addjob(function() end, function() error('in the end') end)")
    with pytest.raises(LuaError, match=r"\[thread 1 endcallback\] .*in the end"):
        lua.execute("pool:synchronize()")
    with pytest.raises(LuaError, match="no job"):
        lua.execute("pool:dojob()")
    with pytest.raises(LuaError, match=r"threads\.Threads"):
        lua.execute("require('threads').Thread('print(1)')")


def test_locks_and_the_rest(lua):
    code = """
        local threads = require 'threads'
        local mutex = threads.Mutex()
        mutex:lock() mutex:unlock()
        local same = threads.Mutex(mutex:id())
        local condition = threads.Condition()
        condition:signal() condition:free() mutex:free()
        threads.Threads.serialization('threads.sharedserialize')
        local t = torch.ones(2)
        local shared = require(threads.Threads.serialization())
        local counter = threads.AtomicCounter(3)
        counter:inc()
        return same == mutex, shared.load(shared.save(t)) == t, counter:get(),
               threads.safe(function(x) return x + 1 end)(2), threads(1):hasjob()
    """
    assert lua.execute(code) == (True, True, 4, 3, False)


@pytest.mark.parametrize(
    "counter", ["require('threads').AtomicCounter()", "require('tds').AtomicCounter()"]
)
def test_a_job_that_waits_for_a_counter_lets_others_go_on(lua, counter):
    code = f"""
        local pool = require('threads').Threads(2)
        local counter, order = {counter}, {{}}
        for i = 1, 4 do
          pool:addjob(function()
            if i == 1 then
              repeat until counter:get() >= 2
            else
              counter:inc()
            end
            return i
          end, function(i) order[#order + 1] = i end)
        end
        pool:synchronize()
        return table.concat(order, ' '), counter:get()
    """
    assert lua.execute(code) == ("2 4 1 3", 3)


def test_locks_and_conditions_among_jobs(lua):
    """Two producers and a consumer that waits to be told."""
    code = """
        local threads = require 'threads'
        local pool = threads.Threads(4)
        local mutex, told = threads.Mutex(), threads.Condition()
        local list, log, counter = {}, {}, threads.AtomicCounter()
        pool:addjob(function()
          for i = 1, 2 do
            mutex:lock()
            while #list == 0 do told:wait(mutex) end
            log[#log + 1] = 'got ' .. table.remove(list)
            mutex:unlock()
          end
        end)
        for _, name in ipairs {'a', 'b'} do
          pool:addjob(function()
            mutex:lock()
            if name == 'a' then repeat until counter:get() > 0 end  -- holds the lock meanwhile
            list[#list + 1] = name
            mutex:unlock()
            told:signal()
          end)
        end
        pool:addjob(function() counter:inc() end)
        pool:synchronize()
        return table.concat(log, ', ')
    """
    assert lua.execute(code) == "got a, got b"


def test_a_job_with_coroutines_of_its_own(lua):
    code = """
        local threads = require 'threads'
        local pool, counter, got = threads.Threads(2), threads.AtomicCounter(), {}
        pool:addjob(function()
          local values = coroutine.wrap(function()
            for i = 1, 3 do
              counter:get() counter:get()
              coroutine.yield(i)
            end
          end)
          return values() + values() + values()
        end, function(sum) got[1] = sum end)
        pool:synchronize()
        return got[1]
    """
    assert lua.execute(code) == 6


def test_packages_may_be_loaded_in_jobs_and_coroutines(lua):
    load = "require 'torch' return type(require('optim').sgd), require('cjson').encode({1, 2})"
    assert lua.execute(f"return coroutine.wrap(function() {load} end)()") == ("function", "[1,2]")
    loaded = lua.execute(f"""
        local seen = {{}}
        local pool = require('threads')(1, function() require 'nn' end)
        pool:addjob(function() {load} end, function(...) seen = {{...}} end)
        pool:synchronize()
        return seen[1], seen[2]
    """)
    assert loaded == ("function", "[1,2]")
