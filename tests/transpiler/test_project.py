"""Several files: requires, shared globals, dofile; writing again; what the report says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rekindle.transpiler.emit import MANIFEST, Output
from rekindle.transpiler.errors import OutputError
from rekindle.transpiler.project import Project, Source, collect
from rekindle.transpiler.report import Report
from rekindle.transpiler.report_html import as_html

FILES = {
    "main.lua": """
local Stack = require 'lib.stack'
local util = require 'lib/util'
require 'lib.setup'
local early = require 'lib.early'
dofile('settings.lua')
local s = Stack.new()
s:push(limit)
print(util.double(s:pop()), shout('hi'), early, VALUE, #arg, require('lib.util') == util)
""",
    "lib/stack.lua": """
local Stack = {}
Stack.__index = Stack
function Stack.new() return setmetatable({items = {}}, Stack) end
function Stack:push(v) self.items[#self.items + 1] = v end
function Stack:pop() return table.remove(self.items) end
return Stack
""",
    "lib/util.lua": "local M = {}\nfunction M.double(x) return 2 * x end\nreturn M\n",
    "lib/setup.lua": "limit = 21\nfunction shout(text) return text:upper() .. '!' end\n",
    "lib/early.lua": "if limit then return 'early' end\nreturn 'late'\n",
    "settings.lua": "VALUE = limit + 1\n",
}


def project(files: dict[str, str]) -> Project:
    return Project(Source(name, text.encode("latin-1")) for name, text in files.items())


def test_files_of_a_program_find_one_another(tmp_path):
    Output(tmp_path).write(project(FILES).translate())
    command = [sys.executable, "main.py", "a", "b"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "42\tHI!\tearly\t22\t2\ttrue\n", done.stderr
    main = (tmp_path / "main.py").read_text()
    assert "from lib.stack import Stack" in main
    assert "from lib.util import" in main


def test_names_of_files_become_names_of_modules(tmp_path):
    names = ["my-nets/2d.lua", "random.lua", "class.lua", "a/init.lua", "test.lua"]
    targets = [t.target for t in project(dict.fromkeys(names, "")).translate()]
    assert targets == ["my_nets/_2d.py", "random_.py", "class_.py", "a/__init__.py", "test.py"]


def test_only_changed_files_are_written_again(tmp_path):
    first = Output(tmp_path).write(project(FILES).translate())
    assert sorted(first.written) == sorted(t.target for t in project(FILES).translate())
    again = Output(tmp_path).write(project(FILES).translate())
    assert not again.written
    assert len(again.unchanged) == len(FILES)
    changed = FILES | {"settings.lua": "VALUE = limit + 2\n"}
    assert Output(tmp_path).write(project(changed).translate()).written == ["settings.py"]


def test_what_was_edited_by_hand_is_not_overwritten(tmp_path):
    Output(tmp_path).write(project(FILES).translate())
    edited = tmp_path / "settings.py"
    edited.write_text("VALUE = 1\n")
    kept = Output(tmp_path).write(project(FILES).translate())
    assert kept.kept == ["settings.py"]
    changed = FILES | {"settings.lua": "VALUE = limit + 2\n", "lib/util.lua": "return 1\n"}
    before = (tmp_path / "lib/util.py").read_text()
    with pytest.raises(OutputError, match=r"settings\.py; move them away"):
        Output(tmp_path).write(project(changed).translate())
    assert edited.read_text() == "VALUE = 1\n"
    assert (tmp_path / "lib/util.py").read_text() == before
    Output(tmp_path).write(project(changed).translate(), force=True)
    assert "limit" in edited.read_text()


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path):
    (tmp_path / "settings.py").write_text("mine\n")
    with pytest.raises(OutputError, match="edited by hand"):
        Output(tmp_path).write(project(FILES).translate())
    assert not (tmp_path / MANIFEST).exists()


BAD = {
    "good.lua": "local t = {}\nprint(t.x + f(1))\n",
    "broken.lua": "local = 5\n",
    "odd.lua": "local g = loadfile('odd.lua')\nlocal x = require 'qtwidget'\nprint(g, x)\n",
}


def test_the_report_names_what_is_left_to_do():
    translations = project(BAD).translate()
    report = Report(translations)
    data = json.loads(report.as_json())
    by_name = {f["source"]: f for f in data["files"]}
    (syntax,) = by_name["broken.lua"]["not_translated"]
    assert (syntax["code"], syntax["line"]) == ("RK101", 1)
    assert [d["code"] for d in by_name["odd.lua"]["not_translated"]] == ["RK103", "RK106"]
    assert data["missing_packages"] == {"qtwidget": ["odd.lua"]}
    assert {u["function"] for u in by_name["good.lua"]["kept_by_runtime"]} == {"add", "call"}
    text = report.as_markdown()
    assert "`odd.lua:1:11` RK103" in text
    page = as_html(report)
    assert "RK106" in page
    assert "local g = loadfile" in page
    assert "http" not in page  # it needs nothing else


def test_all_output_compiles_and_marks_what_is_left():
    for translation in project(BAD).translate():
        compile(translation.python, translation.target, "exec")
    broken = project(BAD).translate()[1]
    assert "# TODO(rekindle RK101)" in broken.python
    assert "# local = 5" in broken.python


def test_comments_blank_lines_and_order_survive(tmp_path):
    source = """\
-- at the top
-- of the file

local a = 1  -- behind a

--[[ a block
   of two lines ]]
local function f(x)
   -- inside
   return x + a -- behind return
   -- at the end
end

local t = {
   -- first
   one = 1, -- behind one
   two = 2,
   -- last
}
print(f(2), t.one)
-- at the very end
"""
    (found,) = project({"x.lua": source}).translate()
    Output(tmp_path).write([found])
    lines = [line.strip() for line in (tmp_path / "x.py").read_text().splitlines()]
    wanted = [
        "# at the top",
        "# of the file",
        "a = 1  # behind a",
        "# a block",
        "# of two lines",
        "def f(x):",
        "# inside",
        "return x + a  # behind return",
        "# at the end",
        "t = SimpleNamespace(",
        "# first",
        "one=1,  # behind one",
        "two=2,",
        "# last",
        "# at the very end",
    ]
    positions = [lines.index(line) for line in wanted]
    assert positions == sorted(positions)


def test_folders_are_searched_for_lua_files(tmp_path):
    (tmp_path / "a" / ".git").mkdir(parents=True)
    (tmp_path / "a" / ".git" / "no.lua").write_text("")
    (tmp_path / "a" / "yes.lua").write_text("")
    (tmp_path / "one.lua").write_text("")
    found = collect([tmp_path / "a", tmp_path / "one.lua"])
    assert [s.path for s in found] == ["yes.lua", "one.lua"]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("local ffi = require 'ffi'\nprint(ffi)", "RK105"),
        ("print(debug.getinfo(1))", "RK108"),
        ("setfenv(1, {})", "RK104"),
        ("print(loadfile)", "RK103"),
        ("x = = 1", "RK101"),
    ],
)
def test_every_code_has_its_cause(source, code):
    (found,) = project({"x.lua": source}).translate()
    compile(found.python, "x.py", "exec")
    assert [d.code for d in found.diagnostics] == [code]
    assert all(d.hint for d in found.diagnostics)
