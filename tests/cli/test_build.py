"""--build: bare parameters in a model that Lua builds."""

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn

MODEL = """
return function(opt)
  return nn.Sequential():add(nn.Linear(3, opt.hidden)):add(nn.Tanh()):add(nn.Linear(opt.hidden, 2))
end
"""
BUILD = "require('model')({hidden = 4})"


@pytest.fixture
def original(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.lua").write_text(MODEL)
    np.save("x.npy", np.arange(6.0).reshape(2, 3))
    return nn.Sequential().add(nn.Linear(3, 4)).add(nn.Tanh()).add(nn.Linear(4, 2))


@pytest.mark.parametrize("flat", [True, False])
def test_parameters_fill_the_model_that_lua_builds(cli, original, flat):
    saved = original.getParameters()[0] if flat else rekindle.Table(original.parameters()[0])
    rekindle.save(saved, "params.t7")
    cli("run", "params.t7", "--build", BUILD, "--input", "x.npy", "-o", "y.npy")
    expected = original.forward(rekindle.tensor(np.load("x.npy"))).numpy()
    np.testing.assert_allclose(np.load("y.npy"), expected, rtol=1e-12)
    cli("trace", "params.t7", "--build", BUILD, "--input", "x.npy", "-o", "acts.npz")
    np.testing.assert_allclose(np.load("acts.npz")["output"], expected, rtol=1e-12)
    assert "nn.Linear(3 -> 4)" in cli("inspect", "params.t7", "--build", BUILD).stdout
    cli("convert", "params.t7", "--build", BUILD, "-o", "m.safetensors")
    cli("verify", "params.t7", "m.safetensors", "--build", BUILD)


def test_what_does_not_fit_is_said(cli, original):
    rekindle.save(rekindle.zeros(5, "float64"), "params.t7")
    run = ("run", "params.t7", "--input", "x.npy", "--build")
    assert "the model has 26 parameters, the file 5" in cli(*run, BUILD, code=2).stderr
    assert "makes no module" in cli(*run, "42", code=2).stderr
    assert "module 'nowhere' not found" in cli(*run, "require 'nowhere'", code=2).stderr
