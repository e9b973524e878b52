"""Generated source: it runs, computes the same, and reads well, for Rekindle and for PyTorch."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruff import find_ruff_bin
from safetensors.numpy import save_file
from translated import FIXTURES, GPU, MODELS, assert_same, case_of, tensors

from rekindle import legacy_nn
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import plan_of
from rekindle.legacy_nn.source import Source, source_of

RECORDED = [*MODELS, *GPU]


def loaded(source: Source, folder: Path) -> Any:
    """Return the module that a generated file is."""
    file = folder / "generated.py"
    file.write_text(source.text, encoding="utf-8")
    if source.state:
        arrays = {k: np.array(t.numpy(), order="C") for k, t in source.state.items()}
        save_file(arrays, folder / "generated.safetensors")
    spec = importlib.util.spec_from_file_location("generated", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("target", ["rekindle", "torch"])
@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_recorded_models(path: Path, target: Any, tmp_path: Path) -> None:
    make: Any = Tensor
    if target == "torch":
        make = pytest.importorskip("torch").from_numpy
    case = case_of(path)
    source = source_of(case.plan, "Net", path.name, target)
    net = loaded(source, tmp_path).load()
    assert not net.training
    found = net(*tensors(case.arguments, make))
    assert_same(case.without_states(found), case.expected())


@pytest.mark.parametrize("target", ["rekindle", "torch"])
def test_the_files_are_formatted_and_lint_clean(target: Any, tmp_path: Path) -> None:
    names = ("resnet18_thin", "charrnn_lstm_2layer", "openface_nn4_small2_thin", "vgg_bn_thin")
    for name in names:
        plan = case_of(FIXTURES / "models" / f"{name}.t7").plan
        file = tmp_path / f"{name}.py"
        file.write_text(source_of(plan, "Net", name, target).text, encoding="utf-8")
    ruff = find_ruff_bin()
    width = "--line-length=100"
    subprocess.run([ruff, "format", "--isolated", "--check", width, tmp_path], check=True)
    rules = "--select=E,F,W,I,UP,B,D1,RET,ANN"
    quiet = "--ignore=D100,D101,D102,D107"
    subprocess.run([ruff, "check", "--isolated", width, rules, quiet, tmp_path], check=True)


def text_of(name: str) -> str:
    plan = case_of(FIXTURES / "models" / f"{name}.t7").plan
    return source_of(plan, "Net", name, "torch").text


def test_residual_blocks_are_classes_with_arguments() -> None:
    text = text_of("resnet18_thin")
    assert re.findall(r"^class (\w+)", text, re.M) == ["ResidualBlock", "ProjectionBlock", "Net"]
    assert "return F.relu(self.residual(x) + self.shortcut(x))" in text
    assert "self.layer2 = nn.Sequential(ProjectionBlock(3, 6), ResidualBlock(6))" in text


def test_repeated_convolutions_are_a_loop_over_a_class() -> None:
    assert "*(ConvBlock(8, 8) for _ in range(3))," in text_of("vgg_bn_thin")


def test_names_of_a_graph_are_kept() -> None:
    assert "self.i2h_1 = nn.Linear(10, 32)" in text_of("charrnn_lstm_2layer")


def test_an_lstm_in_a_graph_is_named() -> None:
    text = text_of("charrnn_lstm_2layer")
    assert "self, x: Tensor, c: Tensor, h: Tensor, c2: Tensor, h2: Tensor" in text
    assert "h2 = gates[:, 2].sigmoid() * c2.tanh()" in text
    assert "return c, h, c2, h2, F.log_softmax(self.decoder(h2), dim=1)" in text


def test_skips_of_a_u_net_are_named() -> None:
    text = text_of("unet_pix2pix_128_float")
    assert "skip2 = F.leaky_relu(self.bn1(self.conv2(skip)), 0.2)" in text
    assert "y = torch.cat([self.dropout(self.bn6(y)), skip6], 1)" in text


def test_modules_with_the_same_weights_are_one() -> None:
    text = text_of("siamese_conv_hinge")
    assert "self.block(x1) - self.block(x2)" in text


def test_tied_weights_stay_tied(tmp_path: Path) -> None:
    first = legacy_nn.Linear(3, 3)
    second = first.clone("weight", "gradWeight")
    second.bias.detach().fill_(7)
    old = legacy_nn.Sequential().add(first).add(legacy_nn.Tanh()).add(second).float()
    net = loaded(source_of(plan_of(old), "Net", "x.t7"), tmp_path).load()
    assert net.fc1.weight is net.fc2.weight
    assert net.fc2.bias.numpy().tolist() == [7, 7, 7]
    x = Tensor(np.ones((2, 3), "f4"))
    assert_same(net(x), old(x).numpy())


def test_double_models_are_double(tmp_path: Path) -> None:
    old = legacy_nn.Sequential().add(legacy_nn.Linear(3, 3))
    net = loaded(source_of(plan_of(old), "Net", "x.t7"), tmp_path).load()
    x = Tensor(np.random.default_rng(0).normal(size=(2, 3)))
    assert np.abs(net(x).numpy() - old(x).numpy()).max() < 1e-12


def test_names_that_modules_have_are_not_taken(tmp_path: Path) -> None:
    x = legacy_nn.Identity()()
    y = legacy_nn.Linear(3, 3)(x).annotate({"name": "train"})
    z = legacy_nn.Linear(3, 2)(y).annotate({"name": "F"})
    old = legacy_nn.gModule([x], [z]).float()
    net = loaded(source_of(plan_of(old), "Net", "x.t7"), tmp_path).load()
    given = Tensor(np.ones((2, 3), "f4"))
    assert_same(net(given), old(given).numpy())


def test_permutations_that_undo_each_other_are_gone() -> None:
    text = text_of("stn_rot_scale_trans")
    assert text.count("permute") == 0
