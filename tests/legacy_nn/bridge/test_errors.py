"""Errors that cross the border, in both directions and several times."""

import pytest

import rekindle
from rekindle import Table
from rekindle.legacy_nn.bridge import LuaError, LuaExit


def test_a_lua_error_has_place_and_traceback(lua):
    with pytest.raises(LuaError) as caught:
        lua.execute("local function inner()\n error('broken')\n end\n inner()", "@prog.lua")
    assert str(caught.value) == "prog.lua:2: broken"
    assert "prog.lua:2: in function 'inner'" in caught.value.traceback
    assert "prog.lua:4: in main chunk" in caught.value.traceback
    assert isinstance(caught.value, rekindle.RekindleError)


def test_source_that_does_not_compile(lua):
    with pytest.raises(LuaError, match=r"prog\.lua:1: .*'=' expected|unexpected symbol"):
        lua.execute("this is not lua", "@prog.lua")


def test_error_values_survive(lua):
    value = Table({"code": 5})
    lua.globals.value = value
    with pytest.raises(LuaError) as caught:
        lua.execute("error(value)")
    assert caught.value.value is value
    lua.globals.call = lambda f: f()
    code = "local t = {} local ok, e = pcall(call, function() error(t) end) return ok, e == t"
    assert lua.execute(code) == (False, True)


def test_a_python_exception_is_an_error_string_at_the_callers_line(lua):
    def broken(x):
        raise ValueError(f"no {x} here")

    lua.globals.broken = broken
    ok, message, kind = lua.execute(
        "local ok, e = pcall(function()\n local r = broken('fish')\n end)\nreturn ok, e, type(e)",
        "@prog.lua",
    )
    assert (ok, message, kind) == (False, "prog.lua:2: no fish here", "string")


def test_the_exception_is_the_cause(lua):
    def broken():
        raise KeyError("lost")

    lua.globals.broken = broken
    with pytest.raises(LuaError) as caught:
        lua.execute("local function f() local x = broken() end f()")
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.__cause__.__traceback__ is not None
    assert "in function 'f'" in caught.value.traceback


def test_exits_pass_through_protected_calls(lua):
    for code, expected in (("os.exit(3)", 3), ("os.exit()", 0), ("os.exit(false)", 1)):
        with pytest.raises(LuaExit) as caught:
            lua.execute(f"pcall(function() {code} end) error('went on')")
        assert caught.value.code == expected
    assert lua.execute("return 'alive'") == "alive"


def test_an_interrupt_passes_through_protected_calls(lua):
    def interrupt():
        raise KeyboardInterrupt

    lua.globals.interrupt = interrupt
    with pytest.raises(KeyboardInterrupt):
        lua.execute("while true do pcall(interrupt) end")
    assert lua.execute("return pcall(error, 'x')") == (False, "x")


def test_endless_recursion_across_the_border_ends_in_an_error(lua):
    lua.globals.again = lambda f, n: f(n)
    with pytest.raises(LuaError):
        lua.execute("local function f(n) return again(f, n + 1) end return f(0)")
    with pytest.raises(LuaError, match="stack overflow"):
        lua.execute("local function f(n) return 1 + f(n + 1) end return f(0)")
    assert lua.execute("return 1") == 1


def test_bad_arguments_are_errors(torch_lua):
    for code in (
        "torch.Tensor(2).add()",
        "torch.Tensor(2):add({})",
        "torch.Tensor.size(5)",
        "nn.Linear()",
        "nn.Linear.forward(nil)",
        "nn.Linear(2, 2):forward('text')",
        "torch.class()",
        "torch.setmetatable({}, 'no.Class')",
        "torch.Tensor(3)[{4}]",
        "torch.Tensor(3):nosuch()",
        "local x = torch.Tensor(2) + print",
    ):
        with pytest.raises(LuaError):
            torch_lua.execute(code)


def test_errors_name_the_programs_line_or_none(torch_lua):
    message = torch_lua.execute("return function(f) return select(2, pcall(f)) end")
    indexing = torch_lua.execute("return function() local x = torch.ones(3)[5] end", "@prog.lua")
    operator = torch_lua.execute("return function() local x = torch.ones(3) + print end")
    assert message(indexing).startswith("prog.lua:1: ")
    assert not message(operator).startswith("[")
