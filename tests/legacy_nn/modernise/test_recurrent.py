"""cuDNN's recurrent layers as nn.LSTM, nn.GRU and nn.RNN on parts of their flat weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle import legacy_nn, nn
from rekindle.core import checkpoint
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, modernise, plan_of
from rekindle.legacy_nn.onnx import write_onnx
from rekindle.legacy_nn.source import source_of

KINDS = ["RNNReLU", "RNNTanh", "LSTM", "BLSTM", "GRU", "BGRU"]
GPU = Path(__file__).parents[2] / "fixtures" / "gpu"


def layers(kind: str, batch_first: bool = False) -> Any:
    return getattr(legacy_nn.cudnn, kind)(3, 4, 2, batch_first).float().evaluate()


def drawn(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=shape).astype("f4"))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_outputs(kind: str, batch_first: bool) -> None:
    old, x = layers(kind, batch_first), drawn(5, 2, 3)
    made = modernise(old)
    np.testing.assert_allclose(made(x).numpy(), old(x).numpy(), atol=1e-6)
    assert all(p.storage() is old.weight.storage() for p in made.parameters())
    assert sum(p.size for p in made.parameters()) == old.weight.size


def test_recorded() -> None:
    old = checkpoint.load(GPU / "cudnn_lstm.t7")
    expected = checkpoint.load(GPU / "cudnn_lstm.expect.t7")
    y = modernise(old).eval()(expected.input)
    np.testing.assert_allclose(y.numpy(), expected.output.numpy(), atol=1e-5)


def test_source() -> None:
    text = source_of(plan_of(layers("BLSTM")), "Net", "x.t7", "torch").text
    assert "self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)" in text
    assert "return self.lstm(x)[0]" in text


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_onnx(kind: str, batch_first: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    old, x = layers(kind, batch_first), drawn(5, 2, 3)
    write_onnx(plan_of(old), tmp_path / "m.onnx")
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    (y,) = session.run(None, {"input": x.numpy()})
    np.testing.assert_allclose(y, old(x).numpy(), atol=1e-6)


def test_remembered_states_are_refused() -> None:
    old = layers("LSTM")
    old.rememberStates = True
    with pytest.raises(TranslationError, match="rememberStates"):
        modernise(old)


def test_the_layer_is_one_of_nn() -> None:
    made = modernise(legacy_nn.Sequential().add(layers("LSTM")))
    assert any(isinstance(module, nn.LSTM) for module in made.modules())
