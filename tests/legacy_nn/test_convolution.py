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


def _reading_old(name):
    """Return a module that unfolds its input, and a shape for it."""
    made = {
        "spatial": (lambda: nn.SpatialConvolution(2, 3, 3, 2, 1, 2, 1), (4, 2, 6, 7)),
        "matrix": (lambda: nn.SpatialConvolutionMM(2, 3, 2, 2), (4, 2, 5, 5)),
        "local": (lambda: nn.SpatialConvolutionLocal(2, 3, 5, 5, 3, 3), (4, 2, 5, 5)),
        "depthwise": (lambda: nn.SpatialDepthWiseConvolution(2, 2, 3, 3), (4, 2, 5, 5)),
        "volumetric": (lambda: nn.VolumetricConvolution(2, 3, 2, 2, 2), (4, 2, 3, 4, 4)),
        "rows": (lambda: nn.TemporalRowConvolution(3, 2), (4, 6, 3)),
        "full": (lambda: nn.SpatialFullConvolution(2, 3, 3, 3), (4, 2, 5, 5)),
        "dilated": (lambda: nn.SpatialDilatedConvolution(2, 3, 2, 2), (4, 2, 5, 5)),
        "temporal": (lambda: nn.TemporalConvolution(3, 4, 2), (4, 6, 3)),
    }
    make, shape = made[name]
    return make(), shape


def _weight_gradient(module, x, g):
    module.zeroGradParameters()
    module.accGradParameters(x, g)
    return module.gradWeight.numpy().copy()


@pytest.mark.parametrize("name", ["spatial", "matrix", "local", "depthwise", "volumetric", "rows"])
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_what_is_written_into_the_input_later_does_not_change_the_gradient(name, kind):
    # THNN multiplies with finput, which forward unfolded.
    module, shape = _reading_old(name)
    module.type(f"torch.{'Double' if kind == 'float64' else 'Float'}Tensor")
    values = np.random.default_rng(1).standard_normal(shape).astype(kind)
    x = tensor(values)
    g = tensor(np.random.default_rng(2).standard_normal(module.forward(x).shape).astype(kind))
    expected = _weight_gradient(module, x, g)
    for _ in range(2):  # what is remembered is renewed
        module.forward(x)
        x.fill_(7)
        found = _weight_gradient(module, x, g)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * abs(expected).max())
        x.copy_(tensor(values))


@pytest.mark.parametrize("name", ["full", "dilated", "temporal"])
def test_kernels_that_unfold_again_read_the_input_as_it_is(name):
    module, shape = _reading_old(name)
    x = tensor(np.random.default_rng(1).standard_normal(shape))
    g = tensor(np.random.default_rng(2).standard_normal(module.forward(x).shape))
    x.mul_(2)
    twice = _weight_gradient(module, x, g)
    module.forward(x)
    np.testing.assert_allclose(twice, _weight_gradient(module, x, g), rtol=1e-12)


def test_branch_in_place_leaves_the_gradient_of_the_convolution_before_it():
    # Two branches on one tensor, and the second writes into it: finput is from before.
    images = np.random.default_rng(3).standard_normal((2, 2, 5, 5))
    g = np.random.default_rng(4).standard_normal((2, 3, 3, 3))
    convolution = nn.SpatialConvolution(2, 3, 3, 3)
    branches = nn.ConcatTable().add(convolution).add(nn.ReLU(True))
    x = tensor(images)
    branches.forward(x)
    branches.zeroGradParameters()
    branches.backward(x, Table([tensor(g), zeros(images.shape)]))
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(2, 3))
    expected = np.einsum("noyx,ncyxhw->ochw", g, windows)
    np.testing.assert_allclose(convolution.gradWeight.numpy(), expected, rtol=1e-10)
    assert (x.numpy() >= 0).all()


def test_smaller_batch_goes_back_from_the_start_of_the_last_one():
    # THNN selects finput[t] for each image t of the batch that it is given.
    module, shape = _reading_old("spatial")
    x = tensor(np.random.default_rng(1).standard_normal(shape))
    g = tensor(np.random.default_rng(2).standard_normal(module.forward(x).shape))
    found = _weight_gradient(module, zeros((2, *shape[1:])), g[:2])
    module.forward(x[:2])
    np.testing.assert_allclose(found, _weight_gradient(module, x[:2], g[:2]), rtol=1e-12)
    with pytest.raises(ShapeError, match="size mismatch"):
        module.accGradParameters(x, g)
