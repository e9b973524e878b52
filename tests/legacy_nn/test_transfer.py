"""Transfer functions and SoftMax's kin against recorded Torch7 runs, and at the edges."""

import math

import numpy as np
import pytest
from recorded import FIXTURES, check_constructor, check_forward, construct, records, tostring_texts
from scipy import special

import rekindle
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import (
    GradientReversal,
    HardShrink,
    HardTanh,
    LogSigmoid,
    LogSoftMax,
    SoftMax,
    SoftMin,
    SoftShrink,
    SpatialLogSoftMax,
    SpatialSoftMax,
)
from rekindle.legacy_nn.module import ArgumentError

CLASSES = (
    *("Tanh", "TanhShrink", "Sigmoid", "LogSigmoid", "HardTanh", "HardShrink", "SoftShrink"),
    *("SoftPlus", "SoftSign", "GradientReversal"),
    *("SoftMax", "SoftMin", "LogSoftMax", "SpatialSoftMax", "SpatialLogSoftMax"),
)
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


def test_log_sigmoid_does_not_overflow():
    x = np.array([-900.0, -30, 0, 30, 900])
    y = LogSigmoid()(tensor(x)).numpy()
    np.testing.assert_allclose(y, special.log_expit(x), rtol=1e-15, atol=1e-12)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (HardTanh(-2, 3), 3.0),
        (HardTanh(-2, 3, True), math.nan),
        (HardShrink(), 0.0),
        (SoftShrink(), 0.0),
    ],
)
def test_nan(module, expected):
    np.testing.assert_equal(module.updateOutput(tensor([math.nan], "float64")).item(), expected)


@pytest.mark.parametrize("arguments", [(1, 1), (2, -2), (-1, 1, "yes")])
def test_hardtanh_refuses_bad_arguments(arguments):
    with pytest.raises(ArgumentError):
        HardTanh(*arguments)


def test_gradient_reversal_gives_a_view_of_its_input():
    module, x = GradientReversal(0.3), tensor([1.0, 2.0], "float64")
    first = module.output
    assert module.updateOutput(x) is first
    assert first.storage() is x.storage()
    assert vars(module)["lambda"] == 0.3


def test_gradient_reversal_of_version_1_has_the_factor_1():
    record = rekindle.load(FIXTURES / "serialization" / "oldnn_gradrev_v1.bin.t7")
    assert vars(record["module"])["lambda"] == 1


@pytest.mark.parametrize(
    ("shape", "axis"), [((5,), 0), ((2, 5), 1), ((5, 2, 3), 0), ((2, 5, 3, 4), 1)]
)
def test_softmax_is_over_the_features(shape, axis):
    x = np.random.default_rng(0).normal(size=shape) * 100
    for cls in (SoftMax, SpatialSoftMax):
        np.testing.assert_allclose(cls()(tensor(x)).numpy(), special.softmax(x, axis), rtol=1e-12)
    for cls in (LogSoftMax, SpatialLogSoftMax):
        expected = special.log_softmax(x, axis)
        np.testing.assert_allclose(cls()(tensor(x)).numpy(), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(SoftMin()(tensor(x)).numpy(), special.softmax(-x, axis), rtol=1e-12)


@pytest.mark.parametrize("cls", [SoftMax, SoftMin, LogSoftMax])
def test_softmax_of_five_dimensions_is_refused(cls):
    with pytest.raises(ShapeError, match=r"given shape \(1, 2, 3, 4, 5\)"):
        cls()(tensor(np.zeros((1, 2, 3, 4, 5))))
