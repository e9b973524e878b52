"""Rules of convolutions and normalisations of images that are no layer, or more than one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.core import ops
from rekindle.core.tensor import Tensor

from ..unknown_classes import typename
from .errors import Refusal
from .plan import Expr, Layer, Value
from .registry import LAYERS, layer, rule
from .rules_layers import plain, state_of, viewed, without_defaults

if TYPE_CHECKING:
    from .builder import Builder

ImageRule = Callable[[Any, Expr, "Builder"], Value]


def image_rule(*typenames: str) -> Callable[[ImageRule], ImageRule]:
    """Register rules for batches of images, which one image alone is made for them."""

    def register(function: ImageRule) -> ImageRule:
        def whole(m: Any, x: Value, b: Builder) -> Value:
            x = b.tensor(x)
            if x.ndim != 3:
                return function(m, x, b)
            batch = b.op("unsqueeze", x, dim=0, ndim=4)
            batch.shape = None if x.shape is None else (1, *x.shape)
            y = function(m, batch, b)
            return b.op("squeeze", y, dim=0, ndim=3)

        rule(*typenames)(whole)
        return function

    return register


# -- averages around each pixel ----------------------------------------------------------


def around(b: Builder, chain: Any, stem: str, x: Expr) -> Expr:
    """Return what an estimator makes of images: one plane, which counts for all of them."""
    with b.translation.untraced():  # its modules have seen ones, or single images
        for i, module in enumerate(chain.modules.array()):
            if typename(module) != "nn.Replicate":
                x = b.tensor(b.child(module, f"{stem}{i}", x, (stem, "modules", i + 1)))
    return x


def inside(b: Builder, m: Any, x: Expr) -> Expr:
    """Return how much of the kernel lies inside the image, for each pixel."""
    return around(b, m.meanestimator, "meanestimator", b.op("ones_like", x))


@image_rule("nn.SpatialSubtractiveNormalization")
def subtractive(m: Any, x: Expr, b: Builder) -> Value:
    """Return images without the average around each pixel."""
    mean = around(b, m.meanestimator, "meanestimator", x)
    return b.op("sub", x, b.op("div", mean, inside(b, m, x)))


@image_rule("nn.SpatialDivisiveNormalization")
def divisive(m: Any, x: Expr, b: Builder) -> Value:
    """Return images divided by the deviation around each pixel."""
    deviation = around(b, m.stdestimator, "stdestimator", x)
    deviation = b.op("div", deviation, inside(b, m, x))
    return b.op("div", x, b.child(m.thresholder, "thresholder", deviation, ("thresholder",)))


@rule("nn.SpatialContrastiveNormalization")
def contrastive(m: Any, x: Value, b: Builder) -> Value:
    """Return images without the average around each pixel, divided by the deviation."""
    return b.child(m.normalizer, "normalizer", x, ("normalizer",))


@rule("nn.SpatialFeatNormalization")
def feature_normalization(m: Any, x: Value, b: Builder) -> Value:
    """Return images without a mean of each plane, divided by a deviation."""
    shape = (int(m.noOfFeats), 1, 1)
    centred = b.op("sub", b.tensor(x), b.buffer("mean", viewed(m.mean, shape)))
    return b.op("div", centred, b.buffer("std", viewed(m.std, shape)))


@layer("nn.SpatialReSampling")
def resampling(m: Any) -> Layer:
    """Translate bilinear interpolation to a size, or by factors."""
    factors, sizes = (m.rheight, m.rwidth), (m.oheight, m.owidth)
    if None not in factors:
        arguments: dict[str, Any] = {"scale_factor": plain(factors)}
    elif factors == (None, None):
        arguments = {"size": tuple(int(n) for n in sizes)}
    else:
        raise Refusal("it has a factor for one side of images and a size for the other")
    return Layer("Upsample", arguments | {"mode": "bilinear", "align_corners": True})


# -- convolutions ------------------------------------------------------------------------


@image_rule("nn.SpatialConvolutionLocal")
def local_convolution(m: Any, x: Expr, b: Builder) -> Value:
    """Return a convolution with filters of its own for each place: windows times matrices."""
    height, width = m.per_axis("o")
    shape = (
        height * width,
        int(m.nOutputPlane),
        m.weight.size // (height * width * m.nOutputPlane),
    )
    given = {"stride": plain(m.per_axis("d")), "padding": plain(m.per_axis("pad"))}
    given = without_defaults(given, stride=1, padding=0)
    columns = b.op("patches", x, kernel_size=plain(m.per_axis("k")), **given, ndim=3)
    columns = b.op("permute", columns, order=(2, 1, 0))
    places = b.op("matmul", b.parameter("weight", viewed(m.weight, shape)), columns, ndim=3)
    images = b.op(
        "reshape",
        b.op("permute", places, order=(2, 1, 0)),
        shape=(-1, int(m.nOutputPlane), height, width),
        ndim=4,
    )
    return b.op("add", images, b.parameter("bias", m.bias))


@image_rule("nn.SpatialFullConvolutionMap")
def full_convolution_map(m: Any, x: Expr, b: Builder) -> Value:
    """Return a transposed convolution between pairs of planes."""
    return between_pairs(m, x, b, "ConvTranspose2d")


@image_rule("nn.SpatialConvolutionMap")
def convolution_map(m: Any, x: Expr, b: Builder) -> Value:
    """Return a convolution between pairs of planes."""
    return between_pairs(m, x, b, "Conv2d")


def between_pairs(m: Any, x: Expr, b: Builder, kind: str) -> Value:
    """Return what one filter for each pair makes of its plane, and sums of these."""
    table = m.connTable.numpy().astype(np.int64) - 1
    pairs = len(table)
    kernel = m.per_axis("k")
    arguments = {"in_channels": pairs, "out_channels": pairs, "kernel_size": plain(kernel)}
    arguments |= {"stride": plain(m.per_axis("d")), "groups": pairs, "bias": False}
    weight = viewed(m.weight, (pairs, 1, *kernel))
    made = Layer(kind, without_defaults(arguments, stride=1), {"weight": weight})
    sums = np.zeros((int(m.nOutputPlane), pairs), m.weight.dtype)
    sums[table[:, 1], np.arange(pairs)] = 1
    sources = b.buffer("sources", Tensor(np.ascontiguousarray(table[:, 0])))
    chosen = b.op("take", x, sources, dim=1, ndim=4)
    filtered = b.op("permute", b.layer("filters", made, chosen, 4), order=(0, 2, 3, 1))
    joined = b.op(
        "linear", filtered, b.buffer("sums", Tensor(sums)), b.parameter("bias", m.bias), ndim=4
    )
    return b.op("permute", joined, order=(0, 3, 1, 2))


@image_rule("nn.SpatialDepthWiseConvolution")
def depth_wise(m: Any, x: Expr, b: Builder) -> Value:
    """Return a convolution of each plane by itself; Torch7 exchanges height and width."""
    if x.shape is None or x.shape[-1] != x.shape[-2]:
        b.refuse(
            "Torch7 reads height and width of its input exchanged; translate with an example of "
            "square images"
        )
    inputs, outputs, kernel = int(m.nInputPlane), int(m.nOutputPlane), m.per_axis("k")
    arguments = {"in_channels": inputs, "out_channels": inputs * outputs}
    arguments |= {"kernel_size": plain(kernel), "stride": plain(m.per_axis("d"))}
    arguments |= {"padding": plain(m.per_axis("pad")), "groups": inputs}
    arguments["bias"] = m.bias is not None
    weight = ops.reshape(m.weight.detach(), (outputs, inputs, *kernel)).transpose(0, 1)
    state = {"weight": ops.reshape(weight, (inputs * outputs, 1, *kernel))}
    if m.bias is not None:
        state["bias"] = ops.reshape(m.bias.detach().transpose(0, 1), (-1,))
    made = Layer("Conv2d", without_defaults(arguments, stride=1, padding=0, bias=True), state)
    return b.layer("", made, x, 4)


FUNCTIONS = {"Linear": "linear", "Conv2d": "conv2d", "Conv3d": "conv3d"}
FUNCTIONS |= {"ConvTranspose2d": "conv_transpose2d"}
OF_LAYER = ("in_features", "out_features", "in_channels", "out_channels", "kernel_size", "bias")
"""Arguments of layers that their functions see in the weight."""


@rule("nn.WeightNorm")
def weight_norm(m: Any, x: Value, b: Builder) -> Value:
    """Return what a layer makes with a weight of directions and lengths, and Torch7's 1e-4."""
    inner = m.modules[1]
    make = LAYERS.get(typename(inner) or "")
    made = None if make is None else make(inner, x)
    if made is None or made.kind not in FUNCTIONS:
        b.refuse(f"the module inside is {typename(inner)}, which has no function of its weight")
    rows = (m.v.shape[0], -1)
    v, g = b.parameter("v", viewed(m.v, (rows[0], m.v.size // rows[0]))), b.parameter("g", m.g)
    length = b.op("sqrt", b.op("add", b.op("sum_kept", b.op("square", v), dim=1), 1e-4))
    sizes = tuple(int(n) for n in m.viewOut.tolist())
    weight = b.op("mul", v, b.op("div", g, length))
    if len(sizes) > 2 or m.outputDim != 1:
        weight = b.op("reshape", weight, shape=sizes, ndim=len(sizes))
    if m.outputDim == 2:
        weight = b.op("transpose", weight, first=0, second=1)
    elif m.outputDim != 1:
        b.refuse("its outputs are along another dimension of the weight than 1 or 2")
    weight.word = "weight"
    bias = [b.parameter("bias", made.state["bias"])] if "bias" in made.state else []
    given = {name: value for name, value in made.arguments.items() if name not in OF_LAYER}
    ndim = None if x is None else getattr(x, "ndim", None)
    if made.kind == "Linear":
        name = "linear" if bias else "linear_no_bias"
        return b.op(name, b.tensor(x), weight, *bias, ndim=ndim)
    return b.op(FUNCTIONS[made.kind], b.tensor(x), weight, *bias, **given, ndim=ndim)


# -- small ones --------------------------------------------------------------------------


@rule("nn.TemporalSubSampling")
def temporal_sub_sampling(m: Any, x: Value, b: Builder) -> Value:
    """Return sums of frames in a row times a weight, plus a bias, for each feature."""
    size, step = int(m.kW), int(m.dW)
    given = without_defaults({"kernel_size": size, "stride": step}, stride=size)
    turned = b.op("transpose", b.tensor(x), first=-2, second=-1)
    pooled = b.layer("pool", Layer("AvgPool1d", given), turned)
    sums = b.op("mul", b.op("transpose", pooled, first=-2, second=-1), size)
    return b.op(
        "add", b.op("mul", sums, b.parameter("weight", m.weight)), b.parameter("bias", m.bias)
    )


@rule("nn.PartialLinear")
def partial_linear(m: Any, x: Value, b: Builder) -> Value:
    """Return a linear map of which all outputs are computed."""
    if m.partition.size != m.outputsize:
        b.refuse("it computes some of its outputs only (setPartition); call resetPartition first")
    rows = m.network.modules[1].modules[2]
    arguments = {"in_features": int(m.inputsize), "out_features": int(m.outputsize)}
    state = state_of(rows, "weight")
    if m.bias is None:
        arguments["bias"] = False
    else:
        state["bias"] = viewed(m.bias, (int(m.outputsize),))
    return b.layer("", Layer("Linear", arguments, state), b.tensor(x))


@rule("nn.Constant")
def constant(m: Any, x: Value, b: Builder) -> Value:
    """Return a constant, for each sample where the input is a batch."""
    x = b.tensor(x)
    value = b.buffer("value", m.value)
    if m.nInputDim is None or (x.ndim is not None and x.ndim <= m.nInputDim):
        return b.op("steps", value)
    return b.op("for_each", x, value, ndim=m.value.ndim + 1)


@rule("nn.ExpandAs")
def expand_as(m: Any, x: Value, b: Builder) -> Value:
    """Return both tensors, the second one in the size of the first."""
    first, second = (b.tensor(part) for part in b.parts(x, 2))
    return first, b.op("expand_as", second, first, ndim=first.ndim)


@rule("nn.ArgMax")
def argmax(m: Any, x: Value, b: Builder) -> Value:
    """Return the number of the largest element, from 1 as it was unless all count from 0."""
    x = b.tensor(x)
    if not m.asLong:
        b.refuse("its numbers are no integers (asLong)")
    if x.ndim is None and m.nInputDim < 9999:
        x.ndim = int(m.nInputDim) + 1
    dim = int(m.dim) - (0 if x.ndim is not None and x.ndim > m.nInputDim else 1)
    ndim = None if x.ndim is None else x.ndim - 1
    found = b.op("argmax", x, dim=dim, ndim=ndim)
    return found if b.translation.zero_based else b.op("add", found, 1)
