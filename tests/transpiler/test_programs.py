"""The recorded programs, translated: they print what Torch7 printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.transpiler.emit import Output
from rekindle.transpiler.project import Project, collect

PROGRAMS = Path(__file__).parents[1] / "fixtures" / "programs"
NAMES = sorted({p.stem for p in PROGRAMS.iterdir() if p.suffix == ".lua" or p.is_dir()})


@pytest.mark.parametrize("name", NAMES)
def test_a_translated_program_prints_what_torch_printed(name, tmp_path):
    folder = PROGRAMS / name
    source = folder if folder.is_dir() else PROGRAMS / f"{name}.lua"
    translations = Project(collect([source])).translate()
    Output(tmp_path).write(translations)
    assert {d.code for t in translations for d in t.diagnostics} <= {"RK106"}
    main = "main.py" if folder.is_dir() else f"{name}.py"
    done = subprocess.run([sys.executable, main], cwd=tmp_path, capture_output=True, check=False)
    expected = folder / "expected.out" if folder.is_dir() else PROGRAMS / f"{name}.out"
    assert done.stdout == expected.read_bytes(), done.stderr.decode()[-2000:]


def test_the_translations_pass_ruff_and_have_no_unused_names(tmp_path):
    for name in NAMES:
        folder = PROGRAMS / name
        source = folder if folder.is_dir() else PROGRAMS / f"{name}.lua"
        Output(tmp_path / name).write(Project(collect([source])).translate())
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F"]
    done = subprocess.run(
        [*command, "--output-format", "concise", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
