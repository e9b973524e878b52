"""The folders, the packages they are installed as, and the names of the facade."""

import ast
import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("core", "legacy_nn", "transpiler", "cli")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]


def python(code, cwd=ROOT):
    """Run a program in a fresh interpreter; return the finished process."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_every_folder_with_an_init_is_a_listed_package():
    found = {"rekindle"}
    for folder in FOLDERS:
        for init in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join(("rekindle", *init.parent.relative_to(ROOT).parts)))
    assert found == set(SETUPTOOLS["packages"])
    assert len(SETUPTOOLS["packages"]) == len(found), "a package is listed twice"


def test_no_module_is_outside_a_package():
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), f"{path} is in no package"


def test_folders_are_mapped():
    expected = {"rekindle": "rekindle", **{f"rekindle.{name}": name for name in FOLDERS}}
    assert SETUPTOOLS["package-dir"] == expected


@pytest.mark.parametrize("name", FOLDERS)
def test_a_root_folder_is_no_package_of_its_own(name):
    result = python(f"import {name}")
    assert result.returncode == 1
    assert f"ImportError: import rekindle.{name}: the folder {name} is not" in result.stderr


@pytest.mark.parametrize("name", FOLDERS)
def test_symlinks_lead_tools_to_the_folders(name):
    link = ROOT / "rekindle" / name
    if not link.is_symlink():
        assert link.read_text(encoding="utf-8").strip() == f"../{name}"
        pytest.skip("this clone was made without symlinks; only tools need them")
    assert os.readlink(link) == f"../{name}"
    assert (link / "__init__.py").samefile(ROOT / name / "__init__.py")


def test_the_package_is_typed():
    assert (ROOT / "rekindle" / "py.typed").read_bytes() == b""
    assert SETUPTOOLS["package-data"]["rekindle"] == ["py.typed"]


# -- the facade -------------------------------------------------------------------------------


def declared_for_type_checkers():
    """Return what the facade shows to type checkers: name -> module and name it comes from."""
    tree = ast.parse((ROOT / "rekindle" / "__init__.py").read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    return {a.asname: (node.module, a.name) for node in block.body for a in node.names}


def test_the_facade_offers_what_it_declares():
    import rekindle

    declared = declared_for_type_checkers()
    assert set(rekindle.__all__) == set(declared)
    assert len(rekindle.__all__) == len(declared)
    assert set(rekindle.__all__) <= set(dir(rekindle))
    for name, (module, source) in declared.items():
        value = getattr(rekindle, name)
        try:
            expected = getattr(importlib.import_module(module), source)
        except AttributeError:
            expected = importlib.import_module(f"{module}.{source}")
        assert value is expected, name


def test_an_unknown_name_is_an_attribute_error():
    import rekindle

    with pytest.raises(AttributeError, match="'rekindle' has no attribute 'nonsense'"):
        _ = rekindle.nonsense


HEAVY = ["PIL", "cupy", "lupa", "numba", "rich", "safetensors", "scipy", "torch", "torchfile"]


@pytest.mark.parametrize(
    ("program", "heavy"),
    [
        ("import rekindle", ["numpy", *HEAVY]),
        ("import rekindle.core.checkpoint, rekindle.core.creation", HEAVY),
        ("import rekindle.legacy_nn", HEAVY),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(program, heavy):
    result = python(f"import sys; {program}; print([n for n in {heavy} if n in sys.modules])")
    assert result.stdout == "[]\n", result.stderr
