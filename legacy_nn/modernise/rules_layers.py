"""Rules of classes that are one layer: linear maps, convolutions, pooling, norms, activations."""

from __future__ import annotations

from typing import Any

from rekindle.core.tensor import Parameter, Tensor

from .errors import Refusal
from .plan import Layer
from .registry import layer


def state_of(module: Any, *names: str) -> dict[str, Tensor]:
    """Return the tensors in fields of a module, those that are there."""
    found = {name: getattr(module, name, None) for name in names}
    return {name: tensor for name, tensor in found.items() if isinstance(tensor, Tensor)}


def viewed(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor in another shape, on the same memory."""
    if tensor.shape == shape:
        return tensor
    if not tensor.is_contiguous():
        raise Refusal(f"its weight of shape {tensor.shape} does not lie in one piece")
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    made = type(tensor).view_of(
        tensor.storage(), tensor.storage_offset(), shape, tuple(reversed(strides))
    )
    return made.requires_grad_(tensor.requires_grad) if isinstance(made, Parameter) else made


def plain(values: tuple[int, ...]) -> Any:
    """Return one number for equal ones."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def number(value: Any) -> Any:
    """Return a Lua number as Python would write it: 2 for 2.0."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


def without_defaults(arguments: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """Return arguments without those that are at their defaults."""
    return {k: v for k, v in arguments.items() if k not in defaults or defaults[k] != v}


@layer("nn.Linear")
def linear(m: Any) -> Layer:
    """Translate a linear map."""
    outputs, inputs = m.weight.shape
    arguments = {"in_features": inputs, "out_features": outputs, "bias": m.bias is not None}
    return Layer("Linear", without_defaults(arguments, bias=True), state_of(m, "weight", "bias"))


def convolution(m: Any, kind: str, inputs: int, outputs: int, groups: int = 1) -> Layer:
    """Return a convolution of a module with fields k, d, pad and dilation."""
    kernel = m.per_axis("k")
    dilation = tuple(int(getattr(m, f"dilation{axis}", 1)) for axis in m.axes)
    arguments = {
        "in_channels": inputs,
        "out_channels": outputs,
        "kernel_size": plain(kernel),
        "stride": plain(m.per_axis("d")),
        "padding": plain(m.per_axis("pad")),
        "dilation": plain(dilation),
        "groups": groups,
        "bias": m.bias is not None,
    }
    transposed = "Transpose" in kind
    shape = (inputs, outputs // groups) if transposed else (outputs, inputs // groups)
    state = {"weight": viewed(m.weight, (*shape, *kernel)), **state_of(m, "bias")}
    if transposed:
        arguments["output_padding"] = plain(m.per_axis("adj"))
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
    return Layer(kind, without_defaults(arguments, output_padding=0, **defaults), state)


@layer(
    *("nn.SpatialConvolution", "nn.SpatialConvolutionMM", "nn.SpatialDilatedConvolution"),
    "cudnn.SpatialConvolution",
)
def spatial_convolution(m: Any) -> Layer:
    """Translate a convolution of images."""
    groups = int(getattr(m, "groups", 1) or 1)
    return convolution(m, "Conv2d", int(m.nInputPlane), int(m.nOutputPlane), groups)


@layer(
    *("nn.VolumetricConvolution", "nn.VolumetricDilatedConvolution", "cudnn.VolumetricConvolution")
)
def volumetric_convolution(m: Any) -> Layer:
    """Translate a convolution of volumes."""
    return convolution(m, "Conv3d", int(m.nInputPlane), int(m.nOutputPlane))


def pooling(m: Any, kind: str, **more: Any) -> Layer:
    """Return a pooling layer of a module with fields k, d and pad."""
    kernel, stride = plain(m.per_axis("k")), plain(m.per_axis("d"))
    arguments = {"kernel_size": kernel, "stride": stride, "padding": plain(m.per_axis("pad"))}
    arguments |= more
    arguments["ceil_mode"] = bool(getattr(m, "ceil_mode", False))
    defaults = {"stride": kernel, "padding": 0, "ceil_mode": False, "count_include_pad": True}
    return Layer(kind, without_defaults(arguments, dilation=1, **defaults))


def max_pooling(m: Any, kind: str) -> Layer:
    """Return max pooling of a module that may have gaps between the pixels of a window."""
    dilation = tuple(int(getattr(m, f"dilation{axis}", 1)) for axis in m.axes)
    return pooling(m, kind, dilation=plain(dilation))


@layer("nn.SpatialMaxPooling", "nn.SpatialDilatedMaxPooling", "cudnn.SpatialMaxPooling")
def spatial_max_pooling(m: Any) -> Layer:
    """Translate max pooling of images."""
    return max_pooling(m, "MaxPool2d")


@layer("nn.VolumetricMaxPooling", "nn.VolumetricDilatedMaxPooling", "cudnn.VolumetricMaxPooling")
def volumetric_max_pooling(m: Any) -> Layer:
    """Translate max pooling of volumes."""
    return max_pooling(m, "MaxPool3d")


@layer("cudnn.SpatialAveragePooling")
def spatial_average_pooling(m: Any) -> Layer:
    """Translate cudnn's average pooling, which counts the padding whatever its field says."""
    if getattr(m, "divide", None) is False:
        raise Refusal("its field divide is false, which cudnn cannot do")
    return pooling(m, "AvgPool2d")


@layer("cudnn.VolumetricAveragePooling")
def volumetric_average_pooling(m: Any) -> Layer:
    """Translate average pooling of volumes."""
    return pooling(m, "AvgPool3d")


@layer("nn.VolumetricAveragePooling")
def plain_volumetric_average_pooling(m: Any) -> Layer:
    """Translate average pooling of volumes, which has no padding."""
    return pooling(m, "AvgPool3d")


@layer("nn.SpatialAdaptiveAveragePooling")
def adaptive_average(m: Any) -> Layer:
    """Translate average pooling to a size."""
    return Layer("AdaptiveAvgPool2d", {"output_size": plain((int(m.H), int(m.W)))})


@layer("nn.SpatialAdaptiveMaxPooling")
def adaptive_max(m: Any) -> Layer:
    """Translate max pooling to a size."""
    return Layer("AdaptiveMaxPool2d", {"output_size": plain((int(m.H), int(m.W)))})


def normalization(m: Any, kind: str) -> Layer:
    """Return batch normalisation of a module."""
    affine = m.weight is not None
    if affine and m.bias is None:
        raise Refusal("it has a weight and no bias")
    momentum = 0.1 if m.momentum is None else m.momentum
    arguments = {
        "num_features": m.running_mean.size,
        "eps": m.eps,
        "momentum": momentum,
        "affine": affine,
    }
    state = state_of(m, "weight", "bias", "running_mean", "running_var")
    return Layer(kind, without_defaults(arguments, eps=1e-5, momentum=0.1, affine=True), state)


@layer("nn.BatchNormalization", "cudnn.BatchNormalization")
def batch_normalization(m: Any) -> Layer:
    """Translate batch normalisation of features."""
    return normalization(m, "BatchNorm1d")


@layer("nn.SpatialBatchNormalization", "cudnn.SpatialBatchNormalization")
def spatial_batch_normalization(m: Any) -> Layer:
    """Translate batch normalisation of images."""
    return normalization(m, "BatchNorm2d")


@layer("nn.VolumetricBatchNormalization", "cudnn.VolumetricBatchNormalization")
def volumetric_batch_normalization(m: Any) -> Layer:
    """Translate batch normalisation of volumes."""
    return normalization(m, "BatchNorm3d")


@layer("nn.SpatialCrossMapLRN", "cudnn.SpatialCrossMapLRN")
def local_response(m: Any) -> Layer:
    """Translate local response normalisation."""
    arguments = {"size": int(m.size), "alpha": m.alpha, "beta": m.beta, "k": number(m.k)}
    return Layer("LocalResponseNorm", without_defaults(arguments, alpha=1e-4, beta=0.75, k=1))


@layer("nn.PixelShuffle")
def pixel_shuffle(m: Any) -> Layer:
    """Translate a pixel shuffle."""
    return Layer("PixelShuffle", {"upscale_factor": int(m.upscaleFactor)})


@layer("nn.SpatialUpSamplingNearest")
def upsampling_nearest(m: Any) -> Layer:
    """Translate the repetition of pixels."""
    return Layer("Upsample", {"scale_factor": int(m.scale_factor)})


@layer("nn.SpatialUpSamplingBilinear", "nn.UpSampling")
def upsampling(m: Any) -> Layer:
    """Translate interpolation, which Torch7 aligns at the corners."""
    if m.t7_typename == "nn.UpSampling" and m.mode == "nearest":
        return Layer("Upsample", {"scale_factor": int(m.scale_factor)})
    volumes = m.odepth is not None
    if m.t7_typename == "nn.UpSampling" and m.scale_factor is not None:
        raise Refusal("it interpolates images or volumes, and does not say which")
    arguments: dict[str, Any] = {"scale_factor": m.scale_factor}
    if m.scale_factor is None:
        sizes = (m.odepth, m.oheight, m.owidth) if volumes else (m.oheight, m.owidth)
        arguments = {"size": tuple(int(n) for n in sizes)}
    arguments |= {"mode": "trilinear" if volumes else "bilinear", "align_corners": True}
    return Layer("Upsample", arguments)


def padding(m: Any, kind: str) -> Layer:
    """Return a layer that puts a border around images."""
    sides = tuple(int(getattr(m, f"pad_{side}")) for side in "lrtb")
    return Layer(kind, {"padding": plain(sides)})


@layer("nn.SpatialZeroPadding")
def zero_padding(m: Any) -> Layer:
    """Translate a border of zeros."""
    return padding(m, "ZeroPad2d")


@layer("nn.SpatialReflectionPadding")
def reflection_padding(m: Any) -> Layer:
    """Translate a mirrored border."""
    return padding(m, "ReflectionPad2d")


@layer("nn.SpatialReplicationPadding")
def replication_padding(m: Any) -> Layer:
    """Translate a repeated border."""
    return padding(m, "ReplicationPad2d")


@layer("nn.VolumetricReplicationPadding")
def volumetric_padding(m: Any) -> Layer:
    """Translate a repeated border of volumes."""
    names = ("pleft", "pright", "ptop", "pbottom", "pfront", "pback")
    return Layer("ReplicationPad3d", {"padding": plain(tuple(int(getattr(m, n)) for n in names))})


# -- activations ------------------------------------------------------------------------


@layer("nn.ReLU", "cudnn.ReLU")
def relu(m: Any) -> Layer:
    """Translate a rectifier."""
    return Layer("ReLU")


@layer("nn.Threshold")
def threshold(m: Any) -> Layer:
    """Translate a threshold; at 0 it is a rectifier, and at Torch's 1e-6 all but one."""
    if m.threshold == 0 and m.val == 0:
        return Layer("ReLU")
    return Layer("Threshold", {"threshold": number(m.threshold), "value": number(m.val)})


@layer("nn.ReLU6")
def relu6(m: Any) -> Layer:
    """Translate a rectifier with a ceiling of 6."""
    return Layer("ReLU6")


@layer("nn.LeakyReLU")
def leaky_relu(m: Any) -> Layer:
    """Translate a leaky rectifier."""
    return Layer("LeakyReLU", without_defaults({"negative_slope": m.negval}, negative_slope=0.01))


@layer("nn.RReLU")
def rrelu(m: Any) -> Layer:
    """Translate a rectifier with random slopes."""
    arguments = {"lower": m.lower, "upper": m.upper}
    return Layer("RReLU", without_defaults(arguments, lower=1 / 8, upper=1 / 3))


@layer("nn.PReLU")
def prelu(m: Any) -> Layer:
    """Translate a rectifier with learned slopes."""
    planes = m.weight.size
    return Layer(
        "PReLU",
        without_defaults({"num_parameters": planes}, num_parameters=1),
        state_of(m, "weight"),
    )


@layer("nn.ELU")
def elu(m: Any) -> Layer:
    """Translate an exponential linear unit."""
    return Layer("ELU", without_defaults({"alpha": number(m.alpha)}, alpha=1))


@layer("nn.Tanh", "cudnn.Tanh")
def tanh(m: Any) -> Layer:
    """Translate a hyperbolic tangent."""
    return Layer("Tanh")


@layer("nn.Sigmoid", "cudnn.Sigmoid")
def sigmoid(m: Any) -> Layer:
    """Translate a sigmoid."""
    return Layer("Sigmoid")


@layer("nn.LogSigmoid")
def log_sigmoid(m: Any) -> Layer:
    """Translate the logarithm of a sigmoid."""
    return Layer("LogSigmoid")


@layer("nn.HardTanh", "nn.Clamp")
def hard_tanh(m: Any) -> Layer:
    """Translate a limit below and above."""
    arguments = {"min_val": number(m.min_val), "max_val": number(m.max_val)}
    return Layer("Hardtanh", without_defaults(arguments, min_val=-1, max_val=1))


@layer("cudnn.ClippedReLU")
def clipped_relu(m: Any) -> Layer:
    """Translate a rectifier with a ceiling."""
    return Layer("Hardtanh", {"min_val": 0, "max_val": number(m.ceiling)})


@layer("nn.Clip")
def clip(m: Any) -> Layer:
    """Translate dpnn's limits."""
    return Layer("Hardtanh", {"min_val": number(m.minval), "max_val": number(m.maxval)})


@layer("nn.HardShrink")
def hard_shrink(m: Any) -> Layer:
    """Translate a hard shrinkage."""
    lambd = getattr(m, "lambda")
    return Layer("Hardshrink", without_defaults({"lambd": lambd}, lambd=0.5))


@layer("nn.SoftShrink")
def soft_shrink(m: Any) -> Layer:
    """Translate a soft shrinkage."""
    lambd = getattr(m, "lambda")
    return Layer("Softshrink", without_defaults({"lambd": lambd}, lambd=0.5))


@layer("nn.TanhShrink")
def tanh_shrink(m: Any) -> Layer:
    """Translate x - tanh(x)."""
    return Layer("Tanhshrink")


@layer("nn.SoftPlus")
def soft_plus(m: Any) -> Layer:
    """Translate a smooth rectifier."""
    arguments = {"beta": number(m.beta), "threshold": number(m.threshold)}
    return Layer("Softplus", without_defaults(arguments, beta=1, threshold=20))


@layer("nn.SoftSign")
def soft_sign(m: Any) -> Layer:
    """Translate x / (1 + |x|)."""
    return Layer("Softsign")
