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

from rekindle import legacy_nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, plan_of
from rekindle.legacy_nn.naming import modules_in, root_place
from rekindle.legacy_nn.source import Source, source_of
from rekindle.legacy_nn.values import map_tensors

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDED = [
    *sorted((FIXTURES / "models").glob("*.t7")),
    *sorted(p for p in (FIXTURES / "gpu").glob("*.t7") if not p.stem.endswith(".expect")),
]


def model_and_input(path: Path) -> tuple[Any, Any]:
    """Return a recorded model in float32 and evaluation mode, and its input."""
    record = checkpoint.load(path)
    if path.parent.name == "gpu":
        expected = checkpoint.load(path.with_suffix(".expect.t7"))
        found = modules_in(root_place(record))
        if not found or "input" not in expected:
            pytest.skip("no model with an input")
        model, x = found[0].value, expected.input
    else:
        if "model" not in record:
            pytest.skip("no recorded input")
        model, x = record.model, record.input
    if isinstance(model, TorchObject):
        pytest.skip("no model that runs")
    try:
        plan_of(model)
    except TranslationError as error:
        pytest.skip(str(error))
    model.float().evaluate()
    return model, map_tensors(lambda t: t.astype("float32") if t.dtype.kind == "f" else t, x)


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


def arrays_of(value: Any) -> Any:
    if isinstance(value, Table):
        return tuple(arrays_of(part) for part in value.array())
    return np.ascontiguousarray(value.numpy()).copy()


def converted(value: Any, make: Any) -> Any:
    return tuple(converted(v, make) for v in value) if isinstance(value, tuple) else make(value)


def assert_same(actual: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        assert len(actual) == len(expected)
        for a, b in zip(actual, expected, strict=True):
            assert_same(a, b)
        return
    a = (actual.detach() if hasattr(actual, "detach") else actual).numpy()
    assert a.shape == expected.shape
    assert np.abs(a.astype("f8") - expected).max() <= 1e-5 * max(np.abs(expected).max(), 1e-30)


@pytest.mark.parametrize("target", ["rekindle", "torch"])
@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_recorded_models(path: Path, target: Any, tmp_path: Path) -> None:
    make: Any = Tensor
    if target == "torch":
        make = pytest.importorskip("torch").from_numpy
    model, x = model_and_input(path)
    inputs = arrays_of(x)
    source = source_of(plan_of(model), "Net", path.name, target)
    net = loaded(source, tmp_path).load()
    assert not net.training
    given = converted(inputs if isinstance(inputs, tuple) else (inputs,), make)
    expected = arrays_of(model.forward(map_tensors(lambda t: t.clone(), x)))
    assert_same(net(*given), expected)


@pytest.mark.parametrize("target", ["rekindle", "torch"])
def test_the_files_are_formatted_and_lint_clean(target: Any, tmp_path: Path) -> None:
    names = ("resnet18_thin", "charrnn_lstm_2layer", "openface_nn4_small2_thin", "vgg_bn_thin")
    for name in names:
        model, _ = model_and_input(FIXTURES / "models" / f"{name}.t7")
        file = tmp_path / f"{name}.py"
        file.write_text(source_of(plan_of(model), "Net", name, target).text, encoding="utf-8")
    ruff = find_ruff_bin()
    width = "--line-length=100"
    subprocess.run([ruff, "format", "--isolated", "--check", width, tmp_path], check=True)
    rules = "--select=E,F,W,I,UP,B,D1,RET,ANN"
    quiet = "--ignore=D100,D101,D102,D107"
    subprocess.run([ruff, "check", "--isolated", width, rules, quiet, tmp_path], check=True)


def text_of(name: str) -> str:
    model, _ = model_and_input(FIXTURES / "models" / f"{name}.t7")
    return source_of(plan_of(model), "Net", name, "torch").text


def test_residual_blocks_are_classes_with_arguments() -> None:
    text = text_of("resnet18_thin")
    assert re.findall(r"^class (\w+)", text, re.M) == ["ResidualBlock", "ProjectionBlock", "Net"]
    assert "return F.relu(self.residual(x) + self.shortcut(x))" in text
    assert "self.layer2 = nn.Sequential(ProjectionBlock(3, 6), ResidualBlock(6))" in text


def test_repeated_convolutions_are_a_loop_over_a_class() -> None:
    assert "*(ConvBlock(8, 8) for _ in range(3))," in text_of("vgg_bn_thin")


def test_names_of_a_graph_are_kept() -> None:
    assert "self.i2h_1 = nn.Linear(10, 32)" in text_of("charrnn_lstm_2layer")


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
    model, _ = model_and_input(FIXTURES / "models" / "stn_rot_scale_trans.t7")
    text = source_of(plan_of(model), "Net", "x.t7", "torch").text
    assert text.count("permute") == 0
