"""Programs that catch errors: whether they read what errors say, and what they do after them."""

from __future__ import annotations

import pytest
from running import same

from rekindle.transpiler.parse import parse
from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.protected import caught_errors
from rekindle.transpiler.scope import resolve


def caught(lua: str) -> tuple[bool, bool]:
    block = parse(lua.encode(), "x.lua")
    return caught_errors(block, resolve(block), lambda name: name == "own")


@pytest.mark.parametrize(
    "lua",
    [
        "return 1",
        "local ok, m = pcall(require, 'cutorch') print(ok and m)",
        "local ok, m = pcall(function() return require 'cutorch' end) print(m)",
        "pcall(function() require('cutorch') end)",
    ],
)
def test_what_only_loads_packages_catches_nothing(lua):
    assert caught(lua) == (False, False)


@pytest.mark.parametrize(
    "lua",
    [
        "pcall(f)",
        "local ok = pcall(f) print(ok)",
        "local ok, err = pcall(f) print(ok)",
        "ok = pcall(f)",
        "if not pcall(f) then print(1) end",
        "local x = pcall(f) and 1 or 2",
        "print((pcall(f)))",
        "while coroutine.resume(co) do end",
        "pcall(require, 'own')",
    ],
)
def test_first_results_alone_say_nothing(lua):
    assert caught(lua) == (True, False)


@pytest.mark.parametrize(
    "lua",
    [
        "local ok, err = pcall(f) print(err)",
        "local ok, err = pcall(f) return function() return err end",
        "ok, err = pcall(f)",
        "local t = {} t.ok, t.err = pcall(f)",
        "assert(pcall(f))",
        "print(select('#', pcall(f)))",
        "print(pcall(f))",
        "return pcall(f)",
        "local t = {pcall(f)}",
        "local ok, err = coroutine.resume(co) print(err)",
        "xpcall(f, print)",
        "xpcall(f, debug.traceback)",
        "local try = pcall local ok, err = try(f) print(err)",
        "local ok, err = _G.pcall(f) print(err)",
        "print(select(2, try(pcall, f)))",
        "local resume = coroutine.resume print(resume(co))",
        "f(coroutine.resume, co)",
        "local mytester = torch.Tester() mytester:assertErrorPattern(f, 'nil')",
    ],
)
def test_whoever_may_read_the_text_is_found(lua):
    assert caught(lua) == (True, True)


DEAF = [
    # what is there or not decides the way
    "local function f(d) return d.x.y end local t = {x = {y = 1}} "
    "print((pcall(f, t)), (pcall(f, {})), pcall(f, 3) and 1 or 2)",
    # what comes before the error is done
    "local n = 0 local function next_id() n = n + 1 return n end local d = {} "
    "local ok = pcall(function() return d.x + next_id() end) print(ok, n) "
    "ok = pcall(function() return d.x < next_id() end) print(ok, n) "
    "ok = pcall(function() for i = d.x, next_id() do n = 9 end end) print(ok, n)",
    # an error ends the block at the same place
    "local log = {} local function f(x) log[#log + 1] = 'in' local y = x.a.b log[#log + 1] = y end "
    "if not pcall(f, {a = {b = 'out'}}) then print('no') end "
    "if not pcall(f, {}) then print('no') end print(table.concat(log, ' '))",
    # numbers that may be nil
    "local function f(s) local n = tonumber(s) return n < 3 end "
    "print((pcall(f, '2')), (pcall(f, 'x')))",
    # what is called, indexed or filled comes after what it is given
    "local n, d = 0, {} local function id() n = n + 1 return n end "
    "print((pcall(function() d.f(id()) end)), n) "
    "print((pcall(function() return d.x[id()] end)), n) "
    "print((pcall(function() table.insert(d.x, id()) end)), n) "
    "print((pcall(function() d.x[id()] = id() end)), n)",
    "local co = coroutine.create(function(t) return #t.x + 1 end) "
    "local ok = coroutine.resume(co, {}) print(ok)",
]


@pytest.mark.parametrize("lua", DEAF)
def test_programs_that_go_on_after_errors_do_as_before(lua):
    same(lua)


def test_lengths_of_what_may_be_a_tensor_raise_what_is_caught():
    def python(lua: str) -> str:
        return Project([Source("x.lua", lua.encode())]).translate()[0].python

    lua = "local function f(x) return #x + 1 end return f"
    assert "len(x) + 1" in python(lua)
    caught = f"local function is_list(x) return (pcall(function() return #x + 1 end)) end {lua}"
    assert "len(x) + 1" not in python(caught)


def test_only_files_of_one_run_count():
    files = {
        "tool.lua": "local ok, err = pcall(f) print(err)",
        "main.lua": "require 'net'\nprint(1)",
        "net.lua": "return function(m) m.weight:fill(0) end",
    }

    def net(more: dict[str, str]) -> str:
        sources = [Source(name, text.encode()) for name, text in (files | more).items()]
        (found,) = (t for t in Project(sources).translate() if t.source == "net.lua")
        return found.python

    assert "m.weight" in net({})
    assert 'lua.index(m, "weight")' in net({"main.lua": "require 'net'\nrequire 'tool'"})
