"""Rules of classes from packages around nn: stn, and what of rnn has no steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plan import Layer, Value
from .registry import layer, rule
from .rules_layers import number, state_of, viewed

if TYPE_CHECKING:
    from .builder import Builder


@rule("nn.AffineTransformMatrixGenerator")
def affine_matrix(m: Any, x: Value, b: Builder) -> Value:
    """Return the matrices of maps from angles, scales and translations."""
    x = b.tensor(x)
    if x.ndim == 1:
        b.refuse("it is translated for batches, and given one sample")
    if m.fullMode:
        return b.op("reshape", x, shape=(-1, 2, 3), ndim=3)
    count = int(m.useRotation) + int(m.useScale) + 2 * int(m.useTranslation)
    columns = iter([b.op("select", x, dim=1, index=i, ndim=1) for i in range(count)])
    zero = b.op("mul", b.op("select", x, dim=1, index=0, ndim=1), 0)
    cosine, sine = b.op("add", zero, 1), zero
    if m.useRotation:
        angle = next(columns)
        cosine, sine = b.op("cos", angle), b.op("sin", angle)
    if m.useScale:
        scale = next(columns)
        cosine, sine = b.op("mul", cosine, scale), b.op("mul", sine, scale)
    first, second = zero, zero
    if m.useTranslation:
        y, x = next(columns), next(columns)
        first = b.op("sub", b.op("mul", cosine, y), b.op("mul", sine, x))
        second = b.op("add", b.op("mul", sine, y), b.op("mul", cosine, x))
    upper = b.op("stack", cosine, b.op("neg", sine), first, dim=1, ndim=2)
    lower = b.op("stack", sine, cosine, second, dim=1, ndim=2)
    return b.op("stack", upper, lower, dim=1, ndim=3)


@rule("nn.AffineGridGeneratorBHWD")
def affine_grid(m: Any, x: Value, b: Builder) -> Value:
    """Return where pixels come from: the positions of an image, mapped."""
    height, width = int(m.height), int(m.width)
    points = b.buffer("points", viewed(m.baseGrid, (height * width, 3)))
    turned = b.op("transpose", b.tensor(x), first=1, second=2, ndim=3)
    moved = b.op("matmul", points, turned, ndim=3)
    return b.op("reshape", moved, shape=(-1, height, width, 2), ndim=4)


@rule("nn.BilinearSamplerBHWD")
def bilinear_sampler(m: Any, x: Value, b: Builder) -> Value:
    """Return pixels between pixels; grids say y and then x here."""
    images, grids = (b.tensor(part) for part in b.parts(x, 2))
    if images.ndim == 3:
        b.refuse("it is translated for batches, and given one image")
    planes = b.op("permute", images, order=(0, 3, 1, 2), ndim=4)
    sampled = b.op("grid_sample", planes, b.op("flip", grids, dim=3), ndim=4)
    return b.op("permute", sampled, order=(0, 2, 3, 1))


@layer("nn.LinearNoBias")
def linear_no_bias(m: Any) -> Layer:
    """Translate rnn's linear map without a bias."""
    outputs, inputs = m.weight.shape
    arguments = {"in_features": inputs, "out_features": outputs, "bias": False}
    return Layer("Linear", arguments, state_of(m, "weight"))


@rule("nn.CopyGrad")
def copy_grad(m: Any, x: Value, b: Builder) -> Value:
    """Return the input."""
    return x


@rule("nn.SAdd")
def add_number(m: Any, x: Value, b: Builder) -> Value:
    """Return a sum with a number, or what is missing to its negative."""
    total = b.op("add", b.tensor(x), number(m.addend))
    return b.op("neg", total) if m.negate else total


@rule("nn.SeqReverseSequence")
def reverse_sequence(m: Any, x: Value, b: Builder) -> Value:
    """Return a tensor turned around along a dimension."""
    return b.op("flip", b.tensor(x), dim=int(m.dim) - 1)
