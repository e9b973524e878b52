"""Recorded modules that are no layer: source for both targets, and ONNX, compute the same."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from translated import FIXTURES, arrays_like, assert_same, tensors

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import ClassNLLCriterion, MSECriterion
from rekindle.legacy_nn.criterion import L1HingeEmbeddingCriterion
from rekindle.legacy_nn.dpnn import ArgMax, FireModule, SpatialFeatNormalization
from rekindle.legacy_nn.modernise import modernise, plan_of
from rekindle.legacy_nn.modernise.plan import leaves
from rekindle.legacy_nn.onnx import write_onnx
from rekindle.legacy_nn.rnn import SequencerCriterion
from rekindle.legacy_nn.source import source_of
from rekindle.legacy_nn.values import map_tensors

NAMES = [
    *("Constant__02", "PartialLinear__01", "SpatialContrastiveNormalization__01"),
    *("SpatialContrastiveNormalization__02", "SpatialConvolutionLocal__01"),
    *("SpatialDepthWiseConvolution__01", "SpatialDivisiveNormalization__02"),
    *("SpatialFullConvolutionMap__01", "SpatialSubtractiveNormalization__02"),
    *("TemporalSubSampling__01", "WeightNorm__02", "WeightNorm__03"),
]
NOT_IN_ONNX = {"SpatialConvolutionLocal__01"}


def recorded(name: str) -> tuple[Any, Any, Any]:
    """Return a recorded module in float32, its input and its plan."""
    record = checkpoint.load(FIXTURES / "modules" / f"{name}.t7")
    module = record.module.float().evaluate()
    x = map_tensors(lambda t: t.astype("float32"), record.input)
    return module, x, plan_of(module, x)


@pytest.mark.parametrize("target", ["rekindle", "torch"])
@pytest.mark.parametrize("name", NAMES)
def test_source(name: str, target: Any, tmp_path: Path) -> None:
    make: Any = Tensor
    if target == "torch":
        make = pytest.importorskip("torch").from_numpy
    module, x, plan = recorded(name)
    source = source_of(plan, "Net", name, target)
    (tmp_path / "net.py").write_text(source.text, encoding="utf-8")
    arrays = {k: np.array(t.numpy(), order="C") for k, t in source.state.items()}
    save_file(arrays, tmp_path / "net.safetensors")
    spec = importlib.util.spec_from_file_location("net", tmp_path / "net.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    found = made.load()(*tensors((arrays_like(plan.input, x),), make))
    assert_same(found, arrays_like(plan.output, module.forward(x)))


@pytest.mark.parametrize("name", NAMES)
def test_onnx(name: str, tmp_path: Path) -> None:
    if name in NOT_IN_ONNX:
        pytest.skip("its windows are no operation of ONNX")
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    module, x, plan = recorded(name)
    write_onnx(plan, tmp_path / "m.onnx", x)
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    (y,) = session.run(None, {"input": x.numpy()})
    assert_same(y, next(leaves(arrays_like(plan.output, module.forward(x)))))


def drawn(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=shape))


def test_modules_of_dpnn() -> None:
    images = drawn(2, 3, 5, 5)
    for old in (FireModule(3, 2, 4, 4), SpatialFeatNormalization(drawn(3), drawn(3) * 2)):
        assert_same(modernise(old)(images), old.forward(images).numpy(), 1e-12)
    old, rows = ArgMax(1, 1), drawn(4, 6)
    expected = old.forward(rows).numpy()
    assert_same(modernise(old)(rows), expected)
    assert_same(modernise(old, zero_based=True)(rows), expected - 1)


@pytest.mark.parametrize("average", [False, True])
def test_losses_of_sequences(average: bool) -> None:
    T, N, C = 3, 2, 4
    x = drawn(T, N, C)
    classes = Tensor(np.random.default_rng(0).integers(1, C + 1, (T, N)))
    for inner, target in ((ClassNLLCriterion(), classes), (MSECriterion(), drawn(T, N, C) * 2)):
        inner.sizeAverage = True
        old = SequencerCriterion(inner, average)
        expected = old.forward(Table(list(x)), Table(list(target)))
        assert modernise(old)(x, target).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("target", [1, -1])
@pytest.mark.parametrize("scale", [0.01, 10])
def test_l1_hinge(target: int, scale: float) -> None:
    pair = [drawn(5) * scale, drawn(5, 1).squeeze(axis=1) * 0]
    old = L1HingeEmbeddingCriterion(1)
    expected = old.forward(Table(pair), target)
    found = modernise(old)(tuple(pair), Tensor(np.array(float(target))))
    assert found.item() == pytest.approx(expected, rel=1e-12)
