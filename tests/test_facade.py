"""The public names: what runs and what type checkers read agree."""

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import rekindle


def declared():
    tree = ast.parse(Path(rekindle.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    return {
        (f"{node.module}.{name.name}", name.asname)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


def test_names_are_declared_as_they_load():
    lazy = {(f"rekindle.{home}.{name}", name) for name, home in rekindle._HOME_OF.items()}
    lazy |= {(f"rekindle.{path}", name) for name, path in rekindle._PACKAGES.items()}
    assert declared() == lazy
    assert sorted(name for _, name in lazy) == sorted(rekindle.__all__)


def test_import_is_light():
    code = "import rekindle, sys; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    for heavy in (b"numpy", b"scipy", b"lupa", b"click", b"rich"):
        assert b"'" + heavy + b"'" not in loaded


def test_unknown_name():
    with pytest.raises(AttributeError, match="nonsense"):
        rekindle.nonsense  # noqa: B018


def test_version_is_that_of_the_installation():
    assert rekindle.__version__ == importlib.metadata.version("rekindle")
