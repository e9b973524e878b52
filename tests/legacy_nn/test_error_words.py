"""Usual mistakes beyond the recorded ones: errors hold the words of torch/nn's own checks."""

import numpy as np
import pytest

from rekindle import legacy_nn as nn
from rekindle.core.creation import ones, tensor
from rekindle.core.errors import RekindleError


def o(*shape):
    return ones(shape, "float64")


def back(module, x, g):
    module.forward(x)
    return module.backward(x, g)


CASES = {
    "SpatialUpSamplingNearest only support 3D or 4D tensors": [
        lambda: nn.SpatialUpSamplingNearest(2).forward(o(2, 3))
    ],
    "SpatialUpSamplingBilinear only supports 3D or 4D tensors": [
        lambda: nn.SpatialUpSamplingBilinear(2).forward(o(2, 3))
    ],
    "3D or 4D(batch mode) tensor expected": [
        lambda: nn.SpatialConvolutionLocal(1, 1, 3, 3, 2, 2).forward(o(3, 3))
    ],
    "input and weights have different number of elements: input[4] has 4 elements, while "
    "weights[3] has 3 elements": [lambda: nn.BCECriterion(o(3)).forward(o(4), o(4))],
    "Wrong size for view. Input size: 4. Output size: 1x3": [
        lambda: nn.BCECriterion(o(4)).forward(o(2, 3), o(2, 3))
    ],
    "Assertion `input0 == target0 && input2 == target1 && input3 == target2' failed. size mismatch "
    "(got input: 2x4x2x3, target: 2x3x2)": [
        lambda: nn.SpatialClassNLLCriterion().forward(o(2, 4, 2, 3), o(2, 3, 2))
    ],
    "Invalid number of inputs": [
        lambda: nn.DistanceRatioCriterion().forward([o(2), o(2), o(2)], None)
    ],
    "inconsistent tensor size, expected r_ [2 x 3], t [2 x 3] and src [4] to have the same number "
    "of elements, but got 6, 6 and 4 elements respectively": [
        lambda: nn.CAddTable().forward([o(2, 3), o(6), o(4)]),
        lambda: nn.CMulTable().forward([o(2, 3), o(4)]),
    ],
    "inconsistent tensor size, expected tensor [2 x 3] and src [4 x 3] to have the same number of "
    "elements, but got 6 and 12 elements respectively": [
        lambda: nn.JoinTable(2).forward([o(2, 5), o(4, 3)])
    ],
    "attempt to index local 'input' (a nil value)": [
        *(lambda m=m: m().forward(None) for m in (nn.Tanh, nn.ReLU, nn.SoftMax, nn.Dropout)),
        lambda: nn.SpatialMaxPooling(2, 2).forward(None),
        lambda: nn.SpatialConvolution(1, 1, 1, 1).forward(None),
        lambda: nn.Sequential().add(nn.Linear(2, 2)).forward(None),
        lambda: nn.ParallelTable().add(nn.Tanh()).add(nn.Tanh()).forward([o(2)]),
    ],
    "attempt to index local 'input' (a number value)": [lambda: nn.Reshape(2).forward(2.5)],
    "attempt to index local 'gradOutput' (a nil value)": [lambda: back(nn.Abs(), o(2), None)],
    "in-place flag must be boolean": [
        lambda: nn.ReLU(0.1),
        lambda: nn.Threshold(0, 0, 1),
        lambda: nn.HardTanh(-1, 1, 1),
        lambda: nn.ReLU6(1),
        lambda: nn.MulConstant(2, 1),
        lambda: nn.AddConstant(2, 1),
    ],
    "in-place processing requires value (1) not exceed threshold (0)": [
        lambda: nn.Threshold(0, 1, True)
    ],
    "max_value must be larger than min_value": [lambda: nn.HardTanh(1, 1)],
    "input is not scalar or doesn't match with the dimension of constant!": [
        lambda: nn.AddConstant(o(3)).forward(o(2, 4))
    ],
    "input is not scalar!": [lambda: nn.MulConstant(o(2))],
    "Input must be 4D (nbatch, nfeat, h, w) or 3D (nfeat, h, w)": [
        lambda: nn.SpatialDropout().forward(o(2, 3))
    ],
    "Input must be 5D (nbatch, nfeat, t, h, w) or 4D (nfeat, t, h, w)": [
        lambda: nn.VolumetricDropout().forward(o(2, 3))
    ],
    "Wrong number of input planes. Expected 3 but got 4": [lambda: nn.PReLU(3).forward(o(2, 4))],
    "Should be one gater output per expert": [
        lambda: nn.MixtureTable().forward([o(2, 3), [o(2, 4), o(2, 4)]])
    ],
    "input should be a table containing two data Tensors": [
        lambda: nn.Bilinear(2, 2, 2).forward(o(2, 2))
    ],
    "input Tensors should be two-dimensional": [lambda: nn.Bilinear(2, 2, 2).forward([o(2), o(2)])],
    "input Tensors should have the same number of rows (instances)": [
        lambda: nn.Bilinear(2, 2, 2).forward([o(3, 2), o(4, 2)])
    ],
    "dimensionality of first input is erroneous": [
        lambda: nn.Bilinear(2, 3, 2).forward([o(3, 3), o(3, 3)])
    ],
    "dimensionality of second input is erroneous": [
        lambda: nn.Bilinear(2, 3, 2).forward([o(3, 2), o(3, 2)])
    ],
    "input is too small": [lambda: nn.SpatialZeroPadding(-2, -2).forward(o(1, 3, 3))],
    "input must be 3 or 4-dimensional": [
        lambda: nn.SpatialZeroPadding(1).forward(o(3, 3)),
        lambda: nn.SpatialReflectionPadding(1).forward(o(3, 3)),
        lambda: nn.SpatialReplicationPadding(1).forward(o(3, 3)),
    ],
    "input must be 4 or 5-dimensional": [
        lambda: nn.VolumetricReplicationPadding(1).forward(o(3, 3, 3))
    ],
    "invalid input frame size. Got: 4, Expected: 3": [
        lambda: nn.TemporalConvolution(3, 2, 2).forward(o(5, 4))
    ],
    "input must be a pair of minibatch matrices": [
        lambda: nn.MM().forward([o(2, 2)]),
        lambda: nn.MV().forward([o(2, 2)]),
    ],
    "input tensors must be 2D or 3D": [lambda: nn.MM().forward([o(2), o(2)])],
    "second input tensor must be 2D": [lambda: nn.MM().forward([o(2, 2), o(2, 2, 2)])],
    "second input tensor must be 3D": [lambda: nn.MM().forward([o(2, 2, 2), o(2, 2)])],
    "matrix sizes do not match": [
        lambda: nn.MM().forward([o(2, 3), o(2, 3)]),
        lambda: nn.MM().forward([o(1, 2, 3), o(1, 2, 3)]),
    ],
    "inputs must contain the same number of minibatches": [
        lambda: nn.MM().forward([o(2, 2, 3), o(3, 3, 2)]),
        lambda: nn.MV().forward([o(2, 2, 3), o(3, 3)]),
    ],
    "input matrix must be 2D or 3D": [lambda: nn.MV().forward([o(2), o(2)])],
    "vector must be 1D": [lambda: nn.MV().forward([o(2, 2), o(2, 2)])],
    "vector must be 2D (batch dimension)": [lambda: nn.MV().forward([o(2, 2, 2), o(2)])],
    "matrix row count and vector length do not match": [
        lambda: nn.MV().forward([o(2, 3), o(2)]),
        lambda: nn.MV().forward([o(1, 2, 3), o(1, 2)]),
    ],
    "dimension exceeds input dimensions": [lambda: nn.Sum(3).forward(o(2, 2))],
    "input must be vector or matrix": [
        lambda: nn.Cosine(2, 3).forward(o(2, 2, 2)),
        lambda: nn.Linear(2, 3).forward(o(2, 2, 2)),
        lambda: nn.PairwiseDistance(2).forward([o(2, 2, 2), o(2, 2, 2)]),
    ],
    "1D or 2D input expected": [lambda: nn.Euclidean(2, 3).forward(o(2, 2, 2))],
    "4D or 5D (batch mode) tensor expected for input, but got: [2 x 2]": [
        lambda: nn.VolumetricConvolution(2, 2, 1, 1, 1).forward(o(2, 2)),
        lambda: nn.VolumetricAveragePooling(2, 2, 2).forward(o(2, 2)),
    ],
    "3D or 4D (batch mode) tensor expected for input, but got: [2 x 2]": [
        lambda: nn.SpatialAdaptiveAveragePooling(2, 2).forward(o(2, 2))
    ],
    "2D or 3D (batch mode) tensor expected for input, but got: [2]": [
        lambda: nn.TemporalConvolution(2, 2, 1).forward(o(2)),
        lambda: nn.TemporalMaxPooling(1).forward(o(2)),
    ],
    "input sequence smaller than kernel size. Got: 3, Expected: 4": [
        lambda: nn.TemporalMaxPooling(4).forward(o(3, 2)),
        lambda: nn.TemporalConvolution(2, 2, 4).forward(o(3, 2)),
    ],
    "Input must be 3D or 4D": [lambda: nn.SpatialCrossMapLRN(3).forward(o(2, 2))],
    "UpSampling only supports 4D or 5D tensors": [lambda: nn.UpSampling(2).forward(o(2, 2))],
    "-1-norm not supported": [lambda: nn.Normalize(-1)],
    "only 1d layer supported": [lambda: nn.Normalize(2).forward(o(2, 2, 2))],
    "input must be table of element and table": [
        lambda: nn.ZipTableOneToMany().forward([o(2)]),
    ],
    "size should be positive or -1": [lambda: nn.View(-2, 3)],
    "only one dimension can be at -1": [lambda: nn.View(-1, -1)],
    "Single module required": [lambda: nn.MapTable(nn.Tanh()).add(nn.Tanh())],
    "input must be a table": [lambda: nn.FlattenTable().forward(o(2))],
    "Squeeze only works on tensors": [lambda: nn.Squeeze().forward([o(2)])],
    "This module only works on tensor": [lambda: nn.Unsqueeze(1).forward([o(2)])],
    "Can only replicate across positive integer dimensions": [lambda: nn.Replicate(2, -1)],
    "width must be within 2 to 16": [lambda: nn.FeatureLPPooling(1, 1, 2)],
    "Argument must be a nn.SpatialMaxPooling module": [lambda: nn.SpatialMaxUnpooling(nn.Tanh())],
    "The size of pooling module's kernel must be equal to its stride": [
        lambda: nn.SpatialMaxUnpooling(nn.SpatialMaxPooling(2, 2, 1, 1))
    ],
    "scale_factor must be greater than 1": [
        lambda: nn.SpatialUpSamplingNearest(0),
        lambda: nn.SpatialUpSamplingBilinear(0.5),
    ],
    "scale_factor must be integer": [lambda: nn.SpatialUpSamplingNearest(1.5)],
    "Halving dimension must be even": [lambda: nn.GatedLinearUnit().forward(o(2, 3))],
    "illegal configuration: output width or height less than 1": [
        lambda: nn.SpatialConvolutionLocal(1, 1, 2, 2, 3, 3)
    ],
    "inconsistent with expected input size: (1x4x4)": [
        lambda: nn.SpatialConvolutionLocal(1, 1, 4, 4, 3, 3).forward(o(1, 5, 5))
    ],
    "invalid number of input planes": [
        lambda: nn.SpatialSubSampling(2, 2, 2).forward(o(3, 4, 4)),
        lambda: nn.SpatialConvolutionMap(nn.tables.full(3, 2), 2, 2).forward(o(2, 4, 4)),
    ],
    "input image smaller than kernel size": [
        lambda: nn.SpatialSubSampling(2, 3, 3).forward(o(2, 2, 2)),
        lambda: nn.SpatialConvolutionMap(nn.tables.full(2, 2), 3, 3).forward(o(2, 2, 2)),
    ],
    "Wrong number of output dims on module. Expected: 2 but got 1": [
        lambda: nn.Bottle(nn.Sum(2)).forward(o(2, 2, 3))
    ],
    "table size mismatch: 2 ~= 1": [
        lambda: back(nn.ConcatTable().add(nn.Identity()), [o(2), o(2)], [[o(2)]])
    ],
    "currentGradInput is not a table!": [
        lambda: back(nn.ConcatTable().add(nn.Identity()), [o(2), o(2)], [o(2)])
    ],
    "must call :updateOutput() first": [
        lambda: nn.BatchNormalization(2).backward(o(3, 2), o(3, 2)),
        lambda: nn.BatchNormalization(2).evaluate().backward(o(3, 2), o(3, 2)),
    ],
    "Need indices of dimension 3 and indices.size[0] == 1 but got indices to be of shape: []": [
        lambda: nn.SpatialMaxPooling(2, 2).backward(o(1, 4, 4), o(1, 2, 2))
    ],
    "matrix expected, got 0D tensor": [
        lambda: nn.SpatialConvolution(1, 1, 2, 2).backward(o(1, 4, 4), o(1, 3, 3)),
        lambda: nn.VolumetricConvolution(1, 1, 2, 2, 2).backward(o(1, 2, 2, 2), o(1, 1, 1, 1)),
    ],
    "backprop only defined while training": [
        lambda: nn.SpatialDropout().evaluate().backward(o(1, 2, 2), o(1, 2, 2)),
        lambda: nn.WhiteNoise().evaluate().backward(o(2), o(2)),
    ],
    "input and target should have the same size": [
        lambda: nn.DistKLDivCriterion().forward(o(2, 3), o(3, 2))
    ],
    "input and target size mismatch": [lambda: nn.BCECriterion().forward(o(3), o(4))],
    "weights input should be 1-D Tensor": [lambda: nn.ClassNLLCriterion(o(2, 2))],
    "only p=1 and p=2 supported": [lambda: nn.MultiMarginCriterion(3)],
    "multi-target not supported": [lambda: nn.ClassNLLCriterion().forward(o(2, 3), o(2, 2))],
    "input tensor should be 1D or 2D": [
        lambda: nn.ClassNLLCriterion().forward(o(1, 2, 3), tensor(np.array([1.0])))
    ],
    "incorrect size: only supporting singleton expansion (size=1)": [
        lambda: nn.CMul(3).forward(o(2, 4)),
        lambda: nn.CAdd(2, 3).forward(o(2, 4)),
    ],
    "index out of bounds": [
        lambda: nn.Concat(2).add(nn.Linear(3, 2)).add(nn.Linear(3, 2)).forward(o(3))
    ],
    "inconsistent tensor size: mask and source": [
        lambda: nn.CosineEmbeddingCriterion().forward([o(2, 3), o(2, 3)], o(3))
    ],
    "target out of range": [lambda: nn.MultiMarginCriterion().forward(o(3), 4)],
}
TRIALS = [(words, trial) for words, trials in CASES.items() for trial in trials]


@pytest.mark.parametrize(("words", "trial"), TRIALS, ids=[w[:40] for w, _ in TRIALS])
def test_words(words, trial):
    with pytest.raises(RekindleError) as caught:
        trial()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "module",
    [
        *(nn.SoftMax(), nn.LogSoftMax(), nn.SoftMin(), nn.SpatialSoftMax(), nn.LogSigmoid()),
        *(nn.Dropout(), nn.SpatialDropout(), nn.VolumetricDropout(), nn.WhiteNoise()),
        *(nn.RReLU(), nn.PReLU(3)),
    ],
    ids=lambda m: m.t7_typename,
)
def test_a_table_instead_of_a_tensor_is_named(module):
    with pytest.raises(RekindleError, match=f"{module.t7_typename} takes a tensor; given Table"):
        module.forward([o(2, 3)])


@pytest.mark.parametrize("name", ["CAddTable", "CMulTable", "CMaxTable", "CMinTable"])
def test_a_table_among_the_tensors_of_a_table_is_named(name):
    for given in ([[o(2)], o(2)], [o(2), [o(2)]]):
        with pytest.raises(RekindleError, match=f"nn.{name} takes a tensor; given Table"):
            getattr(nn, name)().forward(given)


@pytest.mark.parametrize(
    "module",
    [nn.SpatialConvolution(2, 2, 3, 3), nn.SpatialAveragePooling(2, 2), nn.SpatialMaxPooling(2, 2)],
    ids=lambda m: m.t7_typename,
)
def test_a_gradient_that_is_no_tensor_is_named(module):
    module.forward(o(1, 2, 4, 4))
    for given, words in (([o(2)], "given Table"), (None, "index local 'gradOutput'")):
        with pytest.raises(RekindleError, match=words):
            module.backward(o(1, 2, 4, 4), given)


@pytest.mark.parametrize("given", [[o(1, 2, 4, 4, 4)], [o(1, 2, 4, 4, 4), o(3, 2)], []])
def test_a_full_convolution_says_what_its_table_lacks(given):
    with pytest.raises(RekindleError):
        nn.VolumetricFullConvolution(2, 3, 3, 3, 3).forward(given)
