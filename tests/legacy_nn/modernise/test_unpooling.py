"""Unpooling modules: the positions of maxima go from one module to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from translated import assert_same

from rekindle import legacy_nn
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, modernise, plan_of
from rekindle.legacy_nn.onnx import write_onnx
from rekindle.legacy_nn.source import source_of


def drawn(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=shape).astype("f4"))


def between(pool: Any, middle: Any, unpool: Any) -> Any:
    """Return a model whose pooling is inside a block and whose unpooling is outside."""
    inner = legacy_nn.Sequential().add(legacy_nn.Tanh()).add(pool)
    whole = legacy_nn.Sequential().add(legacy_nn.Sequential().add(inner).add(middle))
    return whole.add(legacy_nn.Sequential().add(unpool)).float().evaluate()


def images(padding: int = 0, ceil: bool = False) -> Any:
    pool = legacy_nn.SpatialMaxPooling(2, 2, 2, 2, padding, padding)
    if ceil:
        pool.ceil()
    return between(pool, legacy_nn.ReLU(), legacy_nn.SpatialMaxUnpooling(pool))


def volumes() -> Any:
    pool = legacy_nn.VolumetricMaxPooling(2, 2, 2)
    return between(pool, legacy_nn.Tanh(), legacy_nn.VolumetricMaxUnpooling(pool))


CASES = {
    "images": (images, (2, 3, 6, 8)),
    "odd images": (images, (2, 3, 7, 5)),
    "padded images": (lambda: images(1), (2, 3, 6, 6)),
    "ceil": (lambda: images(0, True), (2, 3, 7, 7)),
    "volumes": (volumes, (2, 3, 4, 6, 5)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_translation_computes(name: str) -> None:
    make, shape = CASES[name]
    old, x = make(), drawn(*shape)
    assert_same(modernise(old)(x), old.forward(x).numpy())


@pytest.mark.parametrize("name", ["images", "odd images"])
def test_onnx(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    make, shape = CASES[name]
    old, x = make(), drawn(*shape)
    write_onnx(plan_of(old, x), tmp_path / "m.onnx", x)
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    (y,) = session.run(None, {"input": x.numpy()})
    assert_same(y, old.forward(x).numpy())


def test_source() -> None:
    text = source_of(plan_of(images()), "Net", "x.t7", "torch").text
    assert "y, indices = self.pool(x)" in text
    assert "return y, indices, x" in text
    assert "F.max_unpool2d(block, indices, 2, output_size=y3.shape[2:])" in text


def test_the_pooling_module_must_be_there() -> None:
    lone = legacy_nn.SpatialMaxUnpooling(legacy_nn.SpatialMaxPooling(2, 2))
    with pytest.raises(TranslationError, match="not in the model"):
        modernise(legacy_nn.Sequential().add(lone))
