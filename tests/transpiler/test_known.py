"""What names, uses and other files tell of values: which calls get plain, and which must not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source


def texts(files: dict[str, str]) -> dict[str, str]:
    sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
    return {t.source: t.python for t in Project(sources).translate()}


def printed(files: dict[str, str], folder, main: str) -> str:
    sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
    Output(folder).write(Project(sources).translate())
    done = subprocess.run(
        [sys.executable, main], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


NESTED = {
    "nets/train.lua": "local util = require 'library.util'\nlocal other = require 'library.other'\n"
    "print(util.double(4), other(1))\n",
    "nets/library/util.lua": "local M = {}\nfunction M.double(n) return 2 * n end\nreturn M\n",
    "nets/library/other.lua": "local util = require 'library.util'\n"
    "local function f(n) return util.double(n) + 1 end\nreturn f\n",
}


def test_programs_in_folders_of_a_repository_find_their_files(tmp_path):
    found = texts(NESTED)
    assert "from library.util import M as util" in found["nets/train.lua"]
    assert "util.double(4)" in found["nets/train.lua"]
    assert printed(NESTED, tmp_path, "nets/train.py") == "8\t3\n"


def test_a_file_found_by_luas_path_and_one_of_the_programs_own_package():
    files = {
        "lua/pl/text.lua": "local M = {}\nfunction M.trim(s) return s end\nreturn M\n",
        "spec/text.lua": "local text = require 'pl.text'\nprint(text.trim('a'))\n",
    }
    assert "from pl.text import M as text" in texts(files)["spec/text.lua"]
    package = {
        "init.lua": "local mine = {}\nmine.tool = require 'mine.tool'\nreturn mine\n",
        "tool.lua": "local M = {}\nfunction M.f() return 1 end\nreturn M\n",
        "use.lua": "local tool = require 'mine.tool'\nprint(tool.f())\n",
    }
    assert "from mine.tool import M as tool" in texts(package)["use.lua"]
    two = {"a/util.lua": "return {}", "b/util.lua": "return {}", "x.lua": "print(require 'util')"}
    assert 'require("util")' in texts(two)["x.lua"]  # which one, nobody can say


PLAIN = [
    ("local t = torch.Tester()\nt:assert(true, 'x')\nt:asserteq(1, 1)", 't.assert_(True, "x")'),
    ("local t = torch.Timer()\nprint(t:time().real > 0)", "t.time()"),
    ("local f = assert(io.open('x'))\nlocal s = f:read('*a')\nprint(s:upper())", 'f.read("*a")'),
    ("local function f(x) x:zero() return x:view(1) end\nreturn {f}", "tensor.view(x, 1)"),
    ("local m = nn.Linear(1, 2)\nm.weight:fill(0)", "tensor.fill(m.weight, 0)"),
    ("local x = torch.ones(2)\nif y then x = nil end\nx:fill(1)", "tensor.fill(x, 1)"),
    (
        "local M = {}\nM.f = function(a) return a end\nreturn function(t) return t.f(1) end",
        "t.f(1)",
    ),
    ("local M = {}\nfunction M:go(a) return a end\nM:go(1)", "M.go(M, 1)"),
    ("function nn.Module:mine() return self.modules end", "return self.modules"),
    ("local function f(n) return torch.ones(n) end\nprint(f(2)[1])", "f(2)[0].item()"),
    ("print('in ' .. paths.concat('a', 'b'))", '"in " + paths.concat("a", "b")'),
    ("local ok, c = pcall(require, 'cutorch')\nif ok then c.setDevice(1) end", "c.setDevice(1)"),
    ("gnuplot.plot(1)", "G.gnuplot.plot(1)"),
    # where nil would be an error, a field is an attribute, and what has a length that is counted
    # with is a table or text
    ("local function f(m) m.weight:fill(0) return m end\nreturn {f}", "tensor.fill(m.weight, 0)"),
    ("return function(x) return #x + 1 end", "len(x) + 1"),
    ("return function(x) for i = 1, #x do print(i) end end", "range(1, len(x) + 1)"),
    ("return function(m, b) m.bias = b end", "m.bias = b"),
    ("return function(x) return x.new(2) end", "tensor.new_like(x, 2)"),
    ("return function(net) net:add(nn.ReLU()) end", "net.add(nn.ReLU())"),
    ("return function(x, a, b) return x == a .. b end", "x == lua.concat(a, b)"),
    ("return function(cmd) cmd:option('-lr', 1) end", 'cmd.option("-lr", 1)'),
    (
        "local x\nlocal function f(n) x = x or torch.ones(n) return x end\nprint(f(2))",
        "if x is None:\n        x = torch.ones(n)",
    ),
    # all results of functions and methods have types
    ("local function f() return 1, 'a' end\nlocal n, s = f()\nprint(s .. 'b', n + 1)", 's + "b"'),
    (
        "local C = torch.class('C')\nfunction C:two() return 1, 2.5 end\n"
        "function C:one() local a, b = self:two() return a * b end",
        "a * b",
    ),
    ("return function(t) print(#t) return unpack(t) end", "len(t)"),
    ("local x = nn.Identity()()\nlocal y = nn.Tanh()\nreturn x - nn.Sequential() - y",
     "- nn.Sequential() - y"),
]  # fmt: skip


@pytest.mark.parametrize(("lua", "python"), PLAIN)
def test_what_is_known_is_plain(lua, python):
    assert python in texts({"x.lua": f"require 'torch'\n{lua}\n"})["x.lua"]


UNKNOWN = [
    # the program has a method of that name, with as many arguments
    ("local D = {}\nfunction D:size(i) return i end\nreturn {D, function(x) return x:size(1) end}",
     "lua.invoke_all(x, \"size\", 1)"),
    # asked for its type, it may be several things
    ("return function(x) if torch.type(x) == 'table' then return x[1] end return #x end",
     "lua.index(x, 1)"),
    # two functions have the name
    ("local A, B = {}, {}\nfunction A.f(a) return a end\nfunction B.f() return 1 end\n"
     "return function(t) return t.f(1) end", "lua.call"),
    ("_G['x'] = print\nx(1)", "lua.call(G.x, 1)"),
    # an object of nn may have it or not
    ("return function(m) if m.weight then print(1) end end", 'lua.index(m, "weight")'),
    ("return function(m) return m.weight end", 'lua.index(m, "weight")'),
    # of a tensor it is something else
    ("return function(x) print(#x) end", "lua.length(x)"),
    ("return function(x, y) return #x == y end", "lua.length(x)"),
    # a table's own method hides the field
    ("return function(t) return t.count + 1 end", 'lua.index(t, "count")'),
    # what catches errors may read what they say
    ("return function(m) return pcall(print, m.weight.x) end", 'lua.index(m, "weight")'),
    # the program has a method of that name
    ("local L = {}\nfunction L:add(x) return x end\nreturn {L, function(l) l:add(nn.ReLU()) end}",
     'lua.invoke(l, "add", nn.ReLU())'),
    ("return function(m, f) m.updateOutput = f end", 'lua.newindex(m, "updateOutput", f)'),
    # which result it is, and whether there is one, varies
    ("local function f(x) if x then return 1, 'a' end return 2, 3 end\nlocal n, s = f(true)\n"
     "print(s .. 'b')", 'lua.concat(s, "b")'),
    ("local function f(x) if x then return 1, 'a' end return 2 end\nlocal n, s = f(true)\n"
     "print(s .. 'b')", 'lua.concat(s, "b")'),
    ("local function f(...) return 1, ... end\nlocal n, s = f('a')\nprint(s .. 'b')",
     'lua.concat(s, "b")'),
    # a table from a library has no `append`
    ("return function(t) for i, v in ipairs(t) do print(v) end t[#t + 1] = 1 end",
     "lua.append(t, 1)"),
    # elements of a text that is empty are never looked at
    ("return function(t) for i = 1, #t do print(t[i].x) end return t.k end", 'lua.index(t, "k")'),
]  # fmt: skip


@pytest.mark.parametrize(("lua", "python"), UNKNOWN)
def test_what_may_be_something_else_stays(lua, python):
    assert python in texts({"x.lua": f"require 'torch'\n{lua}\n"})["x.lua"]


CLASS = """
local Point = {}
Point.__index = Point
function Point.new(x, y)
   local self = setmetatable({x = x, y = y or 0}, Point)
   return self
end
function Point.__add(a, b) return Point.new(a.x + b.x, a.y + b.y) end
function Point:norm() return math.sqrt(self.x ^ 2 + self.y ^ 2) end
local p = Point.new(3, 4)
print((p + p):norm())
"""


def test_a_table_that_is_a_class_becomes_one():
    (python,) = texts({"x.lua": CLASS}).values()
    assert "class Point(TableObject):" in python
    assert "def __init__(self, x, y" in python
    assert "def __add__(a, b):" in python
    assert "p = Point(3, 4)" in python


@pytest.mark.parametrize(
    "more",
    [
        "for k, v in pairs(Point) do print(k, v) end",
        "Point.__newindex = function(t, k, v) rawset(t, k, v) end",
        "setmetatable(Point, {__call = function(_, x) return Point.new(x) end})",
        "local q = setmetatable({}, {__index = Point})",
    ],
)
def test_one_that_is_used_otherwise_stays_a_table(more):
    (python,) = texts({"x.lua": CLASS + more}).values()
    assert "class Point" not in python


def test_a_class_of_another_file_is_made_by_its_name(tmp_path):
    own, _, use = CLASS.partition("local p =")
    files = {
        "point.lua": own + "return Point\n",
        "main.lua": f"local Point = require 'point'\nlocal p ={use}",
    }
    assert "p = Point(3, 4)" in texts(files)["main.lua"]
    assert printed(files, tmp_path, "main.py") == "10\n"
    loaded = files | {"other.lua": "local function f() return require('point').new(1, 2) end\nf()"}
    assert "Point.new(3, 4)" in texts(loaded)["main.lua"]


PARTS = """
require 'torch'
local x = torch.range(1, 12):view(3, 4)
local v = torch.range(1, 5)
for i = 1, 2 do print(x[i + 1][2], v[i], x[{i, 3}], x[{{i, 3}, 2}]:sum()) end
x[{{1, 2}, {}}]:fill(0)
x[{{}, {3, 4}}]:add(1)
x[2]:mul(2)
print(x:sum(), v[{{2, 3}}]:size(1), x[-1][-1], v[-2], x:size(2))
v[2] = 7
x[3] = v[{{1, 4}}]
print(v[2], x[3]:sum(), x[{3, 2}])
local n = torch.LongTensor(2, 2):fill(3)
print(n[1][2], n:view(4)[3] / 2)
local wide = torch.ones(2)
wide:resize(2, 2):fill(1)
print(wide[1]:size(1))
"""


def test_parts_of_tensors(tmp_path):
    (python,) = texts({"x.lua": PARTS}).values()
    for part in (
        "x[i][1].item()",
        "v[i - 1].item()",
        "x[i - 1, 2].item()",
        "x[i - 1:3, 1]",
        "x[:2]",
        "x[:, 2:4]",
        "x.shape[1]",
        "tensor.part(x, -1)",
    ):
        assert part in python
    lines = printed({"x.lua": PARTS}, tmp_path, "x.py").splitlines()
    assert lines == [
        "6\t1\t3\t18",
        "10\t2\t7\t16",
        "50\t2\t13\t4\t4",
        "7\t15\t7",
        "3\t1.5",
        "2",
    ]


def test_parts_of_tensors_where_a_program_may_count_on_errors(tmp_path):
    part = "local x = torch.zeros(3)\nlocal function f() return x[{{1, 5}}] end\n"
    assert "x[:5]" in texts({"main.lua": part + "print(f())\n"})["main.lua"]
    caught = {"main.lua": f"require 'torch'\n{part}print((pcall(f)))\n"}
    assert printed(caught, tmp_path, "main.py") == "false\n"
