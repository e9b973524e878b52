"""How faithful style reads, and that what is written shorter prints what LuaJIT prints."""

from __future__ import annotations

import subprocess
import sys

import pytest
from running import same, translate

from rekindle.transpiler.emit import formatted
from rekindle.transpiler.project import Project, Source

LINES = {
    "conditions that must hold": (
        """
local n, s = #'hello', 'text'
assert(n > 3, 'too short')
assert(n == 5, 'length is ' .. n)
assert(type(s) == 'string' and n < 20, string.format('%d', n))
assert(not (n == 3), 'three')
print(pcall(function() assert(n == 3, 'not ' .. n) end))
print(pcall(function() assert(n ~= 5, 'five') end))
print(pcall(function() assert(n < 5) end))
print(pcall(function() assert(n > 2 and nil, 'nothing') end))
print(pcall(function() assert(n > 2, 'no ' .. nil) end))
""",
        [
            'if n <= 3:\n    error("too short")',
            'if n != 5:\n    error(f"length is {n}")',
            'if n == 3:\n    error("three")',
            "lua.assert_(n < 5)",
        ],
    ),
    "values that must be there": (
        """
local function two() return nil, 'why' end
local function open(path) local f = assert(io.open(path, 'r')) return f:read('*a') end
print(pcall(open, '/no/such/file'))
print(pcall(function() local x = assert(two(), 'what') return x end))
print(pcall(function() local x = assert(two()) return x end))
local n = 4
print(pcall(function() local x = assert(n > 20 and n, 'big') return x end))
local x = assert(n, 'no')
local y, z = assert(n, 'no')
print(x, y, z, (assert(two, 'f')) == two, select('#', assert(1, 2, 3)))
""",
        [
            'f = lua.asserted(io.open(path, "r"))',
            "x = lua.asserted(two())",
            'x = lua.asserted(two(), "what")',
        ],
    ),
    "what is found in text": (
        """
local s = 'hello world'
if s:find('wor') then print(1) end
if not string.find(s, 'x') then print(2) end
if string.find(s, 'h(e)') ~= nil and s:find('q') == nil then print(3) end
local i = string.find(s, ' ')
print(i + 1, s:sub(1, i), (s:find('zz')))
print((string.gsub(s, 'o', '0')), s:gsub('l', 'L'))
local m = s:match('h(%a+)')
print(m, s:match('zz'), s:match('()w'), s:match('(h)(e)'))
if s:match('()') and s:match('%.*') then print(4) end
""",
        [
            'if string.find(s, "wor") is not None:',
            'if string.find(s, "x") is None:',
            "print(i + 1, ",
            'string.gsub(s, "o", "0")[0]',
            'm = string.match(s, "h(%a+)")',
        ],
    ),
    "functions that are defined again, inside and under names of the runtime": (
        """
local M = {sub = {}}
function M.fact(n) if n < 2 then return 1 end return n * M.fact(n - 1) end
function M.f() return 1 end
function M.f() return 2 end
function M.f() return 3 end
do local twice = 7 print(twice) end
function M.twice(n) return 2 * n end
local function wrap() function M.inner(x) return x + 1 end return M.inner(1) end
function M.G() return 'G' end
function M.Table() return 'T' end
function M.sub.deep(x) return x end
if #M == 0 then function M.late() return 1 end else function M.late() return 2 end end
print(M.fact(5), M.f(), M.twice(3), wrap(), M.inner(4), M.G(), M.Table(), M.sub.deep(3), M.late())
""",
        ["def fact(n):", "M.f = M_f_2", "def M_twice(n):", "M.Table = M_Table", "def deep(x):"],
    ),
    "numbers that are never zero": (
        """
local interval, none = 25, 0
local function every(n) for i = 1, n do if i % interval == 0 then print(i / interval) end end end
every(#'a text of some letters that repeats itself, itself, itself')
print(5 / none, (pcall(error, 'x')))
if pcall(function() return 1 end) then print(2) end
""",
        [
            "if i % interval == 0:\n            print(i / interval)",
            "lua.div(5, none)",
            'pcall(error, "x")[0]',
            "[0]:\n    print(2)",
        ],
    ),
    "long texts": (
        """
local s = [[
  a line with spaces at its end \x20\x20
  a "quoted" line that is rather long, so that both do not fit into one line of Python
]]
print(s, #s, ([[a\x20\x20
b is long, too, and the text has more than sixty characters all in all
c]]):upper() .. 'd')
""",
        ['s = (\n    "  a line with spaces at its end   \\n"\n'],
    ),
    "functions of tables": (
        """
local M, N = {}, {}
local calls = 0
function M.double(n) calls = calls + 1 return 2 * n end
function M.print(n) print(n, M.double(n)) end
function N.double(n) return 3 * n end
function M.calls() return calls end
function M.lambda(x) return x end
function M:twice(n) return self.double(n) end
M.print(4)
print(N.double(2), M.calls(), M.lambda(3), M:twice(7))
return M
""",
        [
            "def double(n):",
            "M.double = double",
            "def M_print(n):",
            "N.double = N_double",
            "M.calls = M_calls",
            'M["lambda"] = M_lambda',
            "def M_twice(self, n):",
        ],
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_what_is_shorter_means_the_same(name):
    source, lines = LINES[name]
    text = formatted({"a": translate(source).python})["a"]
    for line in lines:
        assert line in text
    assert "lua.first(lua." not in text
    same(source)


def test_names_that_nothing_told_of_torch_are_none():
    text = translate("""
local x = ...
local name = torch.typename(x)
if torch.typename(x) then print(1) end
print(torch.typename(x) == 'nn.Linear', not torch.typename(x), torch.typename(x))
""").python
    assert "name = torch.typename(x) or None" in text
    assert "if torch.typename(x):" in text
    assert 'print(torch.typename(x) == "nn.Linear", not' in text
    assert "not torch.typename(x), *lua.spread(torch.typename(x))" in text


def test_a_variable_called_error_is_not_called():
    source = (
        "local error = 3\nlocal n = #'x'\nprint(pcall(function() assert(n > 3, 'few') end), error)"
    )
    assert 'lua.assert_(n > 3, "few")' in translate(source).python
    same(source)


REDEFINED = {
    "main.lua": """
do
   local seen = 0
   -- a global in a block
   function show(x) seen = seen + 1 return x, seen end
end
local function first() return show(1) end
local t = require 'other'
local function each() for t = 1, 2 do print(t) end for _, t in ipairs({t}) do print(t.n) end end
print(first()) each() print(t.n)
""",
    "other.lua": "local t = {n = 3}\nreturn t\n",
}


def test_ruff_finds_no_name_that_stands_for_two_things(tmp_path):
    sources = [Source(name, text.encode()) for name, text in REDEFINED.items()]
    for found in Project(sources).translate():
        (tmp_path / found.target).write_text(found.python, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F"]
    done = subprocess.run(
        [*command, "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    run = [sys.executable, "main.py"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "1\t1\n1\n2\n3\n3\n", done.stderr


OPTIONS = """
local lapp = lapp or require 'pl.lapp'
local opt = lapp[[
Train a network.
  -r,--learningRate (default 0.1) rate
  -b, --batch-size (default 5) how many
  --gpu  use it
  -n (string) name
  <file> (default 'x') a file
]]
local function show(o) print(o.learningRate * 2, o.batch_size, o.gpu, o.missing, o.n, o.file) end
show(opt)
print(#arg, arg[1])
"""


def test_options_of_lapp_are_attributes_and_come_from_the_command_line(tmp_path):
    text = translate(OPTIONS).python
    assert 'o.batch_size, o.gpu, lua.index(o, "missing"), o.n, o.file' in text
    (tmp_path / "main.lua").write_text(OPTIONS)
    (tmp_path / "main.py").write_text(text)
    rekindle = "from rekindle.cli import main; main()"
    printed = [
        subprocess.run(
            [sys.executable, *command, "--learningRate", "3", "-n", "first", "second"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for command in (["-c", rekindle, "exec", "main.lua"], ["main.py"])
    ]
    assert printed == ["6\t5\tfalse\tnil\tfirst\tsecond\n5\t--learningRate\n"] * 2


def test_options_of_lapp_have_types():
    text = translate("""
local opt = lapp[[
   --type     (default cuda)          cuda or float
   --epochs   (default 300)           how often
   --rate     (number default 1e-3)   of learning
   --name     (string default 5)      of the run
   --scale    (0.1..2)                of images
   --seed     (optional number)       of generators
   --kind     (a|b default a)         of the net
   <files...> (default stdin)         of data
]]
for i = 1, opt.epochs do print(opt.rate * 2, 'name ' .. opt.name, opt.scale + 1, opt.seed + 1) end
if opt.kind == 'a' and opt.type == 'cuda' then print(opt.files) end
""").python
    for line in (
        "for i in range(1, opt.epochs + 1):",
        'opt.rate * 2, f"name {opt.name}", opt.scale + 1, lua.add(opt.seed, 1)',
        'if opt.kind == "a" and opt.type == "cuda":',
    ):
        assert line in text


def test_methods_of_options_are_called_as_methods():
    text = translate("""
local cmd = torch.CmdLine()
cmd:addTime('run')
cmd:option('-lr', 0.1, 'rate')
local opt = cmd:parse(arg)
if opt.lr > 1 then cmd:error('too large') end
print(cmd:string('x', opt, {}) .. '.t7')
""").python
    for line in ('cmd.addTime("run")', 'cmd.error("too large")', 'cmd.string("x", opt, Table())'):
        assert line in text


def test_helpers_of_training_are_called_as_objects():
    text = translate("""
local c = require 'trepl.colorize'
local confusion = optim.ConfusionMatrix(3)
local logger = optim.Logger('x.log')
logger:setNames{'loss'}
confusion:batchAdd(torch.rand(2, 3), torch.Tensor{1, 2})
confusion:zero()
logger.showPlot = false
print(c.blue 'done' .. sys.COLORS.red .. 'x', confusion.totalValid * 100)
""").python
    for line in (
        'logger.setNames(Table("loss"))',
        "confusion.batchAdd(torch.rand(2, 3), ",
        "confusion.zero()",
        "logger.showPlot = False",
        'c.blue("done") + sys.COLORS.red + "x", lua.mul(confusion.totalValid, 100)',
    ):
        assert line in text
