"""Every construct and every trap of Lua, under LuaJIT and as Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import same, translate

TRAPS = dict(
    part.split("\n", 1)
    for part in Path(__file__).with_name("traps.lua").read_text("utf-8").split("--## ")[1:]
)
"""Programs by what they are about."""


@pytest.mark.parametrize("name", TRAPS)
def test_python_prints_what_luajit_prints(name):
    assert same(TRAPS[name])


def test_translations_have_no_unused_or_undefined_names(tmp_path):
    for name, source in TRAPS.items():
        (tmp_path / f"{name}.py").write_text(translate(source).python, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F"]
    done = subprocess.run(
        [*command, "--output-format", "concise", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
