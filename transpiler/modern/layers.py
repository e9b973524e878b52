"""Classes of Torch's nn: the makers of their counterparts in core.nn, and those without one."""

from __future__ import annotations

from ..text import words
from .constructors import Layer, Maker
from .layer_makers import (
    adaptive,
    average_pooling,
    dilated_convolution,
    dropout,
    elu,
    embedding,
    full_convolution,
    hard_tanh,
    leaky,
    linear,
    local_response,
    max_pooling,
    normalization,
    over_features,
    prelu,
    relu,
    reshape,
    same_arguments,
    spatial_convolution,
    threshold,
    upsampling,
    view,
    volumetric_convolution,
    zero_padding,
)

_NN: dict[str, Maker] = {
    "Linear": linear,
    "SpatialConvolution": spatial_convolution,
    "SpatialConvolutionMM": spatial_convolution,
    "SpatialDilatedConvolution": dilated_convolution,
    "SpatialFullConvolution": full_convolution,
    "VolumetricConvolution": volumetric_convolution,
    "SpatialMaxPooling": max_pooling,
    "SpatialAveragePooling": average_pooling,
    "SpatialAdaptiveMaxPooling": adaptive("AdaptiveMaxPool2d"),
    "SpatialAdaptiveAveragePooling": adaptive("AdaptiveAvgPool2d"),
    "BatchNormalization": normalization("BatchNorm1d", "features"),
    "SpatialBatchNormalization": normalization("BatchNorm2d", "spatial"),
    "VolumetricBatchNormalization": normalization("BatchNorm3d", None),
    "SpatialCrossMapLRN": local_response,
    "Dropout": dropout("Dropout"),
    "LogSoftMax": over_features("LogSoftmax"),
    "SoftMax": over_features("Softmax"),
    "SpatialLogSoftMax": lambda a: Layer(a.code("LogSoftmax", "-3"), "spatial"),
    "SpatialSoftMax": lambda a: Layer(a.code("Softmax", "-3"), "spatial"),
    "View": view,
    "Reshape": reshape,
    "LookupTable": embedding,
    "Identity": same_arguments("Identity"),
    "Tanh": same_arguments("Tanh"),
    "Sigmoid": same_arguments("Sigmoid"),
    "LogSigmoid": same_arguments("LogSigmoid"),
    "ReLU": relu,
    "ReLU6": same_arguments("ReLU6"),
    "LeakyReLU": leaky,
    "PReLU": prelu,
    "ELU": elu,
    "Threshold": threshold,
    "HardTanh": hard_tanh,
    "SoftPlus": same_arguments("Softplus", most=1),
    "SoftSign": same_arguments("Softsign"),
    "TanhShrink": same_arguments("Tanhshrink"),
    "HardShrink": same_arguments("Hardshrink", most=1),
    "SoftShrink": same_arguments("Softshrink", most=1),
    "SpatialZeroPadding": zero_padding("ZeroPad2d"),
    "SpatialReflectionPadding": zero_padding("ReflectionPad2d"),
    "SpatialReplicationPadding": zero_padding("ReplicationPad2d"),
    "SpatialUpSamplingNearest": upsampling,
    "PixelShuffle": same_arguments("PixelShuffle", "spatial", most=1),
}

_CUDNN = (
    "SpatialConvolution",
    "SpatialFullConvolution",
    "SpatialMaxPooling",
    "SpatialAveragePooling",
    "SpatialBatchNormalization",
    "BatchNormalization",
    "ReLU",
    "Tanh",
    "Sigmoid",
    "LogSoftMax",
    "SpatialLogSoftMax",
)

LAYERS: dict[str, Maker] = _NN | {f"cudnn.{name}": _NN[name] for name in _CUDNN}
"""By the class in nn, or "cudnn." and the class there."""

TENSOR_CLASSES = frozenset(
    words(
        """
        View Reshape Mean Sum Max Min Select Narrow Transpose Mul Add CMul CAdd MulConstant
        AddConstant Power Square Sqrt Abs Exp Log Normalize Copy Contiguous Unsqueeze Squeeze
        Replicate Padding TemporalConvolution TemporalMaxPooling SpatialSubSampling
        SpatialLPPooling L1Penalty SpatialSubtractiveNormalization SpatialDivisiveNormalization
        Euclidean Cosine SpatialContrastiveNormalization GradientReversal Bottle SoftMin SoftMax
        LogSoftMax SpatialDropout SpatialAveragePooling SpatialConvolutionMap LookupTable Dropout
        WhiteNoise Clamp RReLU
        VolumetricMaxPooling VolumetricAveragePooling VolumetricFullConvolution Threshold
        JoinTable CAddTable CSubTable CMulTable CDivTable CMaxTable CMinTable DotProduct MM MV
        CosineDistance PairwiseDistance MixtureTable Bilinear Index
        """
    )
)
"""Classes that take a tensor and give one; without a counterpart they run as they are, inside."""

SAME_WEIGHTS = frozenset(
    words(
        """
        Linear SpatialConvolution SpatialFullConvolution BatchNormalization
        SpatialBatchNormalization LookupTable PReLU VolumetricConvolution
        """
    )
)
"""Classes whose weight has the same shape in core."""
