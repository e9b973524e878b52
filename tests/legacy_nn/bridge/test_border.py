"""Values, tables and functions that cross, and cross back."""

import numpy as np
import pytest

import rekindle
from rekindle import Table
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.bridge import LuaError, LuaFunction, Runtime


@pytest.mark.parametrize("value", [None, True, False, 0, 3, -2.5, 2.0**60, "text", "\x00\xff", ""])
def test_plain_values_come_back(lua, value):
    same = lua.execute("return function(...) return ... end")
    result = same(value)
    assert result == value
    assert isinstance(result, bool) == isinstance(value, bool)


def test_text_beyond_bytes_goes_as_utf8(lua):
    assert lua.execute("return function(s) return #s end")("→") == 3
    assert lua.execute("return #'é'") == 2


def test_several_results_are_a_tuple(lua):
    assert lua.execute("return 1, nil, 'x'") == (1, None, "x")
    assert lua.execute("return") is None


def test_numpy_numbers_and_arrays_are_numbers_and_tensors(torch_lua):
    kind = torch_lua.execute("return function(v) return torch.type(v) end")
    assert kind(np.float64(2.5)) == "number"
    assert kind(np.int64(2)) == "number"
    assert kind(np.bool_(True)) == "boolean"
    assert kind(np.zeros(3, np.float32)) == "torch.FloatTensor"


def test_a_table_has_one_state(lua):
    inner = Table(["a", "b"])
    table = Table({"inner": inner, "n": 1, True: "yes", 2: "two"})
    change = lua.execute("""
        return function(t)
          t.n = t.n + 1
          t.inner[3] = 'c'
          t[true], t[2] = t[2], nil
          return t, t.inner, #t.inner
        end""")
    same, same_inner, length = change(table)
    assert same is table
    assert same_inner is inner is table.inner
    assert length == 3 == len(inner)
    assert inner.array() == ["a", "b", "c"]
    assert dict(table.items()) == {"inner": inner, "n": 2, True: "two"}
    table.n = 7
    del table["inner"]
    assert lua.execute("return function(t) return t.n, t.inner end")(table) == (7, None)


def test_lists_and_dicts_become_tables_all_the_way_down(lua):
    look = lua.execute("return function(t) return t.a[2].b, #t.a end")
    assert look({"a": [1, {"b": "deep"}]}) == ("deep", 2)


def test_a_table_of_lua_is_one_object_while_it_lives(lua):
    get, keep = lua.execute("local t = {1, x = 2} return function() return t end, t")
    first = get()
    assert first is keep
    assert first is get()
    assert list(first.keys()) == [1, "x"]
    assert first.get("y", 5) == 5
    with pytest.raises(KeyError):
        first.update({"z": first["y"]})
    assert not hasattr(first, "y")


def test_python_iterates_positions_in_order(lua):
    table = lua.execute("local t = {x = 0} for i = 10, 1, -1 do t[i] = i * i end return t")
    assert list(table.values())[:10] == [i * i for i in range(1, 11)]
    assert table.array() == [i * i for i in range(1, 11)]


def test_tables_as_keys_keep_their_identity(lua):
    key = Table()
    table = lua.execute("return function(k) return {[k] = 'found'} end")(key)
    assert table[key] == "found"
    assert list(table.keys()) == [key]


def test_a_table_that_holds_itself(lua):
    table = Table()
    table["me"] = table
    assert lua.execute("return function(t) return t.me == t, t.me.me end")(table) == (True, table)


POINT = """
local Point = {}
Point.__index = Point
Point.__tostring = function(p) return 'at ' .. p.x end
Point.__add = function(a, b) return Point.new(a.x + b.x) end
function Point.new(x) return setmetatable({x = x}, Point) end
function Point:moved(by) return self.x + by end
return Point
"""


def test_a_table_of_lua_has_its_metatable_in_python(lua):
    point = lua.execute(POINT)
    p = point["new"](3)
    assert lualib.getmetatable(p) is point
    assert lualib.invoke(p, "moved", 2) == 5
    assert lualib.tostring(lualib.add(p, p)) == "at 6"
    own = lua.execute("local t = {} return setmetatable(t, t)")
    assert lualib.getmetatable(own) is own
    changing = lua.execute("changing = {} return changing")
    lua.execute("setmetatable(changing, {__index = function(_, key) return key .. '!' end})")
    assert lualib.index(lua.execute("return changing"), "a") == "a!"
    assert lualib.index(changing, "b") == "b!"


def test_a_table_of_python_has_its_metatable_in_lua(lua):
    hello = Table({"__index": Table({"hello": lambda self: "hello " + self["name"]})})
    greet = lua.execute("return function(t) return t:hello(), getmetatable(t) end")
    before = lualib.setmetatable(Table({"name": "you"}), hello)
    assert greet(before) == ("hello you", hello)
    after = Table({"name": "them", "self": lua.execute("return {}")})
    with pytest.raises(LuaError, match="nil value"):
        greet(after)
    lualib.setmetatable(after, hello)
    assert greet(after) == ("hello them", hello)


def test_functions_keep_their_identity(lua):
    same = lua.execute("return function(f) F = F or f; return f == F, f end")
    function = lua.execute("return function(a, b) return a .. b end")
    assert isinstance(function, LuaFunction)
    assert same(function) == (True, function)
    assert function("a", "b") == "ab"

    def python(x):
        return x + 1

    back = lua.execute("return function(f) return f, f(1), type(f) end")(python)
    assert back == (python, 2, "function")


def test_library_functions_take_python_callables(lua):
    lua.globals.down = lambda a, b: a > b
    lua.globals.shout = str.upper
    code = """
        local t = {3, 1, 2}
        table.sort(t, down)
        return t[1], t[3], (('abc'):gsub('b', shout))"""
    assert lua.execute(code) == (3, 1, "aBc")


def test_globals_are_a_table(lua):
    lua.globals.answer = 42
    assert lua.execute("answer = answer + 1; return answer") == 43
    assert lua.globals.answer == 43
    assert lua.globals["math"].pi == pytest.approx(3.141592653589793)


def test_values_of_lua_alone_pass_through(lua):
    file = lua.execute("F = io.tmpfile() return F")
    assert lua.execute("return function(f) return f == F, io.type(f) end")(file) == (True, "file")


def test_values_do_not_change_runtimes(lua):
    other = Runtime()
    table = lua.execute("return {}")
    with pytest.raises(rekindle.RekindleError, match="another Lua runtime"):
        other.execute("return function(t) end")(table)


def test_require_finds_files(lua, tmp_path, monkeypatch):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "init.lua").write_text("return {name = ...}")
    (tmp_path / "pack" / "part.lua").write_text("return function(x) return x * 2 end")
    monkeypatch.chdir(tmp_path)
    assert lua.require("pack").name == "pack"
    assert lua.require("pack.part")(4) == 8
    with pytest.raises(rekindle.lua.LuaError, match=r"no package of Rekindle 'no\.such'"):
        lua.require("no.such")


def test_a_call_may_open_on_the_next_line(lua):
    line = "debug.getinfo(1).currentline"
    code = f"local f = function(x) return x end\nlocal y = f\n  (5)\nreturn y, {line}"
    assert lua.execute(code) == (5, 4)


def test_the_parts_of_lua_52_that_torch_had(lua):
    code = """
        goto over
        ::over::
        local t = table.pack(1, nil, 3)
        local p = setmetatable({}, {__pairs = function() return function(_, k)
          if not k then return 1, 'one' end end, nil, nil end})
        local seen
        for _, v in pairs(p) do seen = v end
        return t.n, select('#', table.unpack(t, 1, 3)), seen, ('x'):rep(2, '-')"""
    assert lua.execute(code) == (3, 3, "one", "x-x")


def test_lua_cannot_reach_into_python(lua):
    code = """
        local found = {}
        for name in pairs(_G) do if name == 'python' then found[1] = name end end
        local i, hidden = 1, nil
        while true do
          local name, value = debug.getupvalue(print, i)
          if not name then break end
          if type(value) == 'userdata' then hidden = value end
          i = i + 1
        end
        return #found, package.loaded.python, pcall(function() return hidden.__globals__ end)"""
    count, loaded, ok, *_ = lua.execute(code)
    assert (count, loaded, ok) == (0, None, False)
