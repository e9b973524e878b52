"""Every recorded model that translates: its translation computes the same on the same memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from translated import GPU, MODELS, assert_same, case_of, tensors

from rekindle import legacy_nn, nn
from rekindle.core import checkpoint, optim
from rekindle.core.checkpoint import TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, modernise, plan_of
from rekindle.legacy_nn.naming import root_place, state_entries

OTHER_NAMES = {
    "lenet_tutorial",
    *(path.stem for path in MODELS if path.stem.startswith(("rnn_", "torchrnn_"))),
}
"""Models in which a layer has its parameters in another shape, place or order than Torch7."""


def output_of(case: Any) -> Any:
    """Return what the modernised model of a case computes."""
    made = modernise(case.model)
    assert not made.training
    return case.without_states(made(*tensors(case.arguments)))


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_recorded_models(path: Path) -> None:
    case = case_of(path, None)
    tolerance = 1e-10 if case.model.dtype == np.float64 else 1e-5
    assert_same(output_of(case), case.like_output(case.recorded), tolerance)


@pytest.mark.parametrize("path", GPU, ids=lambda p: p.stem)
def test_recorded_gpu_models(path: Path) -> None:
    case = case_of(path)
    assert_same(output_of(case), case.like_output(case.recorded), 1e-3)


def test_all_recorded_models_translate() -> None:
    translated, refused = [], {}
    for path in MODELS:
        record = checkpoint.load(path)
        if "model" in record and not isinstance(record.model, TorchObject):
            try:
                translated.append(plan_of(record.model))
            except TranslationError as error:
                refused[path.stem] = str(error)
    assert not refused
    assert len(translated) == 53


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
