"""Every recorded model that translates: its translation computes the same on the same memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle import legacy_nn, nn
from rekindle.core import checkpoint, optim
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, modernise
from rekindle.legacy_nn.naming import modules_in, root_place, state_entries

FIXTURES = Path(__file__).parents[2] / "fixtures"
MODELS = sorted((FIXTURES / "models").glob("*.t7"))
GPU = sorted(p for p in (FIXTURES / "gpu").glob("*.t7") if not p.stem.endswith(".expect"))
OTHER_NAMES = {"lenet_tutorial"}
"""Models in which a layer has its parameters in another shape or place than Torch7."""


def arguments(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Table):
        return tuple(arguments(v) if isinstance(v, Table) else v for v in value.array())
    return (value,)


def largest_difference(actual: Any, expected: Any) -> float:
    if isinstance(expected, Table):
        assert len(actual) == len(expected)
        return max(map(largest_difference, actual, expected.array()))
    assert actual.shape == expected.shape
    a, b = actual.numpy().astype("f8"), expected.numpy().astype("f8")
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_recorded_models(path: Path) -> None:
    record = checkpoint.load(path)
    if "model" not in record or isinstance(record.model, TorchObject):
        pytest.skip("no model that runs")
    model = record.model.evaluate()
    try:
        made = modernise(model)
    except TranslationError as error:
        pytest.skip(str(error))
    assert not made.training
    tolerance = 1e-10 if record.dtype == "torch.DoubleTensor" else 1e-5
    assert largest_difference(made(*arguments(record.input)), record.output) <= tolerance


@pytest.mark.parametrize("path", GPU, ids=lambda p: p.stem)
def test_recorded_gpu_models(path: Path) -> None:
    expected = checkpoint.load(path.with_suffix(".expect.t7"))
    found = modules_in(root_place(checkpoint.load(path)))
    if not found or "input" not in expected or "output" not in expected:
        pytest.skip("no model with an input")
    try:
        made = modernise(found[0].value).eval()
    except TranslationError as error:
        pytest.skip(str(error))
    inputs = arguments(expected.input)
    parameter = next(made.parameters(), None)
    if parameter is not None and parameter.dtype == np.float16:
        made.float()
    assert largest_difference(made(*inputs), expected.output) <= 1e-3


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_the_names_are_those_of_convert(path: Path) -> None:
    record = checkpoint.load(path)
    if path.stem in OTHER_NAMES:
        pytest.skip("its names differ, as docs/modernise.md says")
    if "model" not in record or isinstance(record.model, TorchObject):
        pytest.skip("no model that runs")
    try:
        made = modernise(record.model)
    except TranslationError as error:
        pytest.skip(str(error))
    own = made.state_dict(keep_vars=True)
    for entry in state_entries(root_place(record.model)):
        if entry.kind == "parameter":
            assert own[entry.name].storage() is entry.tensor.storage(), entry.name


def test_parameters_are_shared() -> None:
    old = legacy_nn.Sequential().add(legacy_nn.Linear(3, 2)).add(legacy_nn.Tanh())
    made = modernise(old)
    assert isinstance(made, nn.Sequential)
    assert made[0].weight is old.get(1).weight
    made[0].weight.detach().fill_(0.5)
    assert old.get(1).weight.numpy().tolist() == [[0.5] * 3] * 2


def test_training_trains_the_legacy_model() -> None:
    old = legacy_nn.Sequential().add(legacy_nn.Linear(3, 2))
    made = modernise(old)
    x, t = Tensor(np.ones((4, 3))), Tensor(np.zeros((4, 2)))
    before = old(x).numpy().copy()
    optimiser = optim.SGD(made.parameters(), lr=0.1)
    nn.MSELoss()(made(x), t).backward()
    optimiser.step()
    assert np.abs(old(x).numpy()).sum() < np.abs(before).sum()
