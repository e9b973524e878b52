"""Rules of classes with learned state that are no layer, or more than one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.core.creation import eye
from rekindle.core.tensor import Parameter, Tensor

from .builder_tools import item
from .plan import Layer, Value
from .registry import layer, rule
from .rules_layers import (
    convolution,
    max_pooling,
    plain,
    pooling,
    state_of,
    viewed,
    without_defaults,
)

if TYPE_CHECKING:
    from .builder import Builder


@layer("nn.SpatialFullConvolution", "cudnn.SpatialFullConvolution")
def full_convolution(m: Any) -> Layer:
    """Translate a transposed convolution of images."""
    return convolution(m, "ConvTranspose2d", int(m.nInputPlane), int(m.nOutputPlane))


@layer("nn.VolumetricFullConvolution", "cudnn.VolumetricFullConvolution")
def volumetric_full_convolution(m: Any) -> Layer:
    """Translate a transposed convolution of volumes."""
    return convolution(m, "ConvTranspose3d", int(m.nInputPlane), int(m.nOutputPlane))


@layer("nn.SpatialAveragePooling")
def average_pooling(m: Any) -> Layer | None:
    """Translate average pooling."""
    if not m.divide:
        return None
    return pooling(m, "AvgPool2d", count_include_pad=bool(m.count_include_pad))


@rule("nn.SpatialAveragePooling")
def sum_pooling(m: Any, x: Value, b: Builder) -> Value:
    """Return sums of windows, as old files mean them."""
    height, width = m.per_axis("k")
    made = pooling(m, "AvgPool2d", count_include_pad=bool(m.count_include_pad))
    return b.op("mul", b.layer("pool", made, b.tensor(x), 4), height * width)


@layer("nn.Bilinear")
def bilinear(m: Any) -> Layer:
    """Translate a bilinear map."""
    outputs, first, second = m.weight.shape
    arguments = {"in1_features": first, "in2_features": second, "out_features": outputs}
    arguments["bias"] = m.bias is not None
    state = state_of(m, "weight")
    if m.bias is not None:
        state["bias"] = viewed(m.bias, (outputs,))
    return Layer("Bilinear", without_defaults(arguments, bias=True), state)


@rule("nn.LookupTable")
def lookup(m: Any, x: Value, b: Builder) -> Value:
    """Return rows of a table."""
    rows, width = m.weight.shape
    made = Layer(
        "Embedding",
        {"num_embeddings": rows, "embedding_dim": width},
        state_of(m, "weight"),
    )
    indices = b.index(x)
    return b.layer("", made, indices, None if indices.ndim is None else indices.ndim + 1)


@rule("nn.OneHot", "OneHot")
def one_hot(m: Any, x: Value, b: Builder) -> Value:
    """Return rows of a unit matrix, which has the model's type."""
    rows = b.buffer("one_hot", eye(int(m.outputSize), dtype=m.dtype))
    indices = b.index(x)
    return b.op("rows", indices, rows, ndim=None if indices.ndim is None else indices.ndim + 1)


@rule("nn.TemporalConvolution", "cudnn.TemporalConvolution")
def temporal_convolution(m: Any, x: Value, b: Builder) -> Value:
    """Return a convolution along the frames, whose features come last."""
    along = "H" if m.t7_typename.startswith("cudnn") else "W"  # cudnn sees images of one plane
    kernel, stride = int(getattr(m, f"k{along}")), int(getattr(m, f"d{along}"))
    outputs, inputs = int(m.outputFrameSize), int(m.inputFrameSize)
    if not m.weight.is_contiguous():
        b.refuse("its weight does not lie in one piece")
    weight = type(m.weight).view_of(
        m.weight.storage(),
        m.weight.storage_offset(),
        (outputs, inputs, kernel),
        (kernel * inputs, 1, inputs),
    )
    if isinstance(weight, Parameter):
        weight.requires_grad_(m.weight.requires_grad)
    arguments = {"in_channels": inputs, "out_channels": outputs, "kernel_size": kernel}
    arguments |= {"stride": stride, "padding": int(getattr(m, "padH", 0))}
    arguments["bias"] = m.bias is not None
    state = {"weight": weight, **state_of(m, "bias")}
    made = Layer("Conv1d", without_defaults(arguments, stride=1, padding=0, bias=True), state)
    return frames_last(b, made, x)


def frames_last(b: Builder, made: Layer, x: Value) -> Value:
    """Return what a layer on (N, features, frames) makes of (N, frames, features)."""
    turned = b.op("transpose", b.tensor(x), first=-2, second=-1)
    return b.op("transpose", b.layer("", made, turned), first=-2, second=-1)


@rule("nn.TemporalRowConvolution")
def row_convolution(m: Any, x: Value, b: Builder) -> Value:
    """Return a convolution along the frames for each feature by itself."""
    size = int(m.inputFrameSize)
    arguments = {"in_channels": size, "out_channels": size, "kernel_size": int(m.kW)}
    arguments |= {"stride": int(m.dW), "groups": size, "bias": m.bias is not None}
    made = Layer(
        "Conv1d", without_defaults(arguments, stride=1, bias=True), state_of(m, "weight", "bias")
    )
    return b.layer("", made, b.tensor(x)) if m.featFirst else frames_last(b, made, x)


@rule("nn.TemporalMaxPooling")
def temporal_pooling(m: Any, x: Value, b: Builder) -> Value:
    """Return the maxima of frames in a row."""
    arguments = {"kernel_size": int(m.kW), "stride": int(m.dW)}
    made = Layer("MaxPool1d", without_defaults(arguments, stride=int(m.kW)))
    return frames_last(b, made, x)


@rule("nn.SpatialMaxPooling", "nn.VolumetricMaxPooling")
def pooling_with_positions(m: Any, x: Value, b: Builder) -> Value:
    """Return the maxima of windows, whose positions an unpooling module takes."""
    x = b.tensor(x)
    spatial = m.t7_typename == "nn.SpatialMaxPooling"
    made = max_pooling(m, "MaxPool2d" if spatial else "MaxPool3d")
    made.arguments["return_indices"] = True
    whole = b.layer("", made, x)
    ndim = 4 if spatial else 5
    b.remember((item(whole, (1,), ndim, "indices"), x))
    return item(whole, (0,), ndim)


@rule("nn.SpatialMaxUnpooling", "nn.VolumetricMaxUnpooling")
def unpooling(m: Any, x: Value, b: Builder) -> Value:
    """Return values where a pooling module found its maxima, among zeros."""
    spatial = m.t7_typename == "nn.SpatialMaxUnpooling"
    if (carried := b.wires.get(id(m.pooling))) is None:
        b.refuse("its pooling module is not in the model, or comes after it")
    indices, before = carried
    padding = plain(m.pooling.per_axis("pad"))
    return b.op(
        f"unpool{2 if spatial else 3}d" + ("_padded" if padding else ""),
        b.tensor(x),
        indices,
        before,
        kernel=plain(m.pooling.per_axis("k")),
        **({"padding": padding} if padding else {}),
        ndim=4 if spatial else 5,
    )


@rule("nn.Mul")
def scale(m: Any, x: Value, b: Builder) -> Value:
    """Return a product with a learned number."""
    return b.op("mul", b.tensor(x), b.parameter("weight", m.weight))


@rule("nn.Add")
def shift(m: Any, x: Value, b: Builder) -> Value:
    """Return a sum with learned numbers."""
    x = b.tensor(x)
    if m.bias.size > 1 and m.bias.ndim == 1 and x.ndim not in (None, 1, 2):
        b.refuse(f"its {m.bias.size} numbers are spread over {x.ndim - 1} dimensions")
    return b.op("add", x, b.parameter("bias", m.bias))


@rule("nn.CMul")
def factors(m: Any, x: Value, b: Builder) -> Value:
    """Return a product with learned factors."""
    return b.op("mul", b.tensor(x), b.parameter("weight", _per_sample(b, m.weight, x)))


@rule("nn.CAdd")
def terms(m: Any, x: Value, b: Builder) -> Value:
    """Return a sum with learned numbers."""
    return b.op("add", b.tensor(x), b.parameter("bias", _per_sample(b, m.bias, x)))


def _per_sample(b: Builder, tensor: Tensor, x: Any) -> Tensor:
    """Return a parameter that Torch7 expands, if plain broadcasting does the same."""
    if x.shape is not None:
        shape = x.shape
        count = int(np.prod(shape[1:]))
        if tensor.shape == shape or tensor.ndim in (len(shape), len(shape) - 1):
            pairs = zip(tensor.shape[::-1], shape[::-1], strict=False)
            if all(n in (1, size) for n, size in pairs):
                return tensor
        if tensor.size == count:
            return viewed(tensor, shape[1:])
        b.refuse(f"its parameter of shape {tensor.shape} does not broadcast over {shape}")
    if x.ndim is not None and tensor.ndim not in (x.ndim, x.ndim - 1):
        b.refuse(f"its parameter has {tensor.ndim} dimensions and its input {x.ndim}")
    return tensor


@rule("nn.LinearWeightNorm")
def linear_weight_norm(m: Any, x: Value, b: Builder) -> Value:
    """Return a linear map whose rows are directions and lengths."""
    v, g = b.parameter("v", m.v), b.parameter("g", m.g)
    length = b.op("at_least", b.op("norm_kept", v, p=2, dim=1), low=m.eps)
    weight = b.op("mul", v, b.op("div", g, length))
    if m.bias is None:
        return b.op("linear_no_bias", b.tensor(x), weight)
    return b.op("linear", b.tensor(x), weight, b.parameter("bias", m.bias))


@rule("nn.Cosine")
def cosine(m: Any, x: Value, b: Builder) -> Value:
    """Return the cosines of the angles to learned vectors."""
    x, weight = b.tensor(x), b.parameter("weight", m.weight)
    length = b.op("add", b.op("norm_kept", x, p=2, dim=-1), 1e-12)
    lengths = b.op("add", b.op("norm", weight, p=2, dim=1, ndim=1), 1e-12)
    product = b.op("linear_no_bias", x, weight)
    return b.op("div", b.op("div", product, lengths), length)


@rule("nn.Euclidean", "nn.WeightedEuclidean")
def euclidean(m: Any, x: Value, b: Builder) -> Value:
    """Return the distances from learned points."""
    x = b.tensor(x)
    apart = b.op("sub", b.op("unsqueeze", x, dim=-1), b.parameter("weight", m.weight))
    if m.t7_typename == "nn.WeightedEuclidean":
        apart = b.op("mul", apart, b.parameter("diagCov", m.diagCov))
    return b.op("norm", apart, p=2, dim=-2, ndim=x.ndim)


@rule("nn.SpatialSubSampling")
def sub_sampling(m: Any, x: Value, b: Builder) -> Value:
    """Return sums of windows times a weight, plus a bias, per plane."""
    height, width = m.per_axis("k")
    pooled = b.layer("pool", pooling_without_padding(m), b.tensor(x), 4)
    shape = (m.weight.shape[0], 1, 1)  # of weights for each element of a window, too
    weight = b.parameter("weight", viewed(m.weight, shape))
    scaled = b.op("mul", b.op("mul", pooled, height * width), weight)
    return b.op("add", scaled, b.parameter("bias", viewed(m.bias, shape)))


def pooling_without_padding(m: Any) -> Layer:
    """Return average pooling of a module that has no padding."""
    kernel, stride = m.per_axis("k"), m.per_axis("d")
    return Layer("AvgPool2d", {"kernel_size": plain(kernel), "stride": plain(stride)})


@rule("nn.InstanceNormalization")
def instance_normalization(m: Any, x: Value, b: Builder) -> Value:
    """Return images whose planes have mean 0 and variance 1.

    A module that never ran computes with moments of 0 and 1, as today's Torch7 does.
    """
    x = b.tensor(x)
    if m.disabled:
        return x
    if m._normalises():
        affine = m.weight is not None
        arguments = {"num_features": int(m.nOutput), "eps": m.eps, "affine": affine}
        made = Layer(
            "InstanceNorm2d",
            without_defaults(arguments, eps=1e-5, affine=False),
            state_of(m, "weight", "bias"),
        )
        return b.layer("", made, x, 4)
    scaled = b.op("mul", x, (1 + m.eps) ** -0.5)
    if m.weight is None:
        return scaled
    shape = (m.weight.size, 1, 1)
    weighted = b.op("mul", scaled, b.parameter("weight", viewed(m.weight, shape)))
    return b.op("add", weighted, b.parameter("bias", viewed(m.bias, shape)))
