"""`rekindle convert --optim`: the state of an optimiser beside the weights."""

import json

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn
from rekindle.core import optim
from rekindle.core.checkpoint import Table


@pytest.fixture
def checkpoint(tmp_path):
    """Return a trained checkpoint, with the state in it and in a file of its own."""
    model = nn.Sequential().add(nn.Linear(3, 2)).add(nn.Tanh()).add(nn.Linear(2, 1))
    state = Table({"learningRate": 0.1, "momentum": 0.9, "weightDecay": 1e-4, "evalCounter": 12})
    state["dfdx"] = rekindle.tensor(np.arange(11.0))
    rekindle.save({"model": model, "optimState": state, "epoch": 2}, tmp_path / "checkpoint.t7")
    rekindle.save(model, tmp_path / "model.t7")
    rekindle.save(state, tmp_path / "optimState.t7")
    return tmp_path


@pytest.mark.parametrize("source", ["optimState.t7", "checkpoint.t7"])
@pytest.mark.parametrize("extension", ["safetensors", "npz"])
def test_the_state_is_written_beside(checkpoint, cli, source, extension):
    out, beside = checkpoint / f"m.{extension}", checkpoint / f"m.optim.{extension}"
    result = cli(
        "convert", checkpoint / "model.t7", "-o", out, "--optim", checkpoint / source, "--json"
    )
    report = json.loads(result.stdout)["optim"]
    assert report["class"] == "SGD"
    assert report["path"] == ("" if source == "optimState.t7" else "optimState")
    assert report["output"] == str(beside)

    model = rekindle.load(checkpoint / "model.t7")
    optimizer = optim.SGD(model.parameters()[0], 1.0)
    rekindle.manual_seed(5)
    rekindle.random.uniform(3)
    position = rekindle.random.default_generator().get_state()
    rest = rekindle.load_training(beside, optimizer=optimizer)
    assert rekindle.random.default_generator().get_state() == position
    assert rest == {"class": "SGD", "names": ["0.weight", "0.bias", "2.weight", "2.bias"]}
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.param_groups[0]["dampening"] == 0.9
    kept = [optimizer.state[p]["momentum_buffer"].tolist() for p in model.parameters()[0]]
    assert kept == [[[0, 1, 2], [3, 4, 5]], [6, 7], [[8, 9]], [10]]


def test_the_state_is_chosen(checkpoint, cli):
    state = rekindle.load(checkpoint / "optimState.t7")
    rekindle.save({"d": state, "g": {"learningRate": 0.5}}, checkpoint / "two.t7")
    arguments = ("convert", checkpoint / "model.t7", "-o", checkpoint / "m.npz", "--force")
    result = cli(*arguments, "--optim", checkpoint / "two.t7", code=2)
    assert "--optim-select 'd'" in result.stderr
    result = cli(*arguments, "--optim", checkpoint / "two.t7", "--optim-select", "d")
    assert "m.optim.npz: SGD" in result.stdout


def test_what_does_not_fit_is_told(checkpoint, cli):
    arguments = ("convert", checkpoint / "model.t7", "-o", checkpoint / "m.npz", "--force")
    rekindle.save({"u": rekindle.ones(3), "m": rekindle.ones(3)}, checkpoint / "adamax.t7")
    result = cli(*arguments, "--optim", checkpoint / "adamax.t7", code=1)
    assert "optim.adamax" in result.stderr
    rekindle.save({"dfdx": rekindle.ones(3), "momentum": 0.5}, checkpoint / "other.t7")
    result = cli(*arguments, "--optim", checkpoint / "other.t7", code=1)
    assert "3 elements and the model 11 parameters" in result.stderr
    rekindle.save({"vocabulary": 3}, checkpoint / "none.t7")
    result = cli(*arguments, "--optim", checkpoint / "none.t7", code=2)
    assert "looks like a state" in result.stderr
    result = cli(*arguments, "--optim-select", "a", code=2)
    (checkpoint / "m.optim.npz").write_bytes(b"mine")
    result = cli(*arguments[:-1], "--optim", checkpoint / "optimState.t7", code=2)
    assert "is there already" in result.stderr
    assert (checkpoint / "m.optim.npz").read_bytes() == b"mine"
