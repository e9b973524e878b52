"""Runs Lua under LuaJIT and, translated, as Python, and compares what both print."""

from __future__ import annotations

import contextlib
import io
import re

import lupa.luajit21 as lupa

from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.translate import Translation

PLACE = re.compile(r'(?:\[string "[^"]*"\]|[\w./<> -]+\.(?:py|lua)|<[^>]*>):\d+: ')

PRINT = (
    "function print(...) local t = {} for i = 1, select('#', ...) do "
    "t[i] = tostring((select(i, ...))) end put(table.concat(t, '\\t') .. '\\n') end"
)
"""Lua's `print`, to the function `put`."""

WAVES = """\
function P(...)
   local t = torch.DoubleTensor(...)
   local k = 0
   t:apply(function() k = k + 1; return math.sin(1.7 * k) * 0.6 end)
   return t:type(torch.Tensor():type())
end
"""
"""P(sizes...): a tensor of the default type, with numbers that are easy to make again."""


def translate(source: str, name: str = "snippet.lua") -> Translation:
    (found,) = Project([Source(name, source.encode("latin-1"))]).translate()
    return found


def as_lua(source: str) -> str:
    """Return what LuaJIT prints."""
    lua = lupa.LuaRuntime(encoding="latin-1")
    lines: list[str] = []
    lua.globals()["put"] = lines.append
    lua.execute(f"{PRINT} io.write = function(...) put(table.concat({{...}})) end")
    lua.execute(source)
    return "".join(lines)


def as_python(source: str) -> str:
    """Return what the translation prints."""
    found = translate(source)
    assert not found.diagnostics, found.diagnostics
    out = io.StringIO()
    code = compile(found.python, "snippet.py", "exec")
    with contextlib.redirect_stdout(out):
        exec(code, {"__name__": "snippet", "__file__": "snippet.py"})
    return out.getvalue()


def plain(text: str) -> str:
    """Return text without places in files and addresses of objects."""
    text = re.sub(r"0x[0-9a-f]+", "0x", PLACE.sub("", text))
    return re.sub(
        r"(?:local|upvalue|global|field|method) '\w+' \(a (\w+) value\)", r"a \1 value", text
    )


def same(source: str) -> str:
    """Check that both print the same; return it."""
    expected = plain(as_lua(source))
    assert plain(as_python(source)) == expected
    return expected
