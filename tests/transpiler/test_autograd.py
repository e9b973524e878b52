"""torch-autograd in translated programs: what they print is what their Lua prints.

The Lua side is the package of the bridge, whose gradients are compared with differences in
tests/legacy_nn/bridge/packages/test_autograd.py.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

from rekindle.legacy_nn.bridge import Runtime
from rekindle.transpiler.runtime import torch

_spec = importlib.util.spec_from_file_location("running", Path(__file__).with_name("running.py"))
assert _spec is not None
assert _spec.loader is not None
running = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(running)

HERE = Path(__file__).parent

HEAD = """
require 'torch'
require 'nn'
function P(...)
   local t = torch.DoubleTensor(...)
   local k = 0
   t:apply(function() k = k + 1; return math.sin(1.7 * k) * 0.6 end)
   return t:type(torch.Tensor():type())
end
function show(...)
   for i = 1, select('#', ...) do
      local v = select(i, ...)
      if torch.isTensor(v) then
         local sizes = v:size():totable()
         print(v:dim(), table.concat(sizes, 'x'))
         for _, e in ipairs(v:contiguous():view(-1):totable()) do
            print(string.format('%.12g', e))
         end
      else
         print(string.format('%.12g', v))
      end
   end
end
"""


def snippets() -> dict[str, str]:
    text = (HERE / "autograd_snippets.lua").read_text()
    parts = re.split(r"^----- (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SNIPPETS = snippets()


@pytest.fixture(autouse=True)
def double_again():
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


def in_lua(source: str) -> str:
    lines: list[str] = []
    with contextlib.closing(Runtime()) as runtime:
        runtime.globals["put"] = lines.append
        runtime.execute(
            "function print(...) local t = {} for i = 1, select('#', ...) do "
            "t[i] = tostring((select(i, ...))) end put(table.concat(t, '\\t') .. '\\n') end"
        )
        runtime.execute(HEAD + source)
    return "".join(lines)


def in_python(source: str) -> str:
    found = running.translate(HEAD + source)
    assert not found.diagnostics, found.diagnostics
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(found.python, "snippet.py", "exec"), {"__name__": "s", "__file__": "s.py"})
    return out.getvalue()


PLACE = re.compile(r'(?:\[string "[^"]*"\]|\(python\)|[\w./<> -]+\.(?:py|lua)|<[^>]*>):\d+: ')


def plain(text: str) -> str:
    """Return text without places in files and the names of classes, which both sides register."""
    return PLACE.sub("", text).replace("Translated", "Snippet")


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_translation_prints_what_the_program_prints(name):
    expected = in_lua(SNIPPETS[name])
    assert len(expected) > 5
    found = in_python(SNIPPETS[name].replace("Snippet", "Translated"))
    assert plain(found) == plain(expected)
