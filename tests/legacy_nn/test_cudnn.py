"""The cudnn modules against recorded files, and against nn where the two are the same."""

import warnings

import numpy as np
import pytest
from recorded import FIXTURES, SEED, assert_close

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full, zeros
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import cudnn
from rekindle.legacy_nn.module import ArgumentError, ModuleError
from rekindle.legacy_nn.torch7 import random

FILES = (
    *("convnet_native", "convnet_convert", "convnet_native_ascii", "convnet_modes"),
    *("dcgan_generator", "dcgan_generator_ascii_convert", "dcgan_discriminator"),
    *("avgpool_pad_native", "avgpool_pad_native_unused", "avgpool_pad_convert_exclude"),
    *("groups2_alexnet_like", "groups3_depthwise_nobias", "alexnet_lrn_ceil", "clipped_relu"),
    *("softmax_instance_4d", "logsoftmax_instance_4d", "spatialsoftmax_4d"),
    *("volumetricsoftmax_5d", "volumetric_c3d", "volumetric_c3d_convert", "volumetric_fullconv"),
    *("temporal_conv", "batchnorm_v1_running_std", "resnet_blocks", "resnet_blocks_convert"),
)


def gpu_file(name):
    expected = checkpoint.load(FIXTURES / "gpu" / f"{name}.expect.t7")
    return checkpoint.load(FIXTURES / "gpu" / f"{name}.t7"), expected


def drawn(*shape, dtype="float64"):
    return random.normal(zeros(shape, dtype))


@pytest.mark.parametrize("name", FILES)
def test_recorded_evaluation(name):
    module, expected = gpu_file(name)
    module.evaluate()
    assert_close(module.updateOutput(expected.input), expected.output, tolerance=1e-4)
    assert_close(module(expected.input), expected.output, tolerance=1e-4)


@pytest.mark.parametrize("name", [name for name in FILES if "softmax" not in name])
def test_recorded_training(name):
    module, expected = gpu_file(name)
    random.manual_seed(SEED)
    assert_close(module.training()(expected.input), expected.output_train, tolerance=1e-4)
    moments = [
        Table([m.running_mean, m.running_var])
        for _, m in module.named_modules()
        if isinstance(m, nn.BatchNormalization)
    ]
    if moments:
        assert_close(Table(moments), expected.runningAfterTrain, tolerance=1e-4)


def test_half_precision_keeps_moments_in_single():
    module, expected = gpu_file("cudahalf_convnet")
    y = module.evaluate()(expected.input.astype("float16"))
    assert y.dtype == "float16"
    assert_close(y.astype("float32"), expected.output, tolerance=expected.tolerance)
    norm = next(m for _, m in module.named_modules() if isinstance(m, cudnn.BatchNormalization))
    assert norm.running_mean.dtype == "float32"
    module.training()(expected.input.astype("float16"))
    assert norm.running_mean.dtype == "float32"


@pytest.mark.parametrize(
    ("file", "index", "module"),
    [
        ("convnet_native", 1, lambda: cudnn.SpatialConvolution(3, 4, 3, 3, 1, 1, 1, 1)),
        ("convnet_native", 2, lambda: cudnn.SpatialBatchNormalization(4)),
        ("convnet_native", 3, lambda: cudnn.ReLU(True)),
        ("convnet_native", 4, lambda: cudnn.SpatialMaxPooling(2, 2)),
        ("convnet_native", 7, lambda: cudnn.SpatialAveragePooling(2, 2)),
        ("convnet_native", 10, lambda: cudnn.LogSoftMax()),
        ("dcgan_generator", 7, lambda: cudnn.SpatialFullConvolution(4, 3, 3, 3, 2, 2, 1, 1, 1, 1)),
        ("dcgan_generator", 8, lambda: cudnn.Tanh()),
        ("temporal_conv", 4, lambda: cudnn.TemporalConvolution(4, 3, 2, 2)),
        ("volumetric_c3d", 1, lambda: cudnn.VolumetricConvolution(2, 3, 2, 3, 3, 1, 1, 1, 1)),
        ("volumetric_c3d", 4, lambda: cudnn.VolumetricMaxPooling(2, 2, 2)),
        ("volumetric_fullconv", 2, lambda: cudnn.Sigmoid()),
        ("clipped_relu", 2, lambda: cudnn.ClippedReLU(0.4)),
    ],
)  # fmt: skip
def test_constructor_makes_the_fields_of_a_native_file(file, index, module):
    made, original = module(), gpu_file(file)[0].get(index)
    assert type(made) is type(original)
    assert repr(made) == repr(original)
    # cleared when the file was written, or made at the first run and never by us
    buffers = {"ones", "finput", "fgradInput", "iSize", "train", "algorithm", "_type"}
    for name in set(vars(made)) - buffers:
        a, b = vars(made)[name], vars(original)[name]
        assert getattr(a, "shape", a) == getattr(b, "shape", b), name


def test_fields_only_for_cudnn_are_kept():
    module = gpu_file("convnet_native")[0]
    module(gpu_file("convnet_native")[1].input)
    again = checkpoint.loads(checkpoint.dumps(module)).get(1)
    assert again.iSize.tolist() == [2, 3, 8, 8]
    assert again.input_offset == 192
    assert again.autotunerHash.startswith("-dimA2,3,8,8")


def test_groups_are_convolutions_side_by_side():
    module = cudnn.SpatialConvolution(4, 6, 3, 3, 1, 1, 1, 1, 2)
    assert module.weight.shape == (6, 2, 3, 3)
    x, halves = drawn(2, 4, 5, 5), []
    for g in range(2):
        half = nn.SpatialConvolution(2, 3, 3, 3, 1, 1, 1, 1)
        half.weight.detach().copy_(module.weight[g * 3 : g * 3 + 3])
        half.bias.detach().copy_(module.bias[g * 3 : g * 3 + 3])
        halves.append(half(x[:, g * 2 : g * 2 + 2]).numpy())
    np.testing.assert_allclose(module(x).numpy(), np.concatenate(halves, 1), rtol=1e-12)
    with pytest.raises(ArgumentError, match="not divisible by 3 groups"):
        cudnn.SpatialConvolution(4, 6, 3, 3, 1, 1, 0, 0, 3)


def test_temporal_convolution_pads_both_ends():
    module, plain = cudnn.TemporalConvolution(3, 2, 4, 2, 1), nn.TemporalConvolution(3, 2, 4, 2)
    plain.weight.detach().copy_(module.weight)
    plain.bias.detach().copy_(module.bias)
    x = drawn(6, 3)
    padded = zeros((8, 3), "float64")
    padded[1:7] = x
    np.testing.assert_allclose(module(x).numpy(), plain(padded).numpy(), rtol=1e-13)


def test_algorithms_are_fields():
    module = cudnn.SpatialConvolution(1, 1, 1, 1).fastest().setMode("A", None, "B")
    assert (module.fastest_mode, module.fmode, module.bwmode) == (True, "A", "B")
    assert "bdmode" not in vars(module)
    assert not {"fmode", "bwmode"} & set(vars(module.resetMode()))


def test_average_pooling_counts_padding_whatever_the_flag_says():
    module = cudnn.SpatialAveragePooling(2, 2, 1, 1, 1, 1)
    module.count_include_pad = False
    assert module(full((1, 1, 1), 4, "float64")).tolist() == [[[1, 1], [1, 1]]]
    module.divide = False
    with pytest.raises(ModuleError, match="cannot give sums"):
        module(full((1, 1, 1), 4, "float64"))


@pytest.mark.parametrize("shape", [(5,), (2, 5), (3, 2, 2), (2, 3, 2, 2)])
def test_softmax_normalises_a_sample_and_spatial_softmax_a_place(shape):
    x = drawn(*shape)
    batch = len(shape) % 2 == 0
    sample = tuple(range(batch, len(shape)))
    for module, axes in ((cudnn.SoftMax(), sample), (cudnn.SpatialSoftMax(), int(batch))):
        exp = np.exp(x.numpy())
        expected = exp / exp.sum(axis=axes, keepdims=True)
        np.testing.assert_allclose(module(x).numpy(), expected, rtol=1e-13)
    for log, module in (
        (cudnn.LogSoftMax(), cudnn.SoftMax()),
        (cudnn.SpatialLogSoftMax(), cudnn.SpatialSoftMax(True)),
    ):
        np.testing.assert_allclose(np.exp(log(x).numpy()), module(x).numpy(), rtol=1e-13)


def test_volumetric_log_softmax():
    x = drawn(2, 3, 2, 2, 4)
    y = cudnn.VolumetricLogSoftMax()(x).numpy()
    np.testing.assert_allclose(np.exp(y), cudnn.VolumetricSoftMax()(x).numpy(), rtol=1e-13)
    np.testing.assert_allclose(np.exp(y).sum(1), 1, rtol=1e-13)


def test_running_var_from_before_versions_is_kept_with_a_warning():
    fields = Table(vars(cudnn.SpatialBatchNormalization(2)))
    module = cudnn.SpatialBatchNormalization.__new__(cudnn.SpatialBatchNormalization)
    with pytest.warns(UserWarning, match=r"running_var held 1 / sqrt\(variance \+ eps\)"):
        module.t7_restore(1, fields)
    assert module.running_var.tolist() == [1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.t7_restore(2, fields)


@pytest.mark.parametrize(
    ("meaning", "expected"), [("variance", 0.5), ("inverse-std", 0.5**-2 - 1e-5)]
)
def test_running_var_from_before_versions_is_read_as_told(meaning, expected):
    module = cudnn.SpatialBatchNormalization(2)
    module.running_var.fill_(0.5)
    fields = Table(vars(module))
    with warnings.catch_warnings(), cudnn.running_var_as(meaning):
        warnings.simplefilter("error")
        module.t7_restore(1, fields)
    assert module.running_var.tolist() == pytest.approx([expected] * 2)
    with pytest.raises(ArgumentError, match="variance or inverse-std; given 'std'"):
        cudnn.running_var_as("std").__enter__()


def test_batch_normalization_takes_batches_with_scale_and_shift_only():
    with pytest.raises(ArgumentError, match="always has a scale and a shift"):
        cudnn.BatchNormalization(3, None, None, False)
    with pytest.raises(ShapeError):
        cudnn.BatchNormalization(3).evaluate()(drawn(3))


def test_limits_of_cross_map_normalization():
    assert cudnn.SpatialCrossMapLRN().size == 5
    with pytest.raises(ArgumentError, match="from 1 to 16"):
        cudnn.SpatialCrossMapLRN(17)


def test_clipped_relu_in_place_writes_into_its_input():
    x = drawn(4, 5)
    expected = np.clip(x.numpy(), 0, 0.5)
    y = cudnn.ClippedReLU(0.5, True).updateOutput(x)
    np.testing.assert_array_equal(x.numpy(), expected)
    assert y.storage() is x.storage()
