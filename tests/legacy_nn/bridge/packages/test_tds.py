"""tds containers in Lua are Python's, as in files."""

import pytest

from rekindle.core.checkpoint import TdsHash, TdsVec
from rekindle.legacy_nn.bridge import LuaError


def test_hashes(lua):
    lua.execute("""
        tds = require 'tds'
        h = tds.Hash()
        h.a, h[2], h.t = 1, 'x', torch.ones(2)
    """)
    assert lua.execute("return #h, h.a, h[2], h.none, torch.type(h), type(h) == 'table'") == (
        3, 1, "x", None, "tds.Hash", False)  # fmt: skip
    lua.execute("h.a = nil")
    assert lua.execute("local n = 0 for k, v in pairs(h) do n = n + 1 end return #h, n") == (2, 2)
    assert isinstance(lua.globals.h, TdsHash)
    lua.globals.h["from Python"] = 5
    assert lua.execute("return h['from Python']") == 5


def test_tables_inside_become_containers(lua):
    code = """
        local tds = require 'tds'
        local h = tds.hash {list = {1, 2, {x = 3}}}
        return torch.type(h.list), torch.type(h.list[3]), h.list[3].x, #h.list
    """
    assert lua.execute(code) == ("tds.Vec", "tds.Hash", 3, 3)


def test_vectors(lua):
    lua.execute("""
        tds = require 'tds'
        v = tds.Vec {5, 3, 4}
        v:insert(9)
        v:insert(1, 0)
        v:remove(2)
        v:sort(function(a, b) return a > b end)
    """)
    values = "local t = {} for i, x in ipairs(v) do t[i] = x end return table.concat(t, ' ')"
    assert lua.execute(values) == "9 4 3 0"
    assert lua.execute("v:resize(6) return #v, v[6], v:concat(',', 1, 2)") == (6, None, "9,4")
    assert isinstance(lua.globals.v, TdsVec)
    assert lua.execute("return tostring(tds.Vec{1,'a'})") == "tds.Vec[2]{\n    1 : 1\n    2 : a\n}"


def test_printed_values_are_indented(lua):
    text = lua.execute("local tds = require 'tds' return tostring(tds.Hash{ab = tds.Hash{x = 1}})")
    assert text == "tds.Hash[1]{\nab : tds.Hash[1]{\n     x : 1\n     }\n}"


def test_files_hold_them(lua, tmp_path):
    lua.globals.path = str(tmp_path / "h.t7")
    code = """
        local tds = require 'tds'
        torch.save(path, tds.Hash{a = {1, 2}})
        local back = torch.load(path)
        return torch.type(back), torch.type(back.a), back.a[2]
    """
    assert lua.execute(code) == ("tds.Hash", "tds.Vec", 2)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("tds.Hash().f = print", "unsupported key/value type <function>"),
        ("tds.Vec()[0] = 1", "positive number"),
        ("return tds.Vec().nothing", "method name"),
        ("tds.Vec{a = 1}", "number keys"),
        ("tds.Hash(3)", "lua table or nothing"),
    ],
)
def test_what_is_wrong_is_said(lua, code, words):
    with pytest.raises(LuaError, match=words):
        lua.execute(f"local tds = require 'tds' {code}")


def test_counters(lua):
    code = "local c = require('tds').AtomicCounter() c:set(4) c:inc() return c:get()"
    assert lua.execute(code) == 5
