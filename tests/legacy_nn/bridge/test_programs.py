"""Lua programs print, byte for byte, what they printed on Torch7."""

import gc
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from rekindle.cli import main

PROGRAMS = Path(__file__).parents[2] / "fixtures" / "programs"

SINGLE = sorted(path.stem for path in PROGRAMS.glob("*.lua"))
FOLDERS = sorted(path.parent.name for path in PROGRAMS.glob("*/main.lua"))


@pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning"
)  # programs that leave files open
@pytest.mark.parametrize("name", SINGLE + FOLDERS)
def test_prints_what_torch7_printed(name, tmp_path, monkeypatch):
    if name in FOLDERS:
        shutil.copytree(PROGRAMS / name, tmp_path, dirs_exist_ok=True)
        script, expected = "main.lua", PROGRAMS / name / "expected.out"
    else:
        script, expected = f"{name}.lua", PROGRAMS / f"{name}.out"
        shutil.copy(PROGRAMS / script, tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["exec", script])
    assert result.stdout_bytes == expected.read_bytes(), result.stderr
    assert result.exit_code == 0
    gc.collect()
