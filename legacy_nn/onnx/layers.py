"""What each layer is in ONNX, in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..modernise.plan import Layer
from .errors import OnnxError
from .writer import Writer

Emit = Callable[[Writer, Layer, Any, int | None], Any]
"""`emit(writer, layer, x, ndim)` adds a layer's nodes and returns the name of its output.

Recurrent layers take tuples of names, and return them.
"""

LAYERS: dict[str, Emit] = {}
"""By the layer's kind."""


def emits(*kinds: str) -> Callable[[Emit], Emit]:
    """Register what layers of these kinds are."""

    def register(function: Emit) -> Emit:
        LAYERS.update(dict.fromkeys(kinds, function))
        return function

    return register


def each(value: Any, count: int) -> list[int]:
    """Return an argument as one number per dimension."""
    return [int(v) for v in value] if isinstance(value, Sequence) else [int(value)] * count


def spatial(layer: Layer) -> int:
    """Return how many spatial dimensions a layer's kind names: 2 for Conv2d."""
    return int(layer.kind[-2])


def weights(w: Writer, layer: Layer, *names: str) -> list[str]:
    """Return the names of a layer's tensors, those that are there."""
    return [w.weight(layer.state[name], name) for name in names if name in layer.state]


@emits("Linear")
def linear(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a linear map: Gemm for matrices."""
    if ndim == 2:
        return w.node("Gemm", x, *weights(w, layer, "weight", "bias"), transB=1)
    turned = w.node("Transpose", *weights(w, layer, "weight"), perm=[1, 0])
    product = w.node("MatMul", x, turned)
    return w.node("Add", product, *weights(w, layer, "bias")) if "bias" in layer.state else product


def _geometry(layer: Layer) -> dict[str, Any]:
    n, given = spatial(layer), layer.arguments
    kernel = each(given["kernel_size"], n)
    padding = each(given.get("padding", 0), n)
    step = given.get("stride", 1 if "Conv" in layer.kind else given["kernel_size"])
    return {"kernel_shape": kernel, "strides": each(step, n), "pads": padding * 2}


@emits("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
def convolution(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a convolution."""
    n, given = spatial(layer), layer.arguments
    attributes = _geometry(layer) | {
        "dilations": each(given.get("dilation", 1), n),
        "group": int(given.get("groups", 1)),
    }
    kind = "Conv"
    if "Transpose" in layer.kind:
        kind = "ConvTranspose"
        attributes["output_padding"] = each(given.get("output_padding", 0), n)
    return w.node(kind, x, *weights(w, layer, "weight", "bias"), **attributes)


@emits("MaxPool1d", "MaxPool2d", "MaxPool3d")
def max_pool(w: Writer, layer: Layer, x: str, ndim: int | None) -> Any:
    """Add max pooling, with the places of the maxima where they are asked for."""
    given = layer.arguments
    places = bool(given.get("return_indices"))
    found = w.outputs(
        1 + places,
        "MaxPool",
        x,
        **_geometry(layer),
        ceil_mode=int(given.get("ceil_mode", False)),
        dilations=each(given.get("dilation", 1), spatial(layer)),
    )
    return tuple(found) if places else found[0]


@emits("AvgPool1d", "AvgPool2d", "AvgPool3d")
def average_pool(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add average pooling."""
    given = layer.arguments
    return w.node(
        "AveragePool",
        x,
        **_geometry(layer),
        ceil_mode=int(given.get("ceil_mode", False)),
        count_include_pad=int(given.get("count_include_pad", True)),
    )


@emits("AdaptiveAvgPool2d", "AdaptiveMaxPool2d")
def adaptive_pool(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add pooling to one pixel."""
    if layer.arguments["output_size"] not in (1, (1, 1)):
        raise OnnxError(f"{layer.kind} to a size other than 1 is not an operation of ONNX")
    return w.node("GlobalAveragePool" if "Avg" in layer.kind else "GlobalMaxPool", x)


@emits("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")
def batch_norm(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add batch normalisation by the running moments."""
    size = layer.arguments["num_features"]
    scale = weights(w, layer, "weight", "bias")
    if not scale:
        scale = [w.constant(np.full(size, value, w.dtype)) for value in (1, 0)]
    moments = weights(w, layer, "running_mean", "running_var")
    eps = layer.arguments.get("eps", 1e-5)
    return w.node("BatchNormalization", x, *scale, *moments, epsilon=eps)


@emits("InstanceNorm2d")
def instance_norm(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add instance normalisation."""
    size = layer.arguments["num_features"]
    scale = weights(w, layer, "weight", "bias")
    if not scale:
        scale = [w.constant(np.full(size, value, w.dtype)) for value in (1, 0)]
    return w.node("InstanceNormalization", x, *scale, epsilon=layer.arguments.get("eps", 1e-5))


@emits("LocalResponseNorm")
def local_response_norm(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add local response normalisation."""
    given = {"alpha": 1e-4, "beta": 0.75, "k": 1.0} | layer.arguments
    attributes = {name: float(given[name]) for name in ("alpha", "beta")}
    return w.node("LRN", x, size=given["size"], bias=float(given["k"]), **attributes)


# -- activations ------------------------------------------------------------------------


def _plain(kind: str, name: str) -> None:
    emits(kind)(lambda w, layer, x, ndim: w.node(name, x))


for _kind, _name in {
    "ReLU": "Relu",
    "Tanh": "Tanh",
    "Sigmoid": "Sigmoid",
    "Softsign": "Softsign",
    "Dropout": "Identity",
    "Dropout2d": "Identity",
    "Dropout3d": "Identity",
    "Identity": "Identity",
}.items():
    _plain(_kind, _name)


@emits("LeakyReLU")
def leaky_relu(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a leaky rectifier."""
    return w.node("LeakyRelu", x, alpha=float(layer.arguments.get("negative_slope", 0.01)))


@emits("RReLU")
def rrelu(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a leaky rectifier of the middle slope."""
    lower, upper = layer.arguments.get("lower", 1 / 8), layer.arguments.get("upper", 1 / 3)
    return w.node("LeakyRelu", x, alpha=float((lower + upper) / 2))


@emits("PReLU")
def prelu(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a rectifier with learned slopes."""
    slopes = layer.state["weight"].numpy()
    if slopes.size > 1 and ndim is None:
        raise OnnxError("PReLU with a slope per plane: convert with an example input")
    shape = (slopes.size, *(1,) * ((ndim or 2) - 2))
    return w.node("PRelu", x, w.constant(np.array(slopes.reshape(shape))))


@emits("ELU")
def elu(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add an exponential linear unit."""
    return w.node("Elu", x, alpha=float(layer.arguments.get("alpha", 1)))


@emits("Softmax", "LogSoftmax")
def softmax(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a softmax or its logarithm."""
    return w.node("Softmax" if layer.kind == "Softmax" else "LogSoftmax", x, axis=_dim(layer))


@emits("Softmin")
def softmin(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a softmax of the negated input."""
    return w.node("Softmax", w.node("Neg", x), axis=_dim(layer))


def _dim(layer: Layer) -> int:
    return int(layer.arguments["dim"])


@emits("Hardtanh", "ReLU6")
def hardtanh(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add limits."""
    low, high = layer.arguments.get("min_val", -1), layer.arguments.get("max_val", 1)
    if layer.kind == "ReLU6":
        low, high = 0, 6
    return w.node("Clip", x, w.number(low), w.number(high))


@emits("Hardshrink", "Softshrink")
def shrink(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a shrinkage."""
    lambd = float(layer.arguments.get("lambd", 0.5))
    return w.node("Shrink", x, lambd=lambd, bias=lambd if layer.kind == "Softshrink" else 0.0)


@emits("Tanhshrink")
def tanhshrink(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add x - tanh(x)."""
    return w.node("Sub", x, w.node("Tanh", x))


@emits("LogSigmoid")
def log_sigmoid(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add the logarithm of a sigmoid."""
    return w.node("Neg", w.node("Softplus", w.node("Neg", x)))


@emits("Softplus")
def softplus(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a smooth rectifier."""
    beta = layer.arguments.get("beta", 1)
    if beta == 1:
        return w.node("Softplus", x)
    scaled = w.node("Softplus", w.node("Mul", x, w.number(beta)))
    return w.node("Div", scaled, w.number(beta))


@emits("Threshold")
def threshold(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a threshold."""
    above = w.node("Greater", x, w.number(layer.arguments["threshold"]))
    return w.node("Where", above, x, w.number(layer.arguments["value"]))


@emits("GLU")
def glu(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a gated linear unit."""
    first, gate = w.split(x, int(layer.arguments.get("dim", -1)), 2)
    return w.node("Mul", first, w.node("Sigmoid", gate))


# -- indices, sizes ---------------------------------------------------------------------


@emits("Embedding")
def embedding(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add rows of a table."""
    return w.node("Gather", *weights(w, layer, "weight"), x, axis=0)


@emits("Upsample")
def upsample(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add interpolation."""
    given = layer.arguments
    linear = given.get("mode", "nearest") != "nearest"
    n = 3 if given.get("mode") == "trilinear" else (ndim or 4) - 2
    attributes: dict[str, Any] = {"mode": "linear" if linear else "nearest"}
    attributes["coordinate_transformation_mode"] = "align_corners" if linear else "asymmetric"
    if not linear:
        attributes["nearest_mode"] = "floor"
    if given.get("scale_factor") is not None:
        scales = w.constant(np.array([1, 1] + [given["scale_factor"]] * n, np.float32))
        return w.node("Resize", x, "", scales, **attributes)
    axes = list(range(2, 2 + n))
    return w.node("Resize", x, "", "", w.integers(each(given["size"], n)), axes=axes, **attributes)


@emits("PixelShuffle")
def pixel_shuffle(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a pixel shuffle."""
    return w.node("DepthToSpace", x, blocksize=int(layer.arguments["upscale_factor"]), mode="CRD")


@emits("ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d", "ReplicationPad3d")
def border(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add a border."""
    n = spatial(layer)
    modes = {"ZeroPad2d": "constant", "ReflectionPad2d": "reflect"}
    mode = modes.get(layer.kind, "edge")
    return pad(w, x, each(layer.arguments["padding"], 2 * n), n + 2, mode)


def pad(w: Writer, x: str, amounts: Sequence[int], ndim: int, mode: str, value: float = 0) -> str:
    """Add a border, whose amounts come from the last dimension backwards, as PyTorch's do."""
    before, after = [0] * ndim, [0] * ndim
    for i in range(len(amounts) // 2):
        before[ndim - 1 - i], after[ndim - 1 - i] = amounts[2 * i], amounts[2 * i + 1]
    extra = [w.number(value)] if mode == "constant" else []
    return w.node("Pad", x, w.integers(before + after), *extra, mode=mode)
