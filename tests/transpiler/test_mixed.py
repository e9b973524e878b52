"""Programs of which some files are Python already and others still Lua, and odd names of files."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.core.checkpoint.registry import CLASSES
from rekindle.legacy_nn.bridge import is_package
from rekindle.transpiler.emit import MANIFEST, Output
from rekindle.transpiler.errors import OutputError, SourceError
from rekindle.transpiler.library import BRIDGED, MISSING, WITHOUT_ARGUMENTS
from rekindle.transpiler.module_names import placed
from rekindle.transpiler.project import Project, Source, collect

MIXED = Path(__file__).parent / "mixed"

PRINTED = """\
same	true
still typed	8	moved	6
shared	true
2
net 2d
false	deliberate
false	true
true
boolean
models.lua	small
4	torch.DoubleTensor	10
5	second
7	8
1=10;2=20;3=30;
3
"""
"""What the program prints with all of its files in one language."""


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "still",
    [
        [],
        ["lib/still", "my-nets/2d", "models/small", "settings"],
        ["lib/moved", "types", "models", "lib/nothing"],
    ],
)
def test_files_that_are_still_lua_and_translated_ones_require_each_other(still, tmp_path):
    files = [s for s in collect([MIXED]) if s.path.removesuffix(".lua") not in still]
    Output(tmp_path).write(Project(files).translate())
    for name in still:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(MIXED / f"{name}.lua", tmp_path / f"{name}.lua")
    done = run(tmp_path)
    assert done.stdout == PRINTED, done.stderr


PACKAGES = """
local cjson = require 'cjson'
local image = require 'image'
local tablex = require 'pl.tablex'
local argcheck = require 'argcheck'
local tnt = require 'torchnet'
require 'rnn'
print(cjson.encode({a = {1, 2}}), cjson.decode('{"k": [1, 2]}').k[2])
print(image.hflip(torch.Tensor{{{1, 2}}})[1][1][1], image.supported_filetypes.png ~= nil)
print(#tablex.keys({a = 1, b = 2}))
print(argcheck{{name = 'x', type = 'number'}, call = function(x) return 2 * x end}(3))
local List = require 'pl.List'
print(List({1, 2}):append(3):len())
local meter = tnt.AverageValueMeter()
meter:add(2) meter:add(4)
print((meter:value()), torch.type(meter))
local function load(i) return {y = 2 * i} end
local list = tnt.ListDataset{list = torch.range(1, 6):long(), load = load}
print(list:size(), list:get(3).y)
print(nn.Sequencer(nn.LSTM(3, 2)):forward{torch.ones(1, 3)}[1]:size(2), rnn.version)
print(nn.rnn.recursiveCopy(nil, {torch.ones(2)})[1]:sum(), nn.linear, type(nn.Jacobian))
print(require('bit').band(12, 10))
"""


def test_packages_that_are_lua_serve_translated_programs(tmp_path):
    translations = Project([Source("main.lua", PACKAGES.encode())]).translate()
    assert not any(t.diagnostics for t in translations)
    Output(tmp_path).write(translations)
    done = run(tmp_path)
    lines = [
        '{"a":[1,2]}\t2',
        "2\ttrue",
        "2",
        "6",
        "3",
        "3\ttnt.AverageValueMeter",
        "6\t6",
        "2\t2.1",
        "2\tnil\ttable",
        "8",
    ]
    assert done.stdout.splitlines() == lines, done.stderr


def test_the_transpiler_knows_the_packages_of_the_bridge():
    answered = {n for n in BRIDGED if is_package(n)}
    assert answered == BRIDGED
    assert not {n for n in MISSING if is_package(n)} - REFUSED


def test_the_transpiler_knows_which_classes_take_no_arguments():
    for name in WITHOUT_ARGUMENTS:
        assert list(inspect.signature(CLASSES[f"nn.{name}"].cls.__init__).parameters) == ["self"]


CONSTRUCTORS = """
require 'nn'
local n = 8
local sizes = torch.Tensor{4, 2}
local net = nn.Sequential():add(nn.Linear(n / 2, sizes[1])):add(nn.Sigmoid(true))
net:add(nn.Reshape(n / 4, sizes[2])):add(nn.Select(2, n / 8))
print(net:forward(torch.ones(3, 4)):size(2), nn.Linear(n / 2, 3))
require 'cudnn'
print(cudnn.version >= 4000)
"""


def test_constructors_take_numbers_as_lua_has_them(tmp_path):
    Output(tmp_path).write(Project([Source("main.lua", CONSTRUCTORS.encode())]).translate())
    done = run(tmp_path)
    assert done.stdout == "2\tnn.Linear(4 -> 3)\ntrue\n", done.stderr


REFUSED = {"inn", "loadcaffe", "mattorch", "nnx", "qt", "qtwidget", "qttorch", "ffmpeg", "camera"}
"""Packages that the bridge has for the error that they raise alone."""


def test_what_is_installed_is_no_module_of_the_program(tmp_path):
    main = "print(pcall(require, 'yaml' .. ''), (pcall(require, 'nu' .. 'mpy')))"
    Output(tmp_path).write(Project([Source("main.lua", main.encode())]).translate())
    done = run(tmp_path)
    assert done.stdout.split("\t")[0] == "false", done.stderr
    assert done.stdout.rstrip().endswith("\tfalse")


@pytest.mark.parametrize(
    ("paths", "targets"),
    [
        (["a.lua", "a/b.lua"], ["a/__init__.py", "a/b.py"]),
        (["a.lua", "a/init.lua"], ["a.py", "a/init.py"]),
        (["a.lua", "a/init.lua", "a/b.lua"], ["a/__init__.py", "a/init.py", "a/b.py"]),
        (["x-y.lua", "x_y.lua"], ["x_y.py", "x_y_2.py"]),
        (["A/2d.lua", "A/_2d.lua"], ["A/_2d.py", "A/_2d_2.py"]),
    ],
)
def test_no_two_files_have_one_place(paths, targets):
    found = placed(paths)
    assert [found[p][1] for p in paths] == targets
    assert len({name for name, _ in found.values()}) == len(paths)


def test_a_module_beside_a_folder_of_its_name(tmp_path):
    files = {
        "main.lua": "print(require('a').kind, require('a.b'), require('x-y'), require 'x_y')\n"
        "print(dofile('a.lua').kind, dofile('x-y.lua'))\n",
        "a.lua": "return {kind = 'file'}\n",
        "a/init.lua": "return {kind = 'folder'}\n",
        "a/b.lua": "return 'b'\n",
        "x-y.lua": "return 1\n",
        "x_y.lua": "return 2\n",
    }
    sources = [Source(name, text.encode()) for name, text in files.items()]
    Output(tmp_path).write(Project(sources).translate())
    done = run(tmp_path)
    assert done.stdout == "file\tb\t1\t2\nfile\t1\n", done.stderr


def test_two_files_of_one_name_are_refused(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.lua").write_text(f"print('{folder}')\n")
    with pytest.raises(SourceError, match=r"would both be x\.lua"):
        collect([tmp_path / "one" / "x.lua", tmp_path / "two" / "x.lua"])
    assert len(collect([tmp_path / "one" / "x.lua", tmp_path / "one"])) == 1


def sources(text: str = "print(1)\n") -> Project:
    return Project([Source("x.lua", text.encode())])


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"version": 99, "files": {}}', '{"version": 1}', ""]
)
def test_a_damaged_record_is_said_and_nothing_written(damage, tmp_path):
    Output(tmp_path).write(sources().translate())
    (tmp_path / MANIFEST).write_text(damage)
    with pytest.raises(OutputError, match="delete it"):
        Output(tmp_path)


def test_a_run_that_was_interrupted_goes_on(tmp_path):
    Output(tmp_path).write(sources().translate())
    (tmp_path / MANIFEST).unlink()  # it is written last
    again = Output(tmp_path).write(sources().translate())
    assert (again.written, again.unchanged) == ([], ["x.py"])
    assert json.loads((tmp_path / MANIFEST).read_text())["files"]["x.py"]["source"] == "x.lua"
    assert Output(tmp_path).write(sources("print(2)\n").translate()).written == ["x.py"]


def test_changes_by_hand_are_seen_whatever_they_are(tmp_path):
    Output(tmp_path).write(sources().translate())
    target = tmp_path / "x.py"
    for edited in (target.read_text() + "\n", target.read_text().replace("\n", "\r\n"), ""):
        target.write_bytes(edited.encode())
        with pytest.raises(OutputError, match=r"x\.py; move them away"):
            Output(tmp_path).write(sources("print(2)\n").translate())
        assert target.read_bytes() == edited.encode()
    target.unlink()  # a file that is gone is written again
    assert Output(tmp_path).write(sources().translate()).written == ["x.py"]


def test_a_style_is_a_change_of_the_translation(tmp_path):
    text = "local net = nn.Sequential():add(nn.Linear(2, 2))\nprint(#net.modules)\n"
    project = [Source("x.lua", text.encode())]
    Output(tmp_path).write(Project(project).translate())
    assert Output(tmp_path).write(Project(project, "modern").translate()).written == ["x.py"]
    (tmp_path / "x.py").write_text("mine = 1\n")
    with pytest.raises(OutputError, match="edited by hand"):
        Output(tmp_path).write(Project(project).translate())


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "x.py").mkdir()
    with pytest.raises(OutputError, match="there is a folder"):
        Output(tmp_path).write(sources().translate(), force=True)
