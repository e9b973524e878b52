import importlib.metadata
import json
import re

import numpy as np

from rekindle.cli import doctor


def test_tells_versions_kernels_and_devices(cli):
    report = json.loads(cli("doctor", "--json").stdout)
    versions = {p["name"]: p["version"] for p in report["packages"]}
    assert versions["numpy"] == np.__version__
    assert versions["rich"] == importlib.metadata.version("rich")
    assert report["kernels"][0]["name"] == "reference"
    assert report["devices"][0]["name"] == "cpu"
    assert report["devices"][0]["available"]
    text = cli("doctor").stdout
    assert np.__version__ in text
    assert "Devices" in text


def test_tells_which_faster_kernels_are_used(cli, monkeypatch):
    from rekindle.core.kernels import dispatch
    from rekindle.core.kernels.onednn import library

    monkeypatch.setattr(library, "find", lambda: None)
    reports = {k["name"]: k for k in json.loads(cli("doctor", "--json").stdout)["kernels"]}
    assert reports["onednn"]["with"] == "oneDNN is not installed: pip install 'rekindle[fast]'"
    assert "convolution" in reports["onednn"]["kernels"]
    monkeypatch.setattr(dispatch, "missing", lambda library: None)
    monkeypatch.setattr(dispatch, "describe", lambda library: f"{library} 1.0")
    with dispatch.using("reference"):
        text = cli("doctor").stdout
    assert re.search(r"onednn +onednn 1.0: \d+ kernels, turned off by REKINDLE_KERNELS\n", text)


def test_says_what_a_missing_package_is_for(cli, monkeypatch):
    monkeypatch.setattr(
        doctor, "version_of", lambda name: None if name in ("torch", "pillow") else "1.0"
    )
    result = cli("doctor", code=1)
    assert ".pt and .pth files: pip install 'rekindle[parity]'" in result.stdout
    assert result.stderr == "Error: missing: pillow. pip install pillow\n"


def test_an_optional_package_may_be_missing(cli, monkeypatch):
    monkeypatch.setattr(doctor, "version_of", lambda name: None if name == "torch" else "1.0")
    assert "missing" in cli("doctor").stdout


def test_packages_are_those_of_the_project():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    required = {line.partition(">")[0] for line in project["dependencies"]}
    assert set(doctor.REQUIRED) == required - {"click"}
