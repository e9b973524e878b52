"""Types of parameters from the calls of functions: what gets plain, and what must not."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source


def translated(files: dict[str, str]) -> dict[str, str]:
    sources = [Source(name, text.encode("latin-1")) for name, text in files.items()]
    return {t.source: t.python for t in Project(sources).translate()}


LIBRARY = """
local M = {}
function M.area(w, h) return w * h end
function M.label(name, count) return name .. ': ' .. count end
function M.shift(x, by) return x:clone():add(by) end
function M.sum(n)
   local s = 0
   for i = 1, n do s = s + i end
   return s
end
return M
"""
MAIN = """
local lib = require 'lib'
print(lib.area(3, 4), lib.label('n', 2), lib.sum(4))
print(lib.shift(torch.ones(2), 1)[1])
"""


def test_calls_from_other_files_give_parameters_their_types(tmp_path):
    python = translated({"lib.lua": LIBRARY, "main.lua": MAIN})["lib.lua"]
    assert "return w * h" in python
    assert re.search(r"range\(1, n \+ 1\)", python)
    assert "lua." not in python.partition("def M_shift")[0]
    alone = translated({"lib.lua": LIBRARY})["lib.lua"]
    assert "lua.mul(w, h)" in alone  # nobody says what it is given


@pytest.mark.parametrize(
    "more",
    [
        "print(lib.area('3', 4))",  # text counts as a number in Lua's arithmetic
        "local f = lib.area; print(f('3', 4))",
        "local name = 'area'; print(lib[name]('3', 4))",
        "local t = {area = 1}; print(t.area, lib.area('2', 4))",
        "lib.area = function(a) return a end; print(lib.area('3'))",
        "print(pcall(lib.area, '3', 4))",
    ],
)
def test_a_call_that_gives_something_else_counts(more, tmp_path):
    files = {"lib.lua": LIBRARY, "main.lua": f"{MAIN}{more}\n"}
    assert "return w * h" not in translated(files)["lib.lua"]


def test_functions_of_one_file_and_methods_of_its_tables(tmp_path):
    source = """
local Counter = {}
Counter.__index = Counter
function Counter.new() return setmetatable({n = 0}, Counter) end
function Counter:step(by) self.n = self.n + 2 * by; return self.n end
function total(a, b) return a + b end
local c = Counter.new()
print(c:step(2), c:step(3), total(1, 2))
"""
    python = translated({"x.lua": source})["x.lua"]
    assert "return a + b" in python
    assert "2 * by" in python


def test_what_a_package_has_under_the_same_name_is_another_function():
    files = {
        "lib.lua": "local M = {}\nfunction M.load(n) return n + 1 end\nreturn M\n",
        "main.lua": "local lib = require 'lib'\nprint(lib.load(1))\n"
        "if false then torch.load('x.t7') end\n",
    }
    assert "return n + 1" in translated(files)["lib.lua"]


def test_globals_of_scripts_that_do_not_run_together_are_not_one():
    files = {
        "one.lua": "function add(a, b) return a + b end\nprint(add(1, 2))\n",
        "two.lua": "function add(a, b) return a + b end\nprint(add('1', 2))\n",
    }
    python = translated(files)
    assert "return a + b" in python["one.lua"]
    assert "return a + b" not in python["two.lua"]


def test_missing_and_further_arguments(tmp_path):
    files = {
        "lib.lua": "local M = {}\n"
        "function M.f(a, b) if b then return a + b end return a end\n"
        "function M.g(a, b) return tostring(a) .. tostring(b) end\nreturn M\n",
        "main.lua": "local lib = require 'lib'\n"
        "local function two() return 3, 4 end\n"
        "print(lib.f(1), lib.f(1, 2), lib.f(two()), lib.g(two()), lib.g(5))\n",
    }
    sources = [Source(name, text.encode()) for name, text in files.items()]
    Output(tmp_path).write(Project(sources).translate())
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "1\t3\t7\t34\t5nil\n", done.stderr


def test_a_function_that_calls_itself_keeps_its_types():
    source = (
        "function fact(n) if n < 2 then return 1 end return n * fact(n - 1) end\nprint(fact(5))\n"
    )
    python = translated({"x.lua": source})["x.lua"]
    assert "if n < 2:" in python
    assert "n - 1" in python


RESULTS = {
    "util.lua": "local M = {}\nfunction M.both(n) return 2, 'x' .. n end\n"
    "function M.varies(n) if n > 1 then return 1 end return 'a' end\n"
    "function M.made(n) return {n = n} end\nreturn M\n",
    "one.lua": "local function one(n) return 2.5 end\nreturn one\n",
    "main.lua": "local util = require 'util'\nlocal one = require 'one'\n"
    "local n, s = util.both(3)\nprint(n + one(1), s .. '!')\n"
    "print(util.varies(2) + 1)\nlocal t = util.made(1)\nt.n = 'text'\nprint(t.n .. 1)\n",
}


def test_results_of_other_files_have_types():
    sources = [Source(name, text.encode()) for name, text in RESULTS.items()]
    found = Project(sources).translate()
    (python,) = (t.python for t in found if t.source == "main.lua")
    assert "n + one(1)" in python
    assert 's + "!"' in python
    assert "lua.add(util.varies(2), 1)" in python
    assert "lua.concat(t.n, 1)" in python


def test_files_that_ask_one_another_for_results_end():
    files = {
        "a.lua": "local M = {}\nlocal b = require 'b'\n"
        "function M.f(n) if n == 0 then return 1 end return b.g(n - 1) end\nreturn M\n",
        "b.lua": "local M = {}\nlocal a = require 'a'\n"
        "function M.g(n) if n == 0 then return 'x' end return a.f(n - 1) end\nreturn M\n",
        "c.lua": "local a = require 'a'\nlocal b = require 'b'\nprint(a.f(1) + b.g(1))\n",
    }
    found = Project([Source(name, text.encode()) for name, text in files.items()]).translate()
    (python,) = (t.python for t in found if t.source == "c.lua")
    assert "lua.add(lua.first(a.f(1)), lua.first(b.g(1)))" in python
