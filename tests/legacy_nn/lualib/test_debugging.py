"""debug.getinfo and debug.getmetatable; tracebacks are tested with xpcall."""

import pytest

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import LuaError, Table

getinfo = lualib.debug.getinfo


def test_where_a_call_is():
    def inner():
        return getinfo(1, "Sl"), getinfo(2)

    own, caller = inner()
    assert own.source == "@" + __file__
    assert own.short_src == __file__
    assert own.currentline == inner.__code__.co_firstlineno + 1
    assert (own.name, caller.name) == ("inner", "test_where_a_call_is")
    assert (own.what, own.linedefined) == ("Lua", inner.__code__.co_firstlineno)
    assert getinfo(10_000) is None
    with pytest.raises(LuaError, match="level out of range"):
        getinfo(-1)


def test_where_a_function_is():
    info = getinfo(test_where_a_call_is, "S")
    assert (info.source, info.currentline) == ("@" + __file__, -1)
    assert getinfo(len).what == "C"


def test_the_metatable_behind_the_lock():
    meta = Table({"__metatable": "locked"})
    assert lualib.debug.getmetatable(lualib.setmetatable(Table(), meta)) is meta
