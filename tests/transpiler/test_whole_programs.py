"""What the files of a program know of one another: globals, classes, fields; what files hold."""

from __future__ import annotations

import subprocess
import sys

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source


def texts(files: dict[str, str]) -> dict[str, str]:
    sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
    return {t.source: t.python for t in Project(sources).translate()}


def printed(files: dict[str, str], folder, main: str = "main.py") -> str:
    sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
    Output(folder).write(Project(sources).translate())
    done = subprocess.run(
        [sys.executable, main], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scripts_that_never_run_together_have_globals_of_their_own():
    found = texts(
        {"train.lua": "opt = {lr = 1}\nprint(opt.lr)\n", "test.lua": "opt = 2 print(opt)"}
    )
    assert "print(opt.lr)" in found["train.lua"]
    assert "G" not in found["test.lua"]


def test_files_of_one_run_share_globals_and_know_their_types():
    lib = "function show(a, b) print(opt.lr * 2, a, b) end\n"
    found = texts({"main.lua": "opt = {lr = 1}\nrequire 'lib'\nshow(3)\n", "lib.lua": lib})
    assert "G.opt.lr" in found["lib.lua"]
    assert "G.show(3, None)" in found["main.lua"]


def test_files_that_may_load_any_other_share_globals():
    loads = "local name = ...\nrequire(name)\nopt = 1\n"
    assert "G.opt" in texts({"main.lua": loads, "other.lua": "print(opt)"})["other.lua"]


CLASSES = {
    "main.lua": """
require 'base'
require 'child'
local c = Child(1)
print(c:describe())
print(c.last, c.unknown)
print(require('other').describe())
for _, name in ipairs{'first', 'last'} do print(name, c[name]) end
""",
    "base.lua": """
local Base = torch.class('Base')
function Base:__init(first, last) self.first = first self.last = last end
function Base:greet(a, b) return a, b end
function Base:describe() local a, b = self:greet(1, 2) return self:__text(), a, b end
function Base:__text() return 'a base' end
""",
    "other.lua": """
local Other, parent = torch.class('Other', 'Base')
function Other:greet(a) return parent.greet(self, a) end
return {describe = function() return Other():greet(1) end}
""",
    "child.lua": """
local Child, parent = torch.class('Child', 'Base')
function Child:greet(a) return 'child ' .. a, 'only' end
function Child:describe() return parent.describe(self) end
function Child:__init(...) parent.__init(self, ...) end
""",
}


def test_classes_of_several_files_override_one_another(tmp_path):
    files = CLASSES | {"main.lua": "require 'torch'\n" + CLASSES["main.lua"]}
    assert (
        printed(files, tmp_path) == "a base\tchild 1\tonly\nnil\tnil\n1\tnil\nfirst\t1\nlast\tnil\n"
    )


TENSORS = """
require 'torch'
torch.getmetatable('torch.DoubleTensor').twice = function(x, n) return x * 2 + (n or 0) end
local x = torch.ones(3)
print(x:twice()[1], x:twice(1)[1], torch.FloatTensor(1).twice)
local view = x.new(x):resize(3, 1)
view:fill(7)
print(x[1], x.new(2):size(1), x:new():size(1))
local wide = torch.zeros(2, 1)
local all = torch.Tensor():expandAs(wide, torch.ones(2, 3))
all:add(2, torch.ones(2, 3))
print(wide[1][1])
print(#x:size():totable{})
"""


def test_tensors_as_programs_extend_and_repeat_them(tmp_path):
    lines = ["2\t3\tnil", "7\t2\t3", "6", "1"]
    assert printed({"main.lua": TENSORS}, tmp_path).splitlines() == lines


FILES = """
require 'torch'
local Point = torch.class('Point')
function Point:__init(x) self.x = x self.names = {} end
local function f() return {point = Point(), list = {{1}, {}}} end
torch.save('p.t7', f())
local t = torch.load('p.t7')
print(t.point.x, t.point.names[1], t.nothing, t.list[1][2], #t.list[2])
"""


def test_elements_for_which_a_function_returns_nothing_stay(tmp_path):
    source = (
        "local t = torch.Tensor{1, 4}\n"
        "t:apply(function(v) if v > 2 then return v / 2 end end)\n"
        "print(t[1], t[2])\n"
    )
    assert printed({"main.lua": "require 'torch'\n" + source}, tmp_path) == "1\t2\n"


def test_what_files_lack_is_nil(tmp_path):
    assert printed({"main.lua": FILES}, tmp_path) == "nil\tnil\tnil\tnil\t0\n"


def test_names_of_fields_say_what_is_read():
    program = """
local function show(t) print(t.colour, t.weight) t.colour = 2 end
local function train(net, x) net:forward(x) print(x:size(1)) end
local made = {colour = 1}
return {train, show, made}
"""
    (text,) = texts({"x.lua": program}).values()
    assert "t.colour" in text  # the program makes tables with this field
    assert 'lua.index(t, "weight")' in text  # modules may have it or not
    assert "net.forward(x)" in text
    assert "x.shape[0]" in text


def test_a_field_that_is_looked_for_in_anything_may_be_missing():
    program = """
local function f(m, all) m.label = 1 for _, x in pairs(all) do if x.label then print(x) end end end
return f
"""
    (text,) = texts({"x.lua": program}).values()
    assert 'lua.index(x, "label")' in text


def test_functions_that_give_nothing_say_so_to_other_files(tmp_path):
    files = {
        "main.lua": "local M = require 'checks'\nprint(pcall(M.check, 1))\nprint(pcall(M.check))\n"
        "local kept = M.asked(1)\nprint(kept, pcall(M.asked, 1))\n",
        "checks.lua": "local M = {}\nfunction M.check(x) if not x then error('no', 0) end end\n"
        "function M.asked(x) M.last = x end\nreturn M\n",
    }
    # where its value is asked for, a function gives nil
    assert printed(files, tmp_path) == "true\nfalse\tno\nnil\ttrue\tnil\n"
