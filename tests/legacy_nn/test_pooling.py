"""Pooling modules against recorded Torch7 runs, and unpooling against pooling."""

import numpy as np
import pytest
from recorded import assert_close, check_constructor, check_forward, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.creation import full, tensor, zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn.modernise import modernise
from rekindle.legacy_nn.module import ArgumentError, ModuleError
from rekindle.legacy_nn.torch7 import random

SPATIAL = records(
    *("SpatialMaxPooling", "SpatialDilatedMaxPooling", "SpatialMaxUnpooling"),
    *("SpatialAveragePooling", "SpatialLPPooling", "SpatialSubSampling"),
    *("SpatialAdaptiveMaxPooling", "SpatialAdaptiveAveragePooling", "TemporalMaxPooling"),
    *("VolumetricAveragePooling", "VolumetricMaxUnpooling"),
)
PACKED = records("VolumetricMaxPooling", "VolumetricDilatedMaxPooling")
"""Their indices are three bytes each; Torch7 leaves the rest of the eight as it was."""
# Unpooling modules take a pooling that has run. The recording cloned the modules, and Torch7
# loses ceil_mode of VolumetricDilatedMaxPooling then.
CONSTRUCTORS = [
    path
    for path in SPATIAL + PACKED
    if "Unpooling" not in path.stem and path.stem != "VolumetricDilatedMaxPooling__02"
]


@pytest.mark.parametrize("path", SPATIAL, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", PACKED, ids=lambda p: p.stem)
def test_forward_and_packed_indices(path):
    check_forward(path, skip=("indices",))
    record = checkpoint.load(path)
    record.module(record.input)
    expected = record.after.indices.numpy() & 0xFFFFFF
    np.testing.assert_array_equal(record.module.indices.numpy(), expected)


@pytest.mark.parametrize("path", CONSTRUCTORS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize(
    "name", ["avgpool_nodivide", "avgpool_nofields", "maxpool_nopad", "volmaxpool_v1"]
)
def test_old_files(name, old_record):
    module, x, expected = old_record(name)
    assert_close(module.updateOutput(x), expected)
    assert_close(module(x), expected)


def test_rounding_is_chosen_by_method():
    module = nn.SpatialMaxPooling(2, 2)
    x = zeros((1, 5, 4), "float64")
    assert module(x).shape == (1, 2, 2)
    assert module.ceil()(x).shape == (1, 3, 2)
    assert module.floor()(x).shape == (1, 2, 2)


def test_average_excludes_padding_if_asked():
    module, x = nn.SpatialAveragePooling(2, 2, 1, 1, 1, 1), full((1, 1, 1), 4, "float64")
    assert module(x).tolist() == [[[1, 1], [1, 1]]]
    assert module.setCountExcludePad()(x).tolist() == [[[4, 4], [4, 4]]]
    assert module.setCountIncludePad()(x).tolist() == [[[1, 1], [1, 1]]]


@pytest.mark.parametrize(
    ("pooling", "unpooling", "shape"),
    [
        (nn.SpatialMaxPooling(2, 3), nn.SpatialMaxUnpooling, (2, 2, 7, 5)),
        (nn.SpatialMaxPooling(3, 3, 3, 3, 1, 1), nn.SpatialMaxUnpooling, (2, 6, 6)),
        (nn.VolumetricMaxPooling(2, 3, 2), nn.VolumetricMaxUnpooling, (2, 2, 4, 6, 6)),
        (
            nn.VolumetricMaxPooling(2, 3, 2, 2, 3, 2, 1, 1, 1),
            nn.VolumetricMaxUnpooling,
            (2, 4, 6, 6),
        ),
    ],
)  # fmt: skip
def test_unpooling_puts_the_maxima_back(pooling, unpooling, shape):
    x = random.uniform(zeros(shape, "float64"), 1, 2)
    maxima = pooling.updateOutput(x)
    back = unpooling(pooling).updateOutput(maxima).numpy()
    assert back.shape == shape
    kept = back != 0
    assert kept.sum() == maxima.size
    np.testing.assert_array_equal(back[kept], x.numpy()[kept])


def test_unpooling_needs_a_pooling_that_has_run():
    pooling = nn.SpatialMaxPooling(2, 2)
    unpooling = nn.SpatialMaxUnpooling(pooling)
    with pytest.raises(ModuleError, match="has run"):
        unpooling(zeros((1, 2, 2), "float64"))
    assert repr(unpooling) == f"nn.SpatialMaxUnpooling associated to {pooling!r}"


def test_unpooling_refuses_what_it_cannot_undo():
    with pytest.raises(ArgumentError, match="kernel must be equal to its stride"):
        nn.SpatialMaxUnpooling(nn.SpatialMaxPooling(3, 3, 2, 2))
    with pytest.raises(ArgumentError, match=r"must be a nn\.SpatialMaxPooling module"):
        nn.SpatialMaxUnpooling(nn.SpatialAveragePooling(2, 2))


def test_dilated_volumetric_pooling_loses_ceil_mode_in_files_as_in_torch7():
    saved = nn.VolumetricDilatedMaxPooling(2, 2, 2).ceil()
    assert checkpoint.loads(checkpoint.dumps(saved)).ceil_mode is False


def test_window_larger_than_the_image_is_refused():
    with pytest.raises(ShapeError):
        nn.SpatialMaxPooling(3, 3)(zeros((1, 2, 2), "float64"))


def test_wide_padding_of_dilated_volumes_leaves_taps_out():
    # As THNN's loops go: for a start of -2 and steps of 2, two of three taps are left out.
    x = np.random.default_rng(3).normal(size=(1, 7, 6, 8))
    module = nn.VolumetricDilatedMaxPooling(5, 3, 5, 1, 2, 1, 2, 1, 2, 2, 1, 2)
    found = module.forward(tensor(x)).numpy()
    kernel, step, pad, spread = (5, 5, 3), (1, 1, 2), (2, 2, 1), (2, 2, 1)
    expected = np.full(found.shape, -np.inf)
    places = np.zeros(found.shape, dtype=int)
    for out in np.ndindex(*found.shape[1:]):
        starts = [o * s - p for o, s, p in zip(out, step, pad, strict=True)]
        counts = [min(k, k + s) for k, s in zip(kernel, starts, strict=True)]
        firsts = [s if s >= 0 else s % d for s, d in zip(starts, spread, strict=True)]
        for tap in np.ndindex(*counts):
            at = [f + t * d for f, t, d in zip(firsts, tap, spread, strict=True)]
            inside = all(a < n for a, n in zip(at, x.shape[1:], strict=True))
            if inside and x[(0, *at)] > expected[(0, *out)]:
                expected[(0, *out)] = x[(0, *at)]
                moved = [t + k - c for t, k, c in zip(tap, kernel, counts, strict=True)]
                places[(0, *out)] = moved[0] + 256 * moved[1] + 65536 * moved[2]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(module.indices.numpy() & 0xFFFFFF, places)
    np.testing.assert_array_equal(module(tensor(x)).numpy(), expected)


def test_weights_of_old_subsampling_files():
    """Of a weight for each element of a window THNN takes as many as there are planes."""
    old = nn.SpatialSubSampling(3, 2, 2, 2, 2)
    whole = np.random.default_rng(0).normal(size=(3, 2, 2))
    old.weight.set_(tensor(whole))
    old.gradWeight.set_(tensor(np.zeros((3, 2, 2))))
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 6))
    sums = x.reshape(2, 3, 2, 2, 3, 2).sum(axis=(3, 5))
    scale = whole.ravel()[:3].reshape(3, 1, 1)
    expected = sums * scale + old.bias.detach().numpy().reshape(3, 1, 1)
    given = tensor(x)
    assert np.allclose(old.forward(given).numpy(), expected, rtol=1e-12)
    assert np.allclose(modernise(old)(given).detach().numpy(), expected, rtol=1e-12)
    old.zeroGradParameters()
    old.backward(given, tensor(np.ones_like(expected)))
    found = old.gradWeight.numpy().ravel()
    assert np.allclose(found[:3], sums.sum(axis=(0, 2, 3)), rtol=1e-12)
    assert not found[3:].any()


def test_unpooling_that_has_not_run_says_what_to_call():
    module = nn.SpatialMaxUnpooling(nn.SpatialMaxPooling(2, 2))
    with pytest.raises(ModuleError, match="has no oheight: call updateOutput first"):
        module.updateGradInput(zeros((1, 1, 2, 2)), zeros((1, 1, 4, 4)))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.SpatialMaxPooling(2, 2), r"3D or 4D input tensor expected but got: \[4\]"),
        (nn.VolumetricMaxPooling(2, 2, 2), r"4D or 5D \(batch mode\) tensor expected for input"),
    ],
)
def test_vectors_are_refused_with_the_words_of_thnn(module, words):
    with pytest.raises(ShapeError, match=words):
        module.forward(zeros(4, dtype="float64"))
