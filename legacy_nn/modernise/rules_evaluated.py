"""Rules of classes that draw noise, images or classes in training, and nothing in evaluation.

A model in training mode is refused; of one in evaluation mode what it computes then is translated,
and the translation does the same in both modes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rekindle.core import ops

from .plan import Layer, Value
from .registry import evaluated
from .rules_layers import convolution, number, state_of

if TYPE_CHECKING:
    from .builder import Builder


@evaluated(
    *("nn.TotalDropout", "nn.SpatialRegionDropout", "nn.SimpleColorTransform"),
    "nn.PCAColorTransform",
)
def unchanged(m: Any, x: Value, b: Builder) -> Value:
    """Return the input."""
    return b.tensor(x)


@evaluated("nn.WhiteNoise")
def mean_of_noise(m: Any, x: Value, b: Builder) -> Value:
    """Return the input and the mean of its noise."""
    return b.op("add", b.tensor(x), number(m.mean)) if m.mean else b.tensor(x)


@evaluated("nn.SpatialUniformCrop")
def crop(m: Any, x: Value, b: Builder) -> Value:
    """Return the middle of images."""
    x = b.tensor(x)
    if x.shape is None:
        b.refuse("where it crops depends on the size of images; translate with an example input")
    middle = x
    for dim, size in ((-2, int(m.oheight)), (-1, int(m.owidth))):
        # dpnn counts from 1, and starts at the first pixel of images of the size itself.
        start = (math.ceil((x.shape[dim] - size) / 2) or 1) - 1
        middle = b.op("narrow", middle, dim=dim, start=start, length=size)
    return middle


@evaluated("nn.ReinforceNormal", "nn.ReinforceBernoulli", "nn.ReinforceCategorical")
def most_likely(m: Any, x: Value, b: Builder) -> Value:
    """Return the means of what would be drawn: the input, or the first of a table."""
    if m.stochastic:
        b.refuse("it draws actions, in evaluation too (stochastic)")
    return b.tensor(x[0] if isinstance(x, tuple) else x)


@evaluated("nn.ReinforceGamma")
def mean_of_gamma(m: Any, x: Value, b: Builder) -> Value:
    """Return shape times scale."""
    if m.stochastic:
        b.refuse("it draws actions, in evaluation too (stochastic)")
    if isinstance(x, tuple):
        shape, scale = (b.tensor(part) for part in b.parts(x, 2))
        return b.op("mul", shape, scale)
    given = m.scale
    scale = number(given) if isinstance(given, (int, float)) else b.buffer("scale", given)
    return b.op("mul", b.tensor(x), scale)


@evaluated("nn.NCEModule")
def probabilities(m: Any, x: Value, b: Builder) -> Value:
    """Return the probabilities of all classes, or their logarithms, whatever class is given."""
    if not m.normalized:
        b.refuse("it compares classes with noise; set `normalized`, and it gives probabilities")
    features = b.tensor(b.parts(x, 2)[0])
    outputs, inputs = m.weight.shape
    arguments = {"in_features": inputs, "out_features": outputs}
    scores = b.layer("linear", Layer("Linear", arguments, state_of(m, "weight", "bias")), features)
    kind = "LogSoftmax" if m.logsoftmax else "Softmax"
    return b.layer("softmax", Layer(kind, {"dim": 1}), scores)


@evaluated("nn.SpatialBinaryConvolution")
def binary_convolution(m: Any, x: Value, b: Builder) -> Value:
    """Return a convolution with the signs of filters times their mean sizes, in a copy of these."""
    made = convolution(m, "Conv2d", int(m.nInputPlane), int(m.nOutputPlane))
    filters = made.state["weight"].detach()
    sizes = ops.mean(ops.abs(filters), axis=(1, 2, 3), keepdims=True)
    signs = ops.astype(ops.greater_equal(filters, 0), filters.dtype) * 2 - 1
    made.state["weight"] = signs * sizes
    return b.layer("", made, b.tensor(x), 4)
