"""ONNX files: what the checker takes, and what onnxruntime computes, where they are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle import legacy_nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, plan_of
from rekindle.legacy_nn.naming import modules_in, root_place
from rekindle.legacy_nn.onnx import OnnxError, write_onnx
from rekindle.legacy_nn.onnx.layers import LAYERS
from rekindle.legacy_nn.values import map_tensors

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDED = [
    *sorted((FIXTURES / "models").glob("*.t7")),
    *sorted(p for p in (FIXTURES / "gpu").glob("*.t7") if not p.stem.endswith(".expect")),
]


def tensors_of(value: Any) -> list[Tensor]:
    if isinstance(value, Table):
        return [t for part in value.array() for t in tensors_of(part)]
    return [value]


def model_and_input(path: Path) -> tuple[Any, Any]:
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


def run(path: Path, inputs: list[Tensor]) -> list[Any]:
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = session.get_inputs()
    feed = {
        i.name: x.numpy().astype("i8") if "int64" in i.type else x.numpy()
        for i, x in zip(names, inputs, strict=True)
    }
    found: list[Any] = session.run(None, feed)
    return found


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_recorded_models(path: Path, tmp_path: Path) -> None:
    model, x = model_and_input(path)
    expected = [t.numpy().copy() for t in tensors_of(model.forward(map_tensors(Tensor.clone, x)))]
    file = tmp_path / "m.onnx"
    write_onnx(plan_of(model, x), file, x)
    onnx.checker.check_model(str(file), full_check=True)
    for a, b in zip(run(file, tensors_of(x)), expected, strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max()


def test_recurrent_state_goes_in_and_comes_out(tmp_path: Path) -> None:
    model, x = model_and_input(FIXTURES / "models" / "charrnn_lstm_2layer.t7")
    write_onnx(plan_of(model), tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert [i.name for i in graph.input] == [f"input{i}" for i in range(1, 6)]
    assert [o.name for o in graph.output] == [f"output{i}" for i in range(1, 6)]
    first, *state = tensors_of(x)
    once = run(tmp_path / "m.onnx", [first, *state])
    twice = run(tmp_path / "m.onnx", [first, *map(Tensor, once[:4])])
    expected = model.forward(Table([first, *map(Tensor, once[:4])]))
    assert np.abs(twice[4] - expected[5].numpy()).max() < 1e-5


def test_any_batch_and_image_size(tmp_path: Path) -> None:
    old = legacy_nn.Sequential().add(legacy_nn.SpatialConvolution(3, 4, 3, 3)).float()
    write_onnx(plan_of(old), tmp_path / "m.onnx")
    for shape in ((1, 3, 5, 5), (4, 3, 7, 6)):
        x = Tensor(np.random.default_rng(0).normal(size=shape).astype("f4"))
        (found,) = run(tmp_path / "m.onnx", [x])
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
    (found,) = run(tmp_path / "m.onnx", [x])
    assert np.abs(found - old(x).numpy()).max() < 1e-5


def test_what_onnx_lacks_is_listed(tmp_path: Path) -> None:
    old = legacy_nn.Sequential().add(legacy_nn.SpatialAdaptiveMaxPooling(2, 3))
    old.add(legacy_nn.FeatureLPPooling(2, 1, 2, True))
    assert "AdaptiveMaxPool2d" in LAYERS
    with pytest.raises(OnnxError, match="windows is not an operation"):
        write_onnx(plan_of(old), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
