"""Formatting: ruff's, so that generated files look like written ones."""

from __future__ import annotations

import subprocess

from ruff import find_ruff_bin  # type: ignore[import-untyped]  # ruff has no stubs

WIDTH = 100


def formatted(text: str) -> str:
    """Return source text as `ruff format` writes it, with imports sorted."""
    for command in (
        ["check", "--isolated", "--fix", "--quiet", "--exit-zero", "--select", "I"],
        ["format", "--isolated", f"--line-length={WIDTH}"],
    ):
        done = subprocess.run(
            [find_ruff_bin(), *command, "--stdin-filename", "model.py", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        text = done.stdout
    return text
