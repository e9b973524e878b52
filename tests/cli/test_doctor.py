import importlib.metadata
import json

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
