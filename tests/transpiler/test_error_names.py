"""What pcall catches says what LuaJIT says: the names of variables and fields, and whether where.

The names come from the source of the translation, so it runs as a file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from running import as_lua, translate

PROGRAM = Path(__file__).with_name("error_names.lua")


def test_errors_name_what_luajit_names(tmp_path):
    source = PROGRAM.read_text(encoding="utf-8")
    (tmp_path / "snippet.py").write_text(translate(source).python, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "snippet.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    found, expected = done.stdout.splitlines(), as_lua(source).splitlines()
    assert len(expected) > 50
    assert found == expected, done.stderr
