"""Convolution modules against recorded Torch7 runs, plain loops and their own constructors."""

import numpy as np
import pytest
from recorded import FIXTURES, assert_close, check_constructor, check_forward, construct, records

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor, zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn.module import ArgumentError
from rekindle.legacy_nn.torch7 import random

RECORDS = records(
    *("SpatialConvolution", "SpatialConvolutionMM", "SpatialDilatedConvolution"),
    *("SpatialDepthWiseConvolution", "SpatialFullConvolution", "SpatialConvolutionLocal"),
    *("SpatialConvolutionMap", "SpatialFullConvolutionMap", "TemporalConvolution"),
    *("VolumetricConvolution", "VolumetricDilatedConvolution", "VolumetricFullConvolution"),
)
INITS = [FIXTURES / "behaviour" / f"init_{name}.t7" for name in (
    *("PartialConnected_Map", "SpatialConvolution", "SpatialConvolutionMM"),
    *("SpatialConvolution_nobias", "SpatialDilatedConvolution", "VolumetricConvolution"),
    "VolumetricFullConvolution",
)]  # fmt: skip


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_forward(path):
    check_forward(path)


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_constructor(path):
    check_constructor(path)


@pytest.mark.parametrize("path", INITS, ids=lambda p: p.stem)
def test_initial_parameters_are_torch7s(path):
    record = checkpoint.load(path)
    random.manual_seed(7)
    module = construct(record.inputs.ctor)
    assert_close(Table(module.parameters()[0]), record.results.params)
    assert random.default.words(1)[0] == record.results.next_random


@pytest.mark.parametrize(
    "name", ["conv_mm2d", "convmm_nopad", "fullconv_noadj", "volfullconv_oldpad"]
)
def test_old_files(name, old_record):
    module, x, expected = old_record(name)
    assert_close(module.updateOutput(x), expected)
    assert_close(module(x), expected)


def test_matrix_weight_of_old_files_keeps_its_identity():
    saved = nn.SpatialConvolution(2, 3, 3, 3)
    weight = saved.weight
    weight.set_(weight.storage(), 0, (3, 18))
    saved.gradWeight.set_(saved.gradWeight.storage(), 0, (3, 18))
    module, again = checkpoint.loads(checkpoint.dumps(Table([saved, saved.weight]))).array()
    assert module.weight is again
    assert module.weight.shape == module.weight.grad.shape == (3, 2, 3, 3)


def test_one_image_is_a_batch_of_one():
    x = random.normal(zeros((2, 2, 6, 5), "float64"))
    for module in (
        nn.SpatialConvolution(2, 3, 3, 2, 2, 1, 1, 0),
        nn.SpatialFullConvolution(2, 3, 3, 2, 2, 1, 1, 0, 1, 0),
        nn.SpatialConvolutionMap(nn.tables.full(2, 3), 3, 2),
    ):
        np.testing.assert_allclose(module(x[1]).numpy(), module(x)[1].numpy(), rtol=1e-14)


def test_depthwise_convolution_reads_oblong_images_as_torch7_does():
    module = nn.SpatialDepthWiseConvolution(2, 2, 3, 2)
    x = random.normal(zeros((1, 2, 4, 6), "float64"))
    memory = x.numpy().reshape(2, 6, 4)  # Torch7 takes size 3 for the width, size 4 for the height
    weight = module.weight.numpy().reshape(2, 2, 2, 3)
    expected = np.empty((4, 5, 2))
    for plane in range(2):
        for filter in range(2):
            for i in range(5):
                for j in range(2):
                    seen = memory[plane, i : i + 2, j : j + 3]
                    y = (seen * weight[filter, plane]).sum() + module.bias.numpy()[filter, plane]
                    expected[plane * 2 + filter, i, j] = y
    np.testing.assert_allclose(module(x).numpy()[0], expected, rtol=1e-13)


def test_full_convolution_takes_the_size_of_its_second_input():
    module = nn.SpatialFullConvolution(2, 3, 3, 3, 2, 2, 1, 1)
    x = zeros((1, 2, 4, 5), "float64")
    assert module(x).shape == (1, 3, 7, 9)
    assert module([x, zeros((1, 1, 8, 9), "float32")]).shape == (1, 3, 8, 9)


def test_full_convolution_goes_back_to_its_two_inputs_after_clearing():
    module = nn.SpatialFullConvolution(2, 3, 3, 3, 2, 2, 1, 1)
    x = [tensor(np.ones((1, 2, 4, 4))), zeros((1, 3, 8, 8), "float64")]
    g = tensor(np.random.default_rng(0).normal(size=module.forward(x).shape))
    expected = module.backward(x, g)[1].numpy().copy()
    module.clearState()
    module.forward(x)
    first, second = module.backward(x, g).array()
    np.testing.assert_array_equal(first.numpy(), expected)
    assert second.shape == x[1].shape


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 1, 3, 3)])
def test_dimensions_of_the_input_are_checked(shape):
    with pytest.raises(ShapeError, match=r"nn\.SpatialConvolution takes a 3-D or 4-D input"):
        nn.SpatialConvolution(1, 1, 1, 1)(zeros(shape, "float64"))


def test_sizes_that_fit_nothing_are_refused():
    with pytest.raises(ArgumentError, match="smaller than the strides"):
        nn.SpatialFullConvolution(1, 1, 3, 3, 2, 2, 0, 0, 2, 0)
    with pytest.raises(ArgumentError, match="does not fit images of 2x5"):
        nn.SpatialConvolutionLocal(1, 1, 2, 5, 3, 3)
    with pytest.raises(ShapeError, match="inconsistent with expected input size"):
        nn.SpatialConvolutionLocal(1, 1, 4, 5, 3, 3)(zeros((1, 4, 5), "float64"))
    with pytest.raises(ShapeError, match="Got: 3, Expected: 4"):
        nn.TemporalConvolution(4, 3, 2)(zeros((6, 3), "float64"))


def test_connections_can_repeat():
    module = nn.SpatialConvolutionMap(tensor([[1, 1], [1, 1]], "float64"), 2, 2)
    x = random.normal(zeros((1, 3, 3), "float64"))
    single = nn.SpatialConvolution(1, 1, 2, 2)
    single.weight.detach().copy_(module.weight.sum(axis=0).reshape(1, 1, 2, 2))
    single.bias.detach().copy_(module.bias)
    np.testing.assert_allclose(module(x).numpy(), single(x).numpy(), rtol=1e-13)
