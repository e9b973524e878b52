"""LuaJIT beside lualib: the same call in both, compared as text."""

import re

import lupa.luajit21
import pytest

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import Table

SHOW = r"""
local function show(v)
   local kind = type(v)
   if kind == 'number' then
      if v ~= v then return 'nan' end
      return (('%.17g'):format(v))
   elseif kind == 'string' then return ('%q'):format(v)
   elseif kind == 'table' then
      local keys, parts = {}, {}
      for k in pairs(v) do keys[#keys + 1] = k end
      table.sort(keys, function(a, b) return show(a) < show(b) end)
      for _, k in ipairs(keys) do parts[#parts + 1] = '[' .. show(k) .. ']=' .. show(v[k]) end
      return '{' .. table.concat(parts, ',') .. '}'
   elseif kind == 'nil' or kind == 'boolean' then return tostring(v)
   end
   return kind
end
local show_one = show
"""
RUN = (
    SHOW.replace("local function show(v)", "local show\nfunction show(v)")
    + r"""
local f = (%s)
local function results(...)
   local parts = {}
   for i = 1, select('#', ...) do parts[i] = show((select(i, ...))) end
   return table.concat(parts, ' ')
end
return function(...)
   local args, n = {...}, select('#', ...)
   local ok, found = pcall(function()
      return results(f(unpack(args, 1, n)))
   end)
   if ok then return found end
   return 'error ' .. tostring(found)
end
"""
)
PLACE = re.compile(r"^error (?:\[string [^\]]*\]|[^ :]+):\d+: ")


def show(value):
    """Write a value as the Lua function of the same name does."""
    kind = lualib.type_of(value)
    if kind == "number":
        return "nan" if value != value else f"{float(value):.17g}"
    if kind == "string":
        return lualib.string.format("%q", value)
    if kind == "table":
        found = {show(k): show(v) for k, v in lualib.pairs(value)}
        return "{" + ",".join(f"[{k}]={found[k]}" for k in sorted(found)) + "}"
    return lualib.tostring(value) if kind in ("nil", "boolean") else kind


def normal(text):
    """Drop places, and the difference between a nil and a missing argument or result."""
    return PLACE.sub("error ", text).replace("got no value", "got nil") or "nil"


class Oracle:
    """LuaJIT, which says what is right."""

    def __init__(self):
        self.lua = lupa.luajit21.LuaRuntime(
            encoding="latin-1",
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
        )
        self.compiled = {}

    def to_lua(self, values):
        """Return Lua's counterparts of the values; the same table stays the same."""
        known = {}

        def one(value):
            if not isinstance(value, Table):
                return value
            if id(value) not in known:
                table = known[id(value)] = self.lua.table()
                for key, item in value.items():
                    table[one(key)] = one(item)
            return known[id(value)]

        return [one(value) for value in values]

    def expected(self, source, *args):
        """Return what a Lua function gives, as text."""
        if source not in self.compiled:
            self.compiled[source] = self.lua.execute(RUN.replace("%s", source, 1))
        return normal(self.compiled[source](*self.to_lua(args)))

    def found(self, function, *args):
        """Return what a Python function gives, as text."""

        def calling(*args):  # what `pcall` itself, or a tail call, calls has no name in errors
            results = lualib.call(function, *args)
            return results  # noqa: RET504

        results = lualib.pcall(calling, *args)
        if results[0]:
            return normal(" ".join(map(show, results[1:])))
        return normal("error " + lualib.tostring(results[1]))

    def same(self, name, *args):
        """Check that a library function does the same in both."""
        function = lualib._G
        for part in name.split("."):
            function = lualib.rawget(function, part)
        direct = f"function(...) local function out(...) return ... end return out({name}(...)) end"
        expected = self.expected(direct, *args)
        assert self.found(function, *args) == expected, (name, args)

    def same_as(self, source, function, *args):
        """Check that a Python function does what a Lua one does."""
        expected = self.expected(source, *args)
        assert self.found(function, *args) == expected, (source, args)


@pytest.fixture(scope="session")
def lua():
    return Oracle()
