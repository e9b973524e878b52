"""What public repositories do: packages as globals, files found by Lua's rules, nn's protocol."""

from __future__ import annotations

import subprocess
import sys

from rekindle.legacy_nn.bridge import Runtime
from rekindle.transpiler.emit import Output
from rekindle.transpiler.module_names import module_name
from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.requires import Requires


def translated(files: dict[str, str]) -> Project:
    return Project([Source(name, text.encode("latin-1")) for name, text in files.items()])


def texts(files: dict[str, str]) -> dict[str, str]:
    return {t.source: t.python for t in translated(files).translate()}


def printed(files: dict[str, str], folder, main: str = "main.py") -> str:
    Output(folder).write(translated(files).translate())
    done = subprocess.run(
        [sys.executable, main], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def faults(python: str) -> str:
    """Return what pyflakes has to say."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet", "--select", "F", "-"]
    return subprocess.run(command, input=python, capture_output=True, text=True).stdout


def test_penlight_is_there_unasked_as_in_th(tmp_path):
    main = """
local function named(folder)
  local path = path.join(folder, 'model.t7')
  return path
end
print(named('cv'), stringx.strip('  a '))
"""
    found = texts({"main.lua": main})["main.lua"]
    assert 'path_ = path.join(folder, "model.t7")' in found
    assert printed({"main.lua": main}, tmp_path) == "cv/model.t7\ta\n"


def test_packages_of_the_bridge_are_globals_of_all_files(tmp_path):
    files = {
        "main.lua": "require 'lib'\nprint(lfs.attributes('.').mode)\n",
        "lib.lua": "require 'lfs'\n",
    }
    assert "lfs.attributes" in texts(files)["main.lua"]
    assert printed(files, tmp_path) == "directory\n"
    files["lib.lua"] = "function later() require 'lfs' end"
    assert "G.lfs.attributes" in texts(files)["main.lua"]
    files["lib.lua"] = "require 'lfs'"
    files["main.lua"] = "require 'lib'\nprint(_G['lfs'].attributes('.').mode)\n"
    assert printed(files, tmp_path / "dynamic") == "directory\n"


def test_names_of_parent_folders_are_found():
    found = Requires(["init.lua", "util.lua", "tasks/copy.lua", "a/b/c.lua", "a/lib/d.lua"])
    assert found.find("..", "tasks/copy.lua") == ("init.lua", 0)
    assert found.find("../", "tasks/copy.lua") == ("init.lua", 0)
    assert found.find("../util", "tasks/copy.lua") == ("util.lua", 0)
    assert found.find("../lib/d", "a/b/c.lua") == ("a/lib/d.lua", 1)


def test_a_folder_of_tests_hides_behind_none_of_pythons():
    assert module_name("test/LSTM.lua") == "test_.LSTM"
    assert module_name("test.lua") == "test"


MODULE = """
require 'nn'
local Twice, parent = torch.class('nn.Twice', 'nn.Module')
function Twice:__init() parent.__init(self) self.net = nn.Linear(2, 1) end
function Twice:updateOutput(x) return self.net:forward(x) end
function Twice:backward(input, gradOutput, scale)
  return self.net:backward(input, gradOutput, scale)
end
function Twice:clear() return parent:type() end
torch.manualSeed(1)
local net = nn.Twice()
net.net.gradWeight:zero()
local x = torch.ones(1, 2)
net:forward(x)
net:backward(x, torch.ones(1, 1))
print(net.net.gradWeight:sum())
"""


def test_gradients_of_own_modules_have_nns_scale(tmp_path):
    found = texts({"main.lua": MODULE})["main.lua"]
    assert "def backward(self, input, gradOutput, scale=1):" in found
    assert printed({"main.lua": MODULE}, tmp_path) == "2\n"


def test_a_parent_that_is_a_value_is_the_class():
    found = texts({"main.lua": MODULE})["main.lua"]
    assert "parent" not in found
    assert faults(found) == ""


def test_progress_shows_steps_as_xlua_does(tmp_path):
    main = "require 'xlua'\nprint(xlua.formatTime(125), xlua.formatTime(1.5))\n"
    assert printed({"main.lua": main}, tmp_path) == "2m5s\t1s500ms\n"


def test_what_files_require_passes_pyflakes(tmp_path):
    files = {
        "main.lua": """
local utils = require 'utils'
local t = require 'other'
require 'lfs'
print(t.x, lfs.attributes('.').mode)
for t = 1, 2 do print(t) end
""",
        "utils.lua": "local M = {} print('loaded') return M",
        "other.lua": """
local M = {x = 1}
local add
local sub
M.go = function() return add(2) end
add = function(y)
  return sub(y) + 3
end
function sub(y) return y - 1 end
print(M.go())
return M
""",
    }
    found = texts(files)
    assert 'require("lfs")' not in found["main.lua"]
    assert "= None" not in found["other.lua"]
    for text in found.values():
        assert faults(text) == ""
    assert printed(files, tmp_path) == "loaded\n4\n1\tdirectory\n1\n2\n"


PARAMETERS = """
require 'nn'
local Pair, parent = torch.class('nn.Pair', 'nn.Module')
function Pair:__init()
  parent.__init(self)
  self.first, self.second = nn.Linear(2, 3), nn.Linear(3, 1)
end
function Pair:parameters()
  local p, g = self.first:parameters()
  local q, h = self.second:parameters()
  tablex.insertvalues(p, q)
  for _, x in ipairs(h) do table.insert(g, x) end
  return p, g
end
local Longer, above = torch.class('nn.Longer', 'nn.Linear')
function Longer:parameters()
  local p, g = above.parameters(self)
  table.insert(p, self.weight)
  g[#g + 1] = self.gradWeight
  return p, g
end
local p, g = nn.Pair():parameters()
print(#p, #g, p[3]:size(1), g[4]:nElement())
local net = nn.Sequential():add(nn.Pair())
print(nn.Pair():getParameters():nElement(), net:getParameters():nElement())
print(#nn.Longer(2, 3):parameters(), #nn.Sequential():add(nn.Longer(2, 3)):parameters())
print(nn.ReLU():parameters())
"""


def test_parameters_are_tables_to_programs_and_lists_to_nn(tmp_path):
    expected = "4\t4\t1\t1\n13\t13\n3\t3\n\n"
    assert printed({"main.lua": PARAMETERS}, tmp_path) == expected


def test_folders_of_the_search_path_are_pythons(tmp_path):
    files = {
        "main.lua": """
package.path = './lib/?.lua;' .. package.path
local name = 'late'
print(require('early').x, require(name).x, package.loaded.cutorch)
""",
        "lib/early.lua": "return {x = 1}",
        "lib/late.lua": "return {x = 2}",
    }
    assert printed(files, tmp_path) == "1\t2\tnil\n"


def test_a_script_beside_its_folder_is_not_run_by_imports(tmp_path):
    files = {
        "style.lua": "print('run', require('style.models').x)",
        "train.lua": "print(require('style.models').x, require('net').x)",
        "style/models.lua": "return {x = 1}",
        "net.lua": "local M = {x = require('net.part').y} return M",
        "net/part.lua": "return {y = 2}",
    }
    assert printed(files, tmp_path, "train.py") == "1\t2\n"
    assert printed(files, tmp_path, "style_.py") == "run\t1\n"


def test_functions_that_packages_call_take_any_arguments(tmp_path):
    main = """
local Threads = require 'threads'
local function init() print('started') end
local pool = Threads(1, init, function(id) seed = id end)
pool:addjob(function() return 1, 2 end, function(a) print('done', a) end)
pool:addjob(function() end, function(a, b) print(a, b) end)
pool:synchronize()
pool:terminate()
"""
    assert printed({"main.lua": main}, tmp_path) == "started\ndone\t1\nnil\tnil\n"


READABLE = """
require 'image'
local function run(x, n)
  x:narrow(1, 2, n):clone():mul(3):add(1):div(2):clamp(0, 1) -- a comment that is too long
  print('elements: ' .. x:nElement() .. ' of ' .. (x:size(1) + 1)) -- short
  return image.scale(x, 2, 2):sum()
end
local file = path.join('a', 'b')
if not path.exists(file) then print(file .. '.t7', path.isdir('.')) end
local memory = torch.MemoryFile()
memory:writeInt(run(torch.ones(3, 4, 4), 1))
print(stringx.strip(' x ') .. '!', torch.type(memory))
"""


def test_results_of_packages_are_known_and_comments_break_no_lines(tmp_path):
    found = texts({"main.lua": READABLE})["main.lua"]
    assert "\n    # a comment that is too long\n    tensor.clamp(" in found
    assert "  # short\n" in found
    assert "{tensor.nElement(x)} of {x.shape[0] + 1}" in found
    assert "lua.first" not in found
    expected = "a/b.t7\ttrue\nelements: 48 of 4\nx!\ttorch.MemoryFile\n"
    assert printed({"main.lua": READABLE}, tmp_path) == expected


def test_a_format_may_come_with_its_values(tmp_path):
    main = """
local unpack = unpack or table.unpack
local args = {'%.2f of %s', 1, 'all'}
print(string.format(unpack(args)))
"""
    assert printed({"main.lua": main}, tmp_path) == "1.00 of all\n"


def test_methods_given_to_nns_classes_and_xluas_split(tmp_path):
    main = """
require 'nn'
function nn.Linear:reset(stdv) self.weight:fill(stdv or 2) self.bias:zero() end
print(nn.Linear(2, 1).weight:sum())
local text = 'a,b,,c'
print(table.concat(text:split(','), '|'), #string.split('x y', '%s+'))
"""
    assert printed({"main.lua": main}, tmp_path) == "4\na|b||c\t2\n"


def test_workers_have_globals_of_their_own(tmp_path, monkeypatch, capfd):
    """As the loaders of fb.resnet.torch do: the set of one is not that of the other."""
    loader = """
local Threads = require 'threads'
local function made(name, n)
  local threads, sizes = Threads(n, function() require 'lfs' end, function(id)
    _G.dataset, count = name .. id, 0
    return #name
  end)
  return threads, sizes[n][1]
end
function run(pool, label)
  for job = 1, 3 do
    pool:addjob(function() count = count + job return _G.dataset, count, lfs ~= nil end,
                function(set, sum, has) print(label, set, sum, has, dataset, count) end)
  end
  pool:synchronize()
end
return made
"""
    main = """
dataset = 'the program'
local made = require 'loader'
local train, size = made('train', 2)
local val = made('val', 1)
run(train, size)
run(val, 0)
run(train, size)
print(dataset, count, lfs ~= nil)
"""
    for name, text in (("main", main), ("loader", loader)):
        (tmp_path / f"{name}.lua").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Runtime().load_file("main.lua")
    expected = capfd.readouterr().out
    assert "5\ttrain1\t1\ttrue\tthe program\tnil" in expected
    assert printed({"main.lua": main, "loader.lua": loader}, tmp_path / "python") == expected


def test_a_table_becomes_an_object_of_torch(tmp_path, capfd):
    """As the clean copies that fb.resnet.torch saves do."""
    main = """
require 'nn'
local Scale, parent = torch.class('nn.Scale', 'nn.Module')
function Scale:__init(by) parent.__init(self) self.by = by end
function Scale:updateOutput(x) self.output:resizeAs(x):copy(x):mul(self.by) return self.output end
local function deepCopy(tbl)
  local copy = {}
  for k, v in pairs(tbl) do
    if type(v) == 'table' then copy[k] = deepCopy(v) else copy[k] = v end
  end
  if torch.typename(tbl) then torch.setmetatable(copy, torch.typename(tbl)) end
  return copy
end
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.ReLU(true)):add(nn.Scale(3))
local x = torch.randn(4, 3)
local expected = net:forward(x):clone()
local copy = deepCopy(net)
print(copy, copy:get(3).by, copy:get(1).weight == net:get(1).weight, copy:get(1) == net:get(1))
print((copy:forward(x) - expected):abs():max())
print(pcall(function() local t = {} torch.setmetatable(t, 'nn.Nothing') end))
"""
    Runtime().execute(main)
    expected = capfd.readouterr().out
    assert "unknown typename nn.Nothing" in expected
    found = printed({"main.lua": main}, tmp_path)
    assert found.splitlines()[:-1] == expected.splitlines()[: len(found.splitlines()) - 1]
    assert "unknown typename nn.Nothing" in found.splitlines()[-1]
