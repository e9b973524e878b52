"""Where lupa comes without LuaJIT, Lua 5.1 runs the same programs."""

import sys

import pytest

from rekindle.legacy_nn.bridge import LuaError, Runtime


@pytest.fixture
def lua51(monkeypatch):
    monkeypatch.setitem(sys.modules, "lupa.luajit21", None)
    lua = Runtime()
    lua.require("nn")
    return lua


def test_tensors_modules_and_errors(lua51):
    code = """
        local t = torch.Tensor(2, 3):fill(2)
        t[1][2], t[{2, 3}] = 5, 7
        local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
        local ok, message = pcall(function() local x = t[9] end)
        return jit, t[1][2], t[{2, 3}], t:size(2), t:sum(), #net, type(net), net:forward(t):size(1),
               ok, message ~= nil, xpcall(function(a) return a end, print, 4)"""
    result = lua51.execute(code)
    assert result[:-2] == (None, 5, 7, 3, 20, 2, "table", 2, False, True)


def test_calls_and_errors_cross(lua51):
    lua51.globals.twice = lambda f, x: f(f(x))
    assert lua51.execute("return twice(function(x) return x * 3 end, 2)") == 18
    with pytest.raises(LuaError, match=r"prog\.lua:1: broken"):
        lua51.execute("error('broken')", "@prog.lua")
