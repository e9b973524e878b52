"""Objects of torch.class are tables in Lua: what the bridge and the translation print of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, Source

PROGRAM = Path(__file__).with_name("torch_objects.lua")
EXPECTED = re.findall(r"--> (.*)", PROGRAM.read_text("utf-8"))


@pytest.fixture(params=["bridge", "translation"])
def command(request, tmp_path):
    if request.param == "bridge":
        return [sys.executable, "-c", "from rekindle.cli import main; main()", "exec", str(PROGRAM)]
    Output(tmp_path).write(Project([Source("main.lua", PROGRAM.read_bytes())]).translate())
    return [sys.executable, "main.py"]


def test_objects_are_tables(command, tmp_path):
    done = subprocess.run(
        [*command, "first", "second"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == EXPECTED, done.stderr[-2000:]
