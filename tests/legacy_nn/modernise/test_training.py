"""Twenty training steps of a modernised model and of its PyTorch source: one loss curve."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from translated import FIXTURES, Case, case_of, tensors

from rekindle import nn
from rekindle.core import optim
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import modernise
from rekindle.legacy_nn.source import source_of

torch = pytest.importorskip("torch")

STEPS = 20
NAMES = [
    *("autoencoder_tied", "googlenet_inception_small", "lenet_tutorial", "mlp_bn_maxout"),
    *("mixture_of_experts", "nngraph_nested", "preact_resnet_thin", "vol_c3d_thin"),
    *("resnet18_thin", "dcgan_G_float", "charrnn_lstm_2layer", "torchrnn_lm_rnn_bn"),
    *("rnn_sequencer_fastlstm", "rnn_sequencer_gru", "rnn_seqbrnn"),
]
"""Models without dropout, whose draws differ."""

TOLERANCES = {"float64": 1e-9, "float32": 1e-4}
"""How far losses may be apart, as a part of them.

A step rounds some hundred numbers in a row by 1e-16 or 6e-8, in another order in each of the two,
which leaves gradients of 1e-14 or 1e-5 that differ, as those of PyTorch in float32 differ from
those in float64. Twenty steps let that grow tenfold here; with a rate of 0.01 the corners of
the ReLUs in a residual network would make chaos of it, in PyTorch alone too.
"""

RATE = 0.0005

torch.set_num_threads(1)


def torch_model(case: Case, folder: Path) -> Any:
    source = source_of(case.plan, "Net", "x.t7", "torch")
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


def last(found: Any) -> Any:
    """Return the output that a loss is taken of: scores come after states in char-rnn."""
    return found[-1] if isinstance(found, tuple) else found


def curve(case: Case, model: Any, library: Any, arguments: Any, target: Any) -> list[float]:
    """Return the losses of training steps with either library, whose names are the same."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = library.optim.SGD(trained, lr=RATE, momentum=0.9)
    loss, losses = library.nn.MSELoss(), []
    for _ in range(STEPS):
        optimiser.zero_grad()
        value = loss(last(case.without_states(model(*arguments))), target)
        value.backward()
        optimiser.step()
        losses.append(value.item())
    return losses


class Rekindle:
    """Rekindle's packages under the names that PyTorch has for its own."""

    nn = nn
    optim = optim


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", NAMES)
def test_loss_curves(name: str, dtype: str, tmp_path: Path) -> None:
    case = case_of(FIXTURES / "models" / f"{name}.t7", dtype)
    other = torch_model(case, tmp_path)  # before the memory that both would share is trained
    made = modernise(case.model).train()
    shape = last(case.without_states(made(*tensors(case.arguments)))).shape
    # The run above moved running moments; they do not enter losses in training mode.
    target = np.random.default_rng(0).normal(size=shape).astype(dtype)
    ours = curve(case, made, Rekindle, tensors(case.arguments), Tensor(target))
    given = tensors(case.arguments, torch.from_numpy)
    theirs = curve(case, other, torch, given, torch.tensor(target))
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCES[dtype])
    assert ours[-1] != ours[0]
