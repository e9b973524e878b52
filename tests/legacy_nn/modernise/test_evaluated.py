"""Classes that draw in training, and rnn's criterions: translations compute what they compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from translated import assert_same, loaded

from rekindle import legacy_nn, nn
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import dpnn, rnn
from rekindle.legacy_nn.modernise import TranslationError, modernise, plan_of
from rekindle.legacy_nn.onnx import write_onnx
from rekindle.legacy_nn.torch7 import random

IMAGES, ROWS = (2, 3, 7, 9), (4, 5)
CLASSES = Tensor(np.array([1, 6, 2, 2]))


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).uniform(0.1, 1, size=shape))


def nce(logarithms: bool) -> Any:
    made = dpnn.NCEModule(5, 6, 3, drawn(6), 1)
    made.normalized, made.logsoftmax = True, logarithms
    return made


DRAWING = {
    "WhiteNoise": (lambda: legacy_nn.WhiteNoise(2, 0.1), ROWS),
    "WhiteNoise around 0": (lambda: legacy_nn.WhiteNoise(), ROWS),
    "TotalDropout": (lambda: dpnn.TotalDropout(0.3), ROWS),
    "SpatialRegionDropout": (lambda: dpnn.SpatialRegionDropout(0.4), IMAGES),
    "SimpleColorTransform": (lambda: dpnn.SimpleColorTransform(3, drawn(3)), IMAGES),
    "PCAColorTransform": (lambda: dpnn.PCAColorTransform(3, drawn(3, 3), drawn(3)), IMAGES),
    "SpatialUniformCrop": (lambda: dpnn.SpatialUniformCrop(4, 6), IMAGES),
    "SpatialUniformCrop of all": (lambda: dpnn.SpatialUniformCrop(7, 9), IMAGES),
    "ReinforceNormal": (lambda: dpnn.ReinforceNormal(0.2), ROWS),
    "ReinforceNormal of a table": (lambda: dpnn.ReinforceNormal(), (ROWS, ROWS)),
    "ReinforceBernoulli": (lambda: dpnn.ReinforceBernoulli(), ROWS),
    "ReinforceCategorical": (lambda: dpnn.ReinforceCategorical(), ROWS),
    "ReinforceGamma": (lambda: dpnn.ReinforceGamma(0.5), ROWS),
    "ReinforceGamma of a tensor": (lambda: dpnn.ReinforceGamma(drawn(*ROWS)), ROWS),
    "ReinforceGamma of a table": (lambda: dpnn.ReinforceGamma(), (ROWS, ROWS)),
    "SpatialBinaryConvolution": (
        lambda: dpnn.SpatialBinaryConvolution(3, 4, 3, 2, 2, 1, 1, 1),
        IMAGES,
    ),
    "NCEModule": (lambda: nce(False), (ROWS, (4,))),
    "NCEModule, logarithms": (lambda: nce(True), (ROWS, (4,))),
}


def made_of(name: str) -> tuple[Any, tuple[Tensor, ...], Any]:
    """Return a module in evaluation mode, its input's parts, and the whole input."""
    random.manual_seed(1)
    make, shape = DRAWING[name]
    old: Any = legacy_nn.Sequential().add(make()).add(legacy_nn.Identity())
    shapes = shape if isinstance(shape[0], tuple) else (shape,)
    parts = tuple(drawn(*s, seed=i) if len(s) > 1 else CLASSES for i, s in enumerate(shapes))
    return old, parts, parts[0] if len(parts) == 1 else Table(list(parts))


@pytest.mark.parametrize("name", DRAWING)
def test_classes_that_draw_in_training(name: str, tmp_path: Path) -> None:
    old, parts, x = made_of(name)
    with pytest.raises(TranslationError, match=r"call evaluate\(\) first"):
        modernise(old, x)
    old.evaluate()
    expected = old.forward(x).numpy().copy()
    given = parts[0] if len(parts) == 1 else parts
    found = modernise(old, x).train()
    assert_same(found(given) if len(parts) == 1 else found(*parts), expected, 1e-12)
    assert_same(loaded(old, tmp_path, x=x)(*parts), expected, 1e-12)


def in_single(name: str) -> tuple[Any, tuple[Tensor, ...], Any, Any]:
    """Return a module of float32 in evaluation mode, its input's parts and whole, its output."""
    old, parts, _ = made_of(name)
    old.float().evaluate()
    parts = tuple(p.astype("float32") if p.ndim > 1 else p for p in parts)
    x = parts[0] if len(parts) == 1 else Table(list(parts))
    return old, parts, x, old.forward(x).numpy().copy()


@pytest.mark.parametrize("name", DRAWING)
def test_in_pytorch(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    old, parts, x, expected = in_single(name)
    given = [torch.from_numpy(part.numpy()) for part in parts]
    assert_same(loaded(old, tmp_path, "torch", x)(*given), expected)


@pytest.mark.parametrize("name", DRAWING)
def test_in_onnx(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    old, parts, x, expected = in_single(name)
    write_onnx(plan_of(old, x), tmp_path / "m.onnx", x)
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    names = [one.name for one in session.get_inputs()]
    given = {n: part.numpy() for n, part in zip(names, parts, strict=False)}
    assert_same(session.run(None, given)[0], expected)


def test_what_draws_in_evaluation_too() -> None:
    with pytest.raises(TranslationError, match="in evaluation too"):
        modernise(dpnn.ReinforceNormal(0.1, True).evaluate())
    with pytest.raises(TranslationError, match="set `normalized`"):
        modernise(dpnn.NCEModule(5, 6, 3, drawn(6), 1).evaluate(), Table([drawn(4, 5), CLASSES]))
    with pytest.raises(TranslationError, match="with an example input"):
        modernise(dpnn.SpatialUniformCrop(4).evaluate())


def test_layers_of_these_are_layers() -> None:
    made = modernise(nce(True).evaluate(), Table([drawn(4, 5), CLASSES]))
    kinds = [type(child) for child in made.children()]
    assert kinds == [nn.Linear, nn.LogSoftmax]


# -- criterions ----------------------------------------------------------------------------

T, N, C = 3, 4, 5

CRITERIONS = {
    "ClassNLL": lambda: legacy_nn.ClassNLLCriterion(),
    "ClassNLL, sums": lambda: legacy_nn.ClassNLLCriterion(None, False),
    "CrossEntropy": lambda: legacy_nn.CrossEntropyCriterion(),
    "MSE": lambda: legacy_nn.MSECriterion(),
    "MSE, sums": lambda: legacy_nn.MSECriterion(False),
    "Abs": lambda: legacy_nn.AbsCriterion(),
}


def of_sequences(name: str, around: str) -> tuple[Any, Tensor, Tensor]:
    """Return a criterion around another one, an input with zeros, and a target."""
    inner = CRITERIONS[name]()
    x, target = drawn(T, N, C) - 0.5, drawn(T, N, C, seed=1)
    if "Class" in name or "Cross" in name:
        target = Tensor(np.random.default_rng(2).integers(1, C + 1, (T, N)))
    if around == "RepeaterCriterion":
        return rnn.RepeaterCriterion(inner), x, target[0]
    x[0, 1] = 0
    x[2] = 0  # a step without any sample
    masked = rnn.MaskZeroCriterion(inner, 1)
    if around == "MaskZeroCriterion":
        return masked, x[0], target[0]
    return rnn.SequencerCriterion(masked, around == "mean of steps"), x, target


@pytest.mark.parametrize("name", CRITERIONS)
@pytest.mark.parametrize(
    "around", ["RepeaterCriterion", "MaskZeroCriterion", "sum of steps", "mean of steps"]
)
def test_criterions_of_rnn(name: str, around: str, tmp_path: Path) -> None:
    old, x, target = of_sequences(name, around)
    steps = Table(list(x)) if x.ndim == 3 else x
    targets = Table(list(target)) if around.endswith("steps") else target
    expected = float(old.forward(steps, targets))
    gradient = old.backward(steps, targets)
    rows = gradient.array() if isinstance(gradient, Table) else gradient
    wanted = np.array([g.numpy() for g in rows])
    made = modernise(old)
    x = x.requires_grad_()
    loss = made(x, target)
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    assert_same(x.grad, wanted, 1e-12)
    assert loaded(old, tmp_path)(x, target).item() == pytest.approx(expected, rel=1e-12)
    torch = pytest.importorskip("torch")
    given = torch.from_numpy(x.detach().numpy()), torch.from_numpy(target.numpy())
    found = loaded(old, tmp_path, "torch")(*given)
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_padding_may_have_no_class() -> None:
    """Targets of samples that are zeros are often zeros, too."""
    old = rnn.SequencerCriterion(rnn.MaskZeroCriterion(legacy_nn.CrossEntropyCriterion(), 1))
    x, target = drawn(T, N, C), Tensor(np.random.default_rng(2).integers(1, C + 1, (T, N)))
    x[1, 2:] = 0
    target[1, 2:] = 0
    expected = old.forward(Table(list(x)), Table(list(target)))
    assert modernise(old)(x, target).item() == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("average", [False, True])
def test_pixels(average: bool) -> None:
    old = dpnn.SpatialBinaryLogisticRegression()
    old.sizeAverage = average
    x, sign = drawn(2, 1, 3, 4) - 0.5, drawn(2, 1, 3, 4, seed=1)
    target = Tensor(np.where(sign.numpy() > 0.5, 1.0, -1.0))
    expected = old.forward(x, target)
    assert modernise(old)(x, target).item() == pytest.approx(float(expected), rel=1e-12)
