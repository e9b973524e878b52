"""Borders and upsampling against recorded Torch7 runs and NumPy."""

import numpy as np
import pytest
from recorded import check_constructor, check_forward, construct, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.creation import zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn.module import ArgumentError
from rekindle.legacy_nn.torch7 import random

BORDERS = records(
    *("SpatialZeroPadding", "SpatialReflectionPadding", "SpatialReplicationPadding"),
    "VolumetricReplicationPadding",
)
UPSAMPLING = records("UpSampling")
UNFILLED = records("SpatialUpSamplingNearest", "SpatialUpSamplingBilinear")
"""Their constructors leave the contents of two LongStorages to chance."""


@pytest.mark.parametrize("path", BORDERS + UPSAMPLING + UNFILLED, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", BORDERS + UPSAMPLING, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("path", UNFILLED, ids=lambda p: p.stem)
def test_constructor_of_unfilled_storages(path):
    record = checkpoint.load(path)
    module = construct(record.ctor)
    assert set(vars(module)) | {"train"} == set(vars(record.module)) | {"train"}
    assert module.inputSize.size == module.outputSize.size == record.module.inputSize.size
    assert repr(module) == repr(record.module)


@pytest.mark.parametrize(
    ("module", "mode"),
    [
        (nn.SpatialZeroPadding(1, 2, 0, 3), "constant"),
        (nn.SpatialReflectionPadding(1, 2, 0, 3), "reflect"),
        (nn.SpatialReplicationPadding(1, 2, 0, 3), "edge"),
    ],
)
def test_borders(module, mode):
    x = random.normal(zeros((2, 4, 5), "float64"))
    expected = np.pad(x.numpy(), [(0, 0), (0, 3), (1, 2)], mode)
    np.testing.assert_array_equal(module(x).numpy(), expected)


def test_negative_borders_crop():
    x = random.normal(zeros((2, 4, 5), "float64"))
    y = nn.SpatialZeroPadding(-1, 1, -2, 0)(x).numpy()
    np.testing.assert_array_equal(y[:, :, :-1], x.numpy()[:, 2:, 1:])
    with pytest.raises(ShapeError):
        nn.SpatialZeroPadding(-3)(x)


def test_nearest_upsampling_repeats():
    x = random.normal(zeros((2, 2, 3), "float64"))
    y = nn.SpatialUpSamplingNearest(2)(x).numpy()
    np.testing.assert_array_equal(y, x.numpy().repeat(2, 1).repeat(2, 2))


@pytest.mark.parametrize("scale", [0, 1.5, "2", None])
def test_factors_are_whole(scale):
    with pytest.raises(ArgumentError, match="whole factor"):
        nn.SpatialUpSamplingNearest(scale)


def test_sizes_are_checked():
    with pytest.raises(ArgumentError, match="linear interpolation"):
        nn.UpSampling({"oheight": 2, "owidth": 3}, "nearest")
    flat = nn.UpSampling({"oheight": 2, "owidth": 3}, "linear")
    assert flat(zeros((1, 1, 4, 4), "float64")).shape == (1, 1, 2, 3)
    with pytest.raises(ArgumentError, match="all 3 dimensions"):
        flat(zeros((1, 1, 4, 4, 4), "float64"))
