"""What an installed Rekindle must do with nothing of the project around it but examples/."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rekindle

EXAMPLES = next(
    d / "examples" for d in (Path.cwd(), *Path(__file__).parents) if (d / "examples").is_dir()
)
COMMAND = Path(sys.executable).with_name("rekindle")


def command(*args):
    return subprocess.run([COMMAND, *args], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", rekindle.__all__)
def test_public_names_import(name):
    assert getattr(rekindle, name) is not None


def test_every_package_is_there():
    for name in ("core", "core.checkpoint", "core.ops", "legacy_nn", "transpiler", "cli"):
        importlib.import_module(f"rekindle.{name}")
    assert (Path(rekindle.__file__).parent / "py.typed").is_file()


def test_main_job(tmp_path):
    source, out = EXAMPLES / "squeezenet.t7", tmp_path / "squeezenet.safetensors"
    assert json.loads(command("inspect", source, "--json").stdout)["models"][0]["path"] == "model"
    assert command("convert", source, "-o", out).returncode == 0
    assert command("verify", source, out).returncode == 0
    recorded = rekindle.load(source)
    y = recorded.model.evaluate()(recorded.input)
    np.testing.assert_allclose(y.detach().numpy(), recorded.output.numpy(), rtol=1e-10)


def test_saved_files_load_again(tmp_path):
    model = rekindle.load(EXAMPLES / "charrnn.t7").protos.rnn
    rekindle.save(model, tmp_path / "again.t7")
    again = rekindle.load(tmp_path / "again.t7")
    for ours, theirs in zip(again.parameters()[0], model.parameters()[0], strict=True):
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())
