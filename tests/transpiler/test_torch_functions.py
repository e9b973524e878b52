"""Functions of the package torch that Torch7 has in Lua, in translated programs and the bridge."""

from __future__ import annotations

import importlib
import sys

import pytest

from rekindle.legacy_nn.bridge import Runtime
from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.runtime import Table, load, loadstring
from rekindle.transpiler.runtime.chunks import ChunkError, setfenv

PROGRAMS = {
    "alias": """
torch.manualSeed(1)
local probs = torch.Tensor{0.1, 0.2, 0.3, 0.4}
local state = torch.multinomialAliasSetup(probs)
state = torch.multinomialAliasSetup(probs, state)
local drawn = torch.multinomialAlias(torch.LongTensor(5), state)
said = table.concat(drawn:totable(), ' ') .. ' ' .. #state
""",
    "methods of a type": """
function torch.FloatTensor:halved() return self / 2 end
function torch.FloatTensor:__sub(other) return 'minus' end
local x = torch.FloatTensor{2, 4}
said = x:halved():sum() .. ' ' .. (x - x) .. ' ' .. (torch.Tensor{3} - torch.Tensor{1}):sum()
said = said .. tostring(torch.ByteTensor(1).halved)
local named = torch.DoubleTensor
local add = named['add']
said = said .. tostring(named['isTensor'](x)) .. add(torch.Tensor{1}, 2):sum()
""",
    "several results of an assertion": """
local tester = torch.Tester()
tester._success = function(self) return true, 'held' end
tester._failure = function(self, message) return false, message end
local function both(ok, message) return tostring(ok) .. ' ' .. message end
said = both(tester:assert(true, 'no')) .. ' ' .. both(tester:eq(1, 2, 'differ', 0))
said = said .. ' ' .. tostring((tester:assert(false, 'no')))
""",
    "nested nodes": """
require 'nngraph'
local a, b, c = nn.Identity()(), nn.Identity()(), nn.Identity()()
local net = nn.gModule({a, b, c}, {nngraph.nest({a, {b}, {c, a}})})
local out = net:forward({torch.Tensor{1}, torch.Tensor{2}, torch.Tensor{3}})
said = out[1][1] .. ' ' .. out[2][1][1] .. ' ' .. out[3][1][1] .. ' ' .. out[3][2][1]
said = said .. tostring(nngraph.nest(a) == a) .. tostring(pcall(nngraph.nest, {}))
said = said .. tostring(pcall(nngraph.nest, a, b))
""",
    "heap": """
said = tostring(torch._heaptracking)
torch.setheaptracking(false)
torch.updateerrorhandlers()
said = said .. tostring(torch._heaptracking)
torch.setheaptracking(true)
""",
}


@pytest.fixture
def clean(monkeypatch):
    """Take back what programs gave to types of tensors."""
    from rekindle.core.tensor import Tensor
    from rekindle.transpiler.runtime import tensors

    monkeypatch.setattr(tensors, "_ADDED", {})
    monkeypatch.setattr(Tensor, "lua_metatable", tensors._metatable(tensors.METHODS))


def run(tmp_path, monkeypatch, files):
    """Translate files, import the one named main, and return it."""
    sources = [Source(f"{name}.lua", text.encode()) for name, text in files.items()]
    translations = Project(sources).translate()
    assert not [d for t in translations for d in t.diagnostics]
    Output(tmp_path).write(translations)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [n for n in sys.modules if n.split(".")[0] in ("main", "parts")]:
        del sys.modules[name]
    return importlib.import_module("main")


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_say_what_they_say_in_lua(name, tmp_path, monkeypatch, clean):
    runtime = Runtime()
    expected = runtime.execute(f"require 'torch' local said {PROGRAMS[name]} return said")
    program = f"local said\n{PROGRAMS[name]}\nreturn said"
    assert run(tmp_path, monkeypatch, {"main": program}).said == expected


def test_files_of_packages_and_beside_a_file_are_run(tmp_path, monkeypatch):
    files = {
        "main": "require 'parts'\nlocal said = parts.first .. parts.second\nreturn said",
        "parts/init": "parts = {}\ntorch.include('parts', 'one.lua')\ninclude 'two.lua'\n",
        "parts/one": "parts.first = 'one, '\n",
        "parts/two": "parts.second = parts.first .. 'two'\n",
    }
    assert run(tmp_path, monkeypatch, files).said == "one, one, two"


def test_a_file_that_is_not_there_is_said(tmp_path, monkeypatch):
    files = {"main": "local ok, said = pcall(torch.include, 'parts', 'three.lua')\nreturn said"}
    assert "cannot open three.lua" in run(tmp_path, monkeypatch, files).said


def test_loaded_source_takes_its_globals_from_a_table():
    namespace = loadstring("count = root(4) return torch, count")
    globals_ = Table(root=lambda x: x / 2)
    assert setfenv(namespace, globals_)() == (None, 2)
    assert globals_["count"] == 2
    assert load("return x", "chunk", "t", Table(x=5))() == 5
    with pytest.raises(ChunkError, match="setfenv takes a function of load"):
        setfenv(lambda: 1, globals_)
