"""Twenty training steps of a modernised model and of its PyTorch source: one loss curve."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from rekindle import nn
from rekindle.core import checkpoint, optim
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import modernise, plan_of
from rekindle.legacy_nn.source import source_of

torch = pytest.importorskip("torch")

MODELS = Path(__file__).parents[2] / "fixtures" / "models"
STEPS = 20
NAMES = [
    *("autoencoder_tied", "googlenet_inception_small", "lenet_tutorial", "mlp_bn_maxout"),
    *("mixture_of_experts", "nngraph_nested", "preact_resnet_thin", "vol_c3d_thin"),
]
"""Models with one input and without dropout, whose draws differ."""


def torch_model(model: Any, folder: Path) -> Any:
    source = source_of(plan_of(model), "Net", "x.t7", "torch")
    file = folder / "net.py"
    file.write_text(source.text, encoding="utf-8")
    arrays = {k: np.array(t.numpy(), order="C") for k, t in source.state.items()}
    save_file(arrays, folder / "net.safetensors")
    spec = importlib.util.spec_from_file_location("net", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load().train()


@pytest.mark.parametrize("name", NAMES)
def test_loss_curves(name: str, tmp_path: Path) -> None:
    record = checkpoint.load(MODELS / f"{name}.t7")
    old = record.model.double()
    x = np.array(record.input.numpy(), "f8")
    other = torch_model(old, tmp_path)
    made = modernise(old).train()
    wanted = np.random.default_rng(0).normal(size=made(Tensor(x)).shape)
    # The run above moved running moments; they do not enter losses in training mode.
    ours, theirs = [], []
    optimiser = optim.SGD(made.parameters(), lr=0.01, momentum=0.9)
    loss = nn.MSELoss()
    for _ in range(STEPS):
        optimiser.zero_grad()
        value = loss(made(Tensor(x)), Tensor(wanted))
        value.backward()
        optimiser.step()
        ours.append(value.item())
    their_optimiser = torch.optim.SGD(other.parameters(), lr=0.01, momentum=0.9)
    for _ in range(STEPS):
        their_optimiser.zero_grad()
        found = torch.nn.functional.mse_loss(other(torch.from_numpy(x)), torch.from_numpy(wanted))
        found.backward()
        their_optimiser.step()
        theirs.append(found.item())
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)
    assert ours[-1] != ours[0]
