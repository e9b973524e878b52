"""`#` of tables with holes: the border that LuaJIT finds, in every way of making them."""

from __future__ import annotations

from itertools import product

import pytest

from rekindle.core.checkpoint.holes import border, end_of_results, end_of_written
from rekindle.legacy_nn import lualib

lupa = pytest.importorskip("lupa.luajit21")
PATTERNS = [p for n in range(1, 7) for p in product((True, False), repeat=n)]


def test_tables_that_are_written_out():
    lua = lupa.LuaRuntime()
    for there in PATTERNS:
        text = ", ".join("1" if x else "nil" for x in there)
        entries = {i for i, x in enumerate(there, 1) if x}
        assert border(entries, end_of_written(there)) == lua.eval(f"#{{{text}}}"), text


def test_tables_of_results():
    lua = lupa.LuaRuntime()
    count = lua.eval("function(...) return #{...} end")
    for there in PATTERNS:
        values = [1 if x else None for x in there]
        entries = {i for i, x in enumerate(there, 1) if x}
        assert border(entries, end_of_results(len(values))) == count(*values), there
        assert lualib.length(lualib.sequence(*values)) == count(*values), there


def test_elements_that_were_deleted():
    lua = lupa.LuaRuntime()
    count = lua.eval(
        "function(n, k) local t = {} for i = 1, n do t[i] = i end t[k] = nil return #t end"
    )
    for size in range(1, 18):
        for hole in range(1, size + 1):
            t = lualib.sequence(*range(size))
            lualib.newindex(t, hole, None)
            assert lualib.length(t) == count(size, hole), (size, hole)
