import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_is_up_to_date():
    command = [sys.executable, ROOT / "docs" / "make_cli.py", "--check"]
    assert subprocess.run(command, timeout=60).returncode == 0, "run: make docs"
