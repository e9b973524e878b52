"""ONNX files: what the checker takes, and what onnxruntime computes, where they are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from translated import FIXTURES, GPU, MODELS, assert_same, case_of

from rekindle import legacy_nn
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import plan_of
from rekindle.legacy_nn.modernise.plan import leaves
from rekindle.legacy_nn.onnx import OnnxError, write_onnx
from rekindle.legacy_nn.onnx.layers import LAYERS

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

RECORDED = [*MODELS, *GPU]


def run(path: Path, inputs: list[Any]) -> list[Any]:
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = session.get_inputs()
    feed = {
        i.name: np.asarray(x, "i8" if "int64" in i.type else None)
        for i, x in zip(names, inputs, strict=True)
    }
    found: list[Any] = session.run(None, feed)
    return found


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_recorded_models(path: Path, tmp_path: Path) -> None:
    case = case_of(path)
    file = tmp_path / "m.onnx"
    write_onnx(plan_of(case.model, case.input), file, case.input)
    onnx.checker.check_model(str(file), full_check=True)
    wanted = list(leaves(case.expected()))
    found = run(file, list(leaves(case.arguments)))
    for a, b in zip(found[: len(wanted)], wanted, strict=True):
        assert_same(a, b)


def test_recurrent_state_goes_in_and_comes_out(tmp_path: Path) -> None:
    case = case_of(FIXTURES / "models" / "charrnn_lstm_2layer.t7")
    write_onnx(case.plan, tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert [i.name for i in graph.input] == [f"input{i}" for i in range(1, 6)]
    assert [o.name for o in graph.output] == [f"output{i}" for i in range(1, 6)]
    first, *state = case.arguments
    once = run(tmp_path / "m.onnx", [first, *state])
    twice = run(tmp_path / "m.onnx", [first, *once[:4]])
    expected = case.model.forward(Table([Tensor(first), *map(Tensor, once[:4])]))
    assert np.abs(twice[4] - expected[5].numpy()).max() < 1e-5


def test_any_batch_and_image_size(tmp_path: Path) -> None:
    old = legacy_nn.Sequential().add(legacy_nn.SpatialConvolution(3, 4, 3, 3)).float()
    write_onnx(plan_of(old), tmp_path / "m.onnx")
    for shape in ((1, 3, 5, 5), (4, 3, 7, 6)):
        x = Tensor(np.random.default_rng(0).normal(size=shape).astype("f4"))
        (found,) = run(tmp_path / "m.onnx", [x.numpy()])
        assert np.abs(found - old(x).numpy()).max() < 1e-5


LAYER_CASES = {
    "ELU": (2, 3),
    "GatedLinearUnit": (2, 4),
    "HardShrink": (2, 3),
    "LogSigmoid": (2, 3),
    "RReLU": (2, 3),
    "ReLU6": (2, 3),
    "SoftMin": (2, 3),
    "SoftPlus": (2, 3),
    "SoftShrink": (2, 3),
    "SoftSign": (2, 3),
    "TanhShrink": (2, 3),
}


@pytest.mark.parametrize("name", LAYER_CASES)
def test_activations(name: str, tmp_path: Path) -> None:
    old = getattr(legacy_nn, name)().float().evaluate()
    x = Tensor(np.random.default_rng(0).normal(size=LAYER_CASES[name]).astype("f4") * 3)
    write_onnx(plan_of(old, x), tmp_path / "m.onnx", x)
    (found,) = run(tmp_path / "m.onnx", [x.numpy()])
    assert np.abs(found - old(x).numpy()).max() < 1e-5


def test_what_onnx_lacks_is_listed(tmp_path: Path) -> None:
    old = legacy_nn.Sequential().add(legacy_nn.SpatialAdaptiveMaxPooling(2, 3))
    old.add(legacy_nn.FeatureLPPooling(2, 1, 2, True))
    assert "AdaptiveMaxPool2d" in LAYERS
    with pytest.raises(OnnxError, match="windows is not an operation"):
        write_onnx(plan_of(old), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
