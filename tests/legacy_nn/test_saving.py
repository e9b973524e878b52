"""Saving loses nothing: what Torch7 wrote is written again, and trained models come back whole."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.torch7 import random

FOLDERS = ("models", "modules", "behaviour")
FILES = sorted(p for folder in FOLDERS for p in (FIXTURES / folder).glob("*.t7"))
GPU = sorted(p for p in (FIXTURES / "gpu").glob("*.t7") if not p.name.endswith(".expect.t7"))


def test_there_are_files_of_each_kind():
    assert {p.parent.name for p in FILES} == set(FOLDERS)
    assert GPU


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_what_torch_wrote_is_written_again(path):
    assert checkpoint.dumps(checkpoint.load(path), storages="whole") == path.read_bytes()


@pytest.mark.parametrize("path", GPU, ids=lambda p: p.stem)
def test_files_of_gpus_are_the_same_once_their_types_are_those_of_the_cpu(path):
    once = checkpoint.dumps(checkpoint.load(path), storages="whole")
    assert b"Cuda" not in once.replace(b"\x10\x00\x00\x00torch.CudaTensor", b"")  # typeStr
    assert checkpoint.dumps(checkpoint.loads(once), storages="whole") == once


def trained():
    """Return a model after a step, its parameters in one storage, with state of every kind."""
    random.manual_seed(3)
    model = nn.Sequential()
    model.add(nn.SpatialConvolution(1, 2, 3, 3)).add(nn.SpatialBatchNormalization(2))
    model.add(nn.ReLU(True)).add(nn.SpatialMaxPooling(2, 2)).add(nn.Dropout(0.3)).add(nn.View(8))
    model.add(nn.ConcatTable().add(nn.Linear(8, 3)).add(nn.Linear(8, 3))).add(nn.CAddTable())
    model.get(7).get(2).share(model.get(7).get(1), "weight", "gradWeight")
    flat, gradient = model.getParameters()
    x = random.normal(Tensor(np.zeros((2, 1, 6, 6))), 0, 1)
    criterion = nn.CrossEntropyCriterion()
    target = Tensor(np.array([1.0, 3.0]))
    for _ in range(2):
        gradient.zero_()
        criterion.forward(model.forward(x), target)
        model.backward(x, criterion.backward(model.output, target))
        model.updateParameters(0.1)
    return Table({"model": model, "criterion": criterion, "flat": flat, "x": x, "target": target})


@pytest.mark.parametrize("format", ["binary", "ascii"])
def test_a_trained_model_comes_back_whole(format):
    saved = trained()
    loaded = checkpoint.loads(checkpoint.dumps(saved, format))
    assert checkpoint.dumps(loaded) == checkpoint.dumps(saved)
    for before, after in zip(saved.model.listModules(), loaded.model.listModules(), strict=True):
        assert type(after) is type(before)
        assert list(vars(after)) == list(vars(before))
    weight = loaded.model.get(7).get(2).weight
    assert weight.storage() is loaded.flat.storage()
    assert weight.storage_offset() == loaded.model.get(7).get(1).weight.storage_offset()
    assert weight.grad is loaded.model.get(7).get(2).gradWeight


def test_training_goes_on_where_it_stopped():
    saved = trained()
    loaded = checkpoint.loads(checkpoint.dumps(saved))
    for state in (saved, loaded):
        random.manual_seed(9)
        state.model.zeroGradParameters()
        state.criterion.forward(state.model.forward(state.x), state.target)
        state.model.backward(state.x, state.criterion.backward(state.model.output, state.target))
        state.model.updateParameters(0.1)
    assert_close(loaded.flat, saved.flat)
    assert_close(loaded.model.output, saved.model.output)
    assert loaded.criterion.output == saved.criterion.output


@pytest.mark.parametrize("path", FILES[:: len(FILES) // 60], ids=lambda p: f"{p.stem}")
def test_clones_are_what_saving_and_loading_gives(path):
    record = checkpoint.load(path)
    modules = [v for v in record.values() if isinstance(v, Module)]
    for module in modules:
        expected = checkpoint.dumps(module, storages="whole")
        assert checkpoint.dumps(module.clone(), storages="whole") == expected
