"""Translated files and files that are still Lua require one another."""

from __future__ import annotations

import subprocess
import sys

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source

MAIN = """
local old = require 'old'
print(old.scale(4), old.name)
local t = old.tensor(3)
print(t:sum(), torch.type(t))
"""

OLD = """
local helper = require 'helper'
local M = {name = 'still Lua'}
function M.scale(x) return helper.twice(x) + 1 end
function M.tensor(n) return torch.Tensor(n):fill(2) end
return M
"""

HELPER = "local M = {}\nfunction M.twice(x) return 2 * x end\nreturn M\n"


def test_lua_and_its_translation_require_one_another(tmp_path):
    sources = [Source("main.lua", MAIN.encode()), Source("helper.lua", HELPER.encode())]
    Output(tmp_path).write(Project(sources).translate())
    (tmp_path / "old.lua").write_text(OLD)
    command = [sys.executable, "main.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "9\tstill Lua\n6\ttorch.DoubleTensor\n", done.stderr
