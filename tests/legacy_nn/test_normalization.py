"""Normalisation modules against recorded Torch7 runs and their definitions."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close, check_constructor, check_forward, construct, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full, zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn.module import ArgumentError, ModuleError
from rekindle.legacy_nn.torch7 import random

BATCH = records("BatchNormalization", "SpatialBatchNormalization", "VolumetricBatchNormalization")
LOCAL = records(
    "SpatialCrossMapLRN",
    "SpatialSubtractiveNormalization",
    "SpatialDivisiveNormalization",
    "SpatialContrastiveNormalization",
)


@pytest.mark.parametrize("path", BATCH, ids=lambda p: p.stem)
def test_batch_normalization(path):
    training = checkpoint.load(path).train
    check_forward(path, skip=() if training else ("save_mean", "save_std"))


@pytest.mark.parametrize("path", LOCAL, ids=lambda p: p.stem)
def test_local_normalization(path):
    check_forward(path)


@pytest.mark.parametrize("path", BATCH + LOCAL, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("name", ["BatchNormalization", "SpatialBatchNormalization"])
def test_initial_parameters_are_torch7s(name):
    record = checkpoint.load(FIXTURES / "behaviour" / f"init_{name}.t7")
    random.manual_seed(7)
    module = construct(record.inputs.ctor)
    assert_close(Table(module.parameters()[0]), record.results.params)
    running = Table([module.running_mean, module.running_var])
    assert_close(running, record.results.running[1])
    assert random.default.words(1)[0] == record.results.next_random


def test_version_1_kept_inverse_deviations(old_record):
    module, x, expected = old_record("bn_v1")
    assert "running_std" not in vars(module)
    assert_close(module.updateOutput(x), expected)


def test_evaluation_takes_one_sample():
    module = nn.SpatialBatchNormalization(2).evaluate()
    x = random.normal(zeros((2, 3, 4), "float64"))
    assert_close(module(x), module(x.unsqueeze(0)))
    with pytest.raises(ShapeError, match="4-D input with 2 features"):
        module.training()(x)


def test_a_batch_of_one_uses_and_keeps_the_running_moments():
    module = nn.BatchNormalization(3)
    module.running_mean.fill_(2)
    x = random.normal(zeros((1, 3), "float64"))
    expected = (x.numpy() - 2) / np.sqrt(1 + 1e-5) * module.weight.numpy()
    np.testing.assert_allclose(module(x).numpy(), expected, rtol=1e-14)
    assert module.running_mean.tolist() == [2, 2, 2]


def test_training_updates_running_moments_once_in_either_protocol():
    x = random.normal(zeros((5, 2), "float64"))
    for call in ("updateOutput", "__call__"):
        module = nn.BatchNormalization(2, None, 0.5)
        getattr(module, call)(x)
        mean, variance = x.numpy().mean(0), x.numpy().var(0, ddof=1)
        np.testing.assert_allclose(module.running_mean.numpy(), mean / 2, rtol=1e-13)
        np.testing.assert_allclose(module.running_var.numpy(), variance / 2 + 0.5, rtol=1e-13)


def test_without_momentum_it_evaluates_and_does_not_train():
    module = nn.BatchNormalization(2)
    del module.momentum
    x = random.normal(zeros((5, 2), "float64"))
    assert module.evaluate()(x).shape == (5, 2)
    with pytest.raises(ModuleError, match="no momentum"):
        module.training()(x)


def test_constant_features_without_eps_become_the_bias():
    module = nn.BatchNormalization(1, 0)
    module.bias.detach().fill_(3)
    assert module(full((4, 1), 7, "float64")).tolist() == [[3]] * 4
    assert module.save_std.tolist() == [0]


@pytest.mark.parametrize("features", [0, True, None, "3"])
def test_number_of_features_is_checked(features):
    with pytest.raises(ArgumentError, match="number of features"):
        nn.BatchNormalization(features)


def test_even_kernels_are_refused():
    with pytest.raises(ArgumentError, match="must have ODD dimensions"):
        nn.SpatialSubtractiveNormalization(1, full((3, 4), 1, "float64"))


def test_weights_of_the_averages_belong_to_the_model():
    module = nn.SpatialContrastiveNormalization(2, full((3, 3), 1, "float64"))
    inside = [path for path, m in module.named_modules() if m.weight is not None]
    assert inside == [
        "normalizer.modules[1].meanestimator.modules[2]",
        "normalizer.modules[2].meanestimator.modules[2]",
        "normalizer.modules[2].stdestimator.modules[3]",
    ]
    assert module.parameters() == ([], [])
