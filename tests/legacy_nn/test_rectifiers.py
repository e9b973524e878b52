"""Rectifiers against recorded Torch7 runs, and the conventions of THNN."""

import math

import numpy as np
import pytest
from recorded import FIXTURES, check_constructor, check_forward, construct, records, tostring_texts

import rekindle
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import ELU, LeakyReLU, PReLU, ReLU, ReLU6, RReLU, Threshold
from rekindle.legacy_nn.module import ArgumentError
from rekindle.legacy_nn.torch7 import random

CLASSES = ("Threshold", "ReLU", "ReLU6", "LeakyReLU", "RReLU", "PReLU", "ELU")
RECORDS = records(*CLASSES)
PREFIXES = tuple(f"nn.{c}(" for c in CLASSES)
TEXTS = {lua: text for lua, text in tostring_texts().items() if lua.startswith(PREFIXES)}


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize(("lua", "text"), TEXTS.items())
def test_text(lua, text):
    assert repr(construct(lua)) == text


def test_in_place_changes_the_input_and_the_output_views_it():
    record = rekindle.load(FIXTURES / "behaviour" / "inplace_relu_input.t7")
    module, x = ReLU(True), record["inputs"]["x"]
    output = module.updateOutput(x)
    np.testing.assert_array_equal(x.numpy(), record["results"]["input_after"].numpy())
    assert (output is x) == record["results"]["output_is_input"]
    assert (output.storage() is x.storage()) == record["results"]["shares"]
    assert output is module.output


def test_the_frameworks_call_leaves_the_input_of_an_in_place_module_alone():
    x = tensor([-1.0, 2.0], "float64")
    assert ReLU(True)(x).tolist() == [0.0, 2.0]
    assert x.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        # THNN tests `x > threshold` out of place and `x <= threshold` in place
        (ReLU(), 0.0),
        (ReLU(True), math.nan),
        (Threshold(1, -3), -3.0),
        (ReLU6(), 6.0),
        (ReLU6(True), math.nan),
        (LeakyReLU(), math.nan),
        (ELU(), math.nan),
        (RReLU(), math.nan),
    ],
)
def test_nan(module, expected):
    np.testing.assert_equal(module.updateOutput(tensor([math.nan], "float64")).item(), expected)


def test_defaults_and_flags_are_luas():
    assert (Threshold().threshold, Threshold().val) == (1e-6, 0)
    assert (LeakyReLU(True).negval, LeakyReLU(True).inplace) == (0.01, False)
    assert not LeakyReLU(-0.5, True).inplace
    assert (ELU().alpha, RReLU().lower, RReLU().upper) == (1, 1 / 8, 1 / 3)


def test_text_of_rrelu():
    assert repr(RReLU()) == "nn.RReLU (l:0.125000, u:0.333333)"  # RReLU.lua: %s (l:%f, u:%f)


def test_rrelu_draws_for_elements_that_are_not_positive_only():
    x = tensor([[1.0, -1.0], [0.0, 2.0]], "float64")
    module = RReLU(0.1, 0.3)
    random.manual_seed(5)
    module.updateOutput(x)
    after = random.default.uniform(1)
    generator = random.Generator(5)
    slopes = generator.uniform(2, 0.1, 0.3)
    np.testing.assert_array_equal(module.noise.numpy(), [[1, slopes[0]], [slopes[1], 1]])
    assert after == generator.uniform(1)


def test_rrelu_evaluates_with_the_middle_slope_and_draws_nothing():
    module = RReLU(0.1, 0.3).evaluate()
    random.manual_seed(5)
    np.testing.assert_allclose(module(tensor([-2.0, 2.0], "float64")).numpy(), [-0.4, 2.0])
    assert random.default.words(1) == random.Generator(5).words(1)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 1, 2, 2)])
def test_prelu_planes_are_dimension_2_or_the_only_one(shape):
    module = PReLU(3)
    module.weight.detach().copy_(np.array([0.1, 0.2, 0.3]))
    x = np.random.default_rng(0).normal(size=shape)
    y = module(tensor(x)).numpy()
    axis = min(1, len(shape) - 1)
    for i, slope in enumerate((0.1, 0.2, 0.3)):
        plane = x.take(i, axis)
        np.testing.assert_allclose(y.take(i, axis), np.maximum(plane, slope * plane))


def test_prelu_with_another_number_of_planes_is_refused():
    with pytest.raises(ShapeError, match="Expected 3 but got 4"):
        PReLU(3)(tensor(np.zeros((2, 4))))


@pytest.mark.parametrize(
    "construct",
    [
        lambda: ReLU(0.1),
        lambda: ReLU6(1),
        lambda: ELU(1, "yes"),
        lambda: Threshold(0, 1, True),
        lambda: RReLU(0.5, 0.1),
        lambda: RReLU(-0.1),
    ],
)
def test_bad_arguments_are_refused(construct):
    with pytest.raises(ArgumentError):
        construct()


def test_threshold_from_before_the_in_place_flag():
    record = rekindle.load(FIXTURES / "serialization" / "oldnn_threshold_noinplace.bin.t7")
    module = record["module"]
    assert "inplace" not in vars(module)
    x = record["input"].numpy()
    expected = np.where(x > module.threshold, x, module.val)
    np.testing.assert_array_equal(module(record["input"]).numpy(), expected)
