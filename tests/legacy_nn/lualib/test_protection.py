"""error, assert, pcall, xpcall, calls with any number of arguments, what is refused."""

import re

import pytest

from rekindle.core.errors import RekindleError
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import LuaError, Table


def test_any_value_can_be_thrown():
    for value in ("text", 5, None, False, Table({"code": 7})):
        ok, thrown = lualib.pcall(lambda value=value: lualib.error(value, 0))
        assert not ok
        assert thrown is value


def test_an_error_says_where():
    def inner():
        lualib.error("here")

    def outer():
        inner()

    def caller_is_wrong():
        lualib.error("there", 2)

    def blames():
        caller_is_wrong()

    line = inner.__code__.co_firstlineno + 1
    _, message = lualib.pcall(outer)
    assert re.fullmatch(rf"[^:]+test_protection\.py:{line}: here", message)
    _, message = lualib.pcall(blames)
    assert message.endswith(f"test_protection.py:{blames.__code__.co_firstlineno + 1}: there")
    assert lualib.pcall(lualib.error, "nowhere") == (False, "nowhere")
    assert lualib.pcall(lualib.error, "none", 0) == (False, "none")


def test_errors_of_the_library_say_where():
    def wrong():
        return lualib.add(None, 1)

    line = wrong.__code__.co_firstlineno + 1
    with pytest.raises(
        LuaError, match=rf"\.py:{line}: attempt to perform arithmetic on a nil value"
    ):
        wrong()
    _, message = lualib.pcall(lambda: [lualib.string.rep(None, 2)])
    assert re.fullmatch(
        r"[^:]+:\d+: bad argument #1 to 'rep' \(string expected, got nil\)", message
    )


def test_what_python_says_of_none_is_said_as_lua_does():
    nothing = None

    def wrong():
        return nothing.field

    line = wrong.__code__.co_firstlineno + 1
    _, message = lualib.pcall(wrong)
    assert re.fullmatch(
        rf"[^:]+\.py:{line}: attempt to index upvalue 'nothing' \(a nil value\)", message
    )
    _, message = lualib.pcall(lambda: "text".field)
    assert message == "'str' object has no attribute 'field'"


def test_lua_errors_are_rekindles():
    with pytest.raises(RekindleError, match=r"^bad$"):
        lualib.error("bad", 0)
    assert str(LuaError(Table())) == "(error object is a table value)"
    named = lualib.setmetatable(Table(), Table({"__tostring": lambda t: "mine"}))
    assert str(LuaError(named)) == "mine"
    assert str(LuaError(None)) == "(error object is a nil value)"
    assert str(LuaError(5.0)) == "5"


def test_assert(lua):
    assert lualib._G["assert"](1, "two", None) == (1, "two", None)
    assert lualib._G["assert"](0) == 0
    lua.same("assert", False)
    lua.same("assert", None, "message")
    lua.same("assert", 1, 2, 3)
    table = Table()
    assert lualib.pcall(lualib.assert_, False, table) == (False, table)


def test_pcall_returns_results_and_catches_python():
    assert lualib.pcall(lambda *a: a, 1, None, 3) == (True, 1, None, 3)
    assert lualib.pcall(lambda: None) == (True, None)
    assert lualib.pcall(lambda: ()) == (True,)
    assert lualib.pcall(None)[0] is False
    assert lualib.pcall(lambda: int("x"))[1].startswith("invalid literal")

    def endless():
        return endless() + 1

    assert lualib.pcall(endless) == (False, "stack overflow")


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_goes_through(exception):
    def stop():
        raise exception

    with pytest.raises(exception):
        lualib.pcall(stop)


def test_xpcall_passes_arguments_and_handles():
    assert lualib.xpcall(lambda *a: a, None, 1, 2) == (True, 1, 2)
    assert lualib.xpcall(lualib.error, lambda m: (m + "!", 2), "bad", 0) == (False, "bad!")
    assert lualib.xpcall(lualib.error, lambda m: lualib.error("twice", 0), "bad") == (
        False,
        "twice",
    )

    def failing():
        lualib.error("deep")

    ok, text = lualib.xpcall(failing, lualib.traceback)
    assert not ok
    lines = text.split("\n")
    assert lines[0].endswith(": deep")
    assert lines[1] == "stack traceback:"
    assert any(line.endswith("in failing") for line in lines)
    assert lualib.traceback(5.5) == 5.5


def test_calls_fit_the_arguments():
    def two(a, b):
        return a, b

    def with_default(a, b="b"):
        return a, b

    def varargs(a, *rest):
        return a, rest

    class Callable:
        def method(self, a, b):
            return a, b

    assert lualib.call(two) == (None, None)
    assert lualib.call(two, 1, 2, 3) == (1, 2)
    assert lualib.call(with_default, 1) == (1, "b")
    assert lualib.call(with_default, 1, None, 3) == (1, None)
    assert lualib.call(varargs) == (None, ())
    assert lualib.call(varargs, 1, 2, None) == (1, (2, None))
    assert lualib.call(Callable().method, 1) == (1, None)
    assert lualib.call(Callable().method, 1, 2, 3) == (1, 2)
    assert lualib.call(max, 3, 4) == 4
    nested = lualib.setmetatable(Table(), Table({"__call": lambda self, x: x}))
    assert lualib.call(nested, 5) == 5
    for value in (None, 5, "x", Table()):
        with pytest.raises(LuaError, match=f"attempt to call a {lualib.type_of(value)} value"):
            lualib.call(value)


def test_select(lua):
    for args in [
        ("#",),
        ("#", None, None),
        (1, "a", None),
        (2, "a", "b", "c"),
        (-1, "a", "b"),
        (3, 1),
    ]:
        lua.same("select", *args)
    for args in [(0, 1), (-3, 1, 2), ("x", 1), (None,)]:
        lua.same("select", *args)


def test_results():
    assert lualib.take((), 2) == (None, None)
    assert lualib.take("one", 1) == ("one",)
    assert lualib.take((1, 2, 3), 0) == ()
    assert lualib.spread(None) == (None,)
    assert lualib.spread(()) == ()
    assert lualib.first((None, 1)) is None


@pytest.mark.parametrize("name", ["load", "loadstring", "loadfile", "dofile"])
def test_source_is_refused_with_the_way_out(name):
    with pytest.raises(LuaError, match=rf"{name} compiles Lua source.*rekindle\.lua\.Runtime"):
        lualib._G[name]("return 1")


def test_collectgarbage(lua):
    assert lualib.collectgarbage() == lualib.collectgarbage("collect") == 0
    assert lualib.collectgarbage("count") > 100
    assert lualib.collectgarbage("step") is True
    for option in ("stop", "restart", "setpause"):
        assert lualib.collectgarbage(option, 100) == 0
    lua.same("collectgarbage", "nonsense")


class Proxy:
    """An object whose class is for its own code to tell, as of libraries that load late."""

    @property
    def __class__(self):
        raise AssertionError("nobody but a user of this object asks it anything")


def test_collectgarbage_asks_no_object_for_its_class():
    kept = [Proxy()]
    assert lualib.collectgarbage() == 0
    del kept[:]


def test_globals_are_there():
    names = (
        "assert bit collectgarbage coroutine debug dofile error getmetatable io ipairs load "
        "loadfile loadstring math next os pairs pcall print rawequal rawget rawset select "
        "setmetatable string table tonumber tostring type unpack xpcall _G _VERSION"
    )
    assert all(lualib.rawget(lualib._G, name) is not None for name in names.split())


@pytest.mark.parametrize("name", ["string", "table", "math", "os", "io", "bit", "coroutine"])
def test_no_function_of_a_library_is_missing(lua, name):
    theirs = set(lua.lua.eval(f"{name}").keys())
    assert theirs - set(lualib._G[name].keys()) == set()
