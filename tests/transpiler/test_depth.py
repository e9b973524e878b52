"""How deep calls of translated programs nest, and that endless ones are errors.

Their way through C takes room on the stack of a thread. traps.lua has it for the main thread.
"""

import subprocess
import sys

import pytest

from rekindle.transpiler.project import Project, Source

LIMIT = "import sys, {module}\nprint(sys.getrecursionlimit())"

ENDLESS = b"""
local function sorted(a, b) table.sort({3, 1, 2}, sorted) return a < b end
local m = {}
m.__add = function(a, b) return a + b end
m.__index = function(t, k) return t[k] end
local t = setmetatable({}, m)
function run()
   print(pcall(sorted, 1, 2))
   print(pcall(function() return t + t end))
   print(pcall(function() return t.x end))
end
"""

IMPORT = "from rekindle.transpiler.runtime import coroutine"

WAYS = {
    "coroutine": "coroutine.wrap(run)()",
    "thread": "thread = threading.Thread(target=run)\nthread.start()\nthread.join()",
}


def printed(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout


def test_translating_leaves_the_limit_as_it_is():
    plain = printed(LIMIT.format(module="os"))
    assert printed(LIMIT.format(module="rekindle.transpiler.project")) == plain
    assert int(printed(LIMIT.format(module="rekindle.transpiler.runtime"))) > int(plain)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have less room")
@pytest.mark.parametrize("way", WAYS)
def test_endless_recursion_is_an_error_in_other_threads(way):
    (program,) = Project([Source("endless.lua", ENDLESS)]).translate()
    code = f"{program.python}\nimport threading\n{IMPORT}\n{WAYS[way]}"
    assert printed(code) == "false\tstack overflow\n" * 3
