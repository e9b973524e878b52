"""Constructors of Torch's nn as those of core.nn: which class, and what its arguments mean.

Each maker takes the arguments in Torch's order and what is known of the tensor that comes in:
"features" (its last dimension), "spatial" (the last three are channels, height and width), or
None. It gives None where core has nothing of the same meaning.

Source: torch/nn's constructors; the rules of legacy_nn/modernise/rules_layers.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import ast
from ..text import words
from .nodes import NN, Part, Template
from .walk import alike, number, plain


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of core.

    Attributes
    ----------
    code : Template
    rank : str or None
        What comes out of it: "features", "spatial" or not known.
    has_parameters : bool
    note : str
        What a program should know of it.
    """

    code: Template
    rank: str | None
    has_parameters: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a constructor is given, and the methods called on what it makes.

    Attributes
    ----------
    node : ast.Node
    values : list of Expression
    rank : str or None
    methods : dict of str to list of Expression
        `:ceil()`, `:noBias()`, `:setNumInputDims(3)`.
    """

    node: ast.Node
    values: list[Any]
    rank: str | None
    methods: dict[str, list[Any]]

    def __getitem__(self, position: int) -> Any:
        if position >= len(self.values) or isinstance(plain(self.values[position]), ast.Nil):
            return None
        return self.values[position]

    def code(self, name: str, *parts: Part, **named: Part) -> Template:
        """Return `nn.Name(parts, name=part)`; what is None is left out."""
        found: list[Part] = [f"nn.{name}("]
        given = [("", p) for p in parts if p is not None]
        given += [(f"{key}=", p) for key, p in named.items() if p is not None]
        for position, (key, part) in enumerate(given):
            found.append(f"{', ' if position else ''}{key}")
            found += part if isinstance(part, list) else [part]
        return Template(self.node.line, self.node.column, [*found, ")"], imports=(NN,))

    def size(self, *positions: int, default: float | None = None) -> Part:
        """Return one number for equal ones, a tuple of different ones, None for the default.

        `positions` are those of height and width, which Torch has the other way round.
        """
        values = [self[p] for p in positions]
        if any(v is None for v in values):
            if all(v is None for v in values):
                return None
            filled = ast.Number(self.node.line, self.node.column, default or 0, str(default or 0))
            values = [filled if v is None else v for v in values]
        if default is not None and all(number(v) == default for v in values):
            return None
        if all(alike(values[0], v) for v in values[1:]):
            return values[0]
        parts: list[Part] = ["("]
        for v in values:
            parts += [v, ", "]
        return [*parts[:-1], ")"]

    def flag(self, position: int, default: bool) -> str | None:
        """Return a boolean that is written out, None where it is the default.

        Raises
        ------
        Unclear
            If it is not written out.
        """
        value = self[position]
        if value is None:
            return None
        if not isinstance(plain(value), ast.Boolean):
            raise Unclear
        given = plain(value).value
        return None if given == default else str(given)


class Unclear(Exception):
    """An argument whose meaning depends on its value while the program runs."""


Maker = Callable[[Arguments], Layer | None]


def _plain(name: str, rank: str | None = "same", most: int = 0) -> Maker:
    def make(a: Arguments) -> Layer:
        parts = [a[i] for i in range(most)]
        return Layer(a.code(name, *parts), a.rank if rank == "same" else rank)

    return make


def _linear(a: Arguments) -> Layer:
    bias = "False" if "noBias" in a.methods else a.flag(2, True)
    return Layer(a.code("Linear", a[0], a[1], bias=bias), "features", True)


def _spatial_convolution(a: Arguments) -> Layer:
    code = a.code(
        "Conv2d",
        a[0],
        a[1],
        a.size(3, 2),
        stride=a.size(5, 4, default=1),
        padding=_padding(a, 6, 7),
        groups=a[8] if number(a[8]) != 1 else None,
        bias="False" if "noBias" in a.methods else None,
    )
    return Layer(code, "spatial", True)


def _dilated_convolution(a: Arguments) -> Layer:
    code = a.code(
        "Conv2d",
        a[0],
        a[1],
        a.size(3, 2),
        stride=a.size(5, 4, default=1),
        padding=_padding(a, 6, 7),
        dilation=a.size(9, 8, default=1),
    )
    return Layer(code, "spatial", True)


def _padding(a: Arguments, width: int, height: int) -> Part:
    """Return the padding: that of the height is the width's where it is left out."""
    if a[height] is None:
        return None if a[width] is None or number(a[width]) == 0 else a[width]
    return a.size(height, width, default=0)


def _full_convolution(a: Arguments) -> Layer:
    code = a.code(
        "ConvTranspose2d",
        a[0],
        a[1],
        a.size(3, 2),
        stride=a.size(5, 4, default=1),
        padding=a.size(7, 6, default=0),
        output_padding=a.size(9, 8, default=0),
        bias="False" if "noBias" in a.methods else None,
    )
    return Layer(code, "spatial", True)


def _volumetric_convolution(a: Arguments) -> Layer:
    code = a.code(
        "Conv3d",
        a[0],
        a[1],
        a.size(2, 4, 3),
        stride=a.size(5, 7, 6, default=1),
        padding=a.size(8, 10, 9, default=0),
    )
    return Layer(code, None, True)


def _max_pooling(a: Arguments) -> Layer:
    kernel, stride = a.size(1, 0), a.size(3, 2)
    if a[2] is None or (alike(a[0], a[2]) and alike(a[1], a[3])):
        stride = None
    code = a.code(
        "MaxPool2d",
        kernel,
        stride=stride,
        padding=a.size(5, 4, default=0),
        ceil_mode="True" if "ceil" in a.methods else None,
    )
    return Layer(code, "spatial")


def _average_pooling(a: Arguments) -> Layer:
    same = a[2] is not None and alike(a[0], a[2]) and alike(a[1], a[3])
    stride = None if same else a.size(3, 2)
    code = a.code(
        "AvgPool2d",
        a.size(1, 0),
        stride="1" if stride is None and not same else stride,
        padding=a.size(5, 4, default=0),
        ceil_mode="True" if "ceil" in a.methods else None,
    )
    return Layer(code, "spatial")


def _adaptive(name: str) -> Maker:
    def make(a: Arguments) -> Layer:
        return Layer(a.code(name, a.size(1, 0)), "spatial")

    return make


def _normalization(name: str, rank: str | None) -> Maker:
    def make(a: Arguments) -> Layer:
        code = a.code(
            name,
            a[0],
            eps=a[1] if number(a[1]) != 1e-5 else None,
            momentum=a[2] if number(a[2]) != 0.1 else None,
            affine=a.flag(3, True),
        )
        return Layer(code, rank, True)

    return make


def _local_response(a: Arguments) -> Layer:
    code = a.code("LocalResponseNorm", a[0], alpha=a[1], beta=a[2], k=a[3])
    return Layer(code, "spatial", note=_BATCHES)


def _dropout(name: str) -> Maker:
    def make(a: Arguments) -> Layer | None:
        if a[1] is not None and a.flag(1, False) is not None:
            return None  # Torch's first version did not scale in training
        return Layer(a.code(name, a[0] if number(a[0]) != 0.5 else None), a.rank)

    return make


def _spatial_dropout(a: Arguments) -> Layer:
    return Layer(a.code("Dropout2d", a[0] if number(a[0]) != 0.5 else None), a.rank)


def _over_features(name: str) -> Maker:
    """Return a maker of softmax layers: over features, or over the planes of images."""

    def make(a: Arguments) -> Layer | None:
        dimension = {"features": "-1", "spatial": "-3"}.get(a.rank or "")
        return None if dimension is None else Layer(a.code(name, dimension), a.rank)

    return make


def _view(a: Arguments) -> Layer | None:
    """Return Flatten behind images, Unflatten behind features; other views are none of these."""
    sizes = list(a.values)
    if len(sizes) == 1 and isinstance(plain(sizes[0]), ast.TableConstructor):
        return None
    if len(sizes) == 2 and number(sizes[0]) == -1:
        sizes = sizes[1:]
    if any(number(s) is not None and float(number(s) or 0) <= 0 for s in sizes):
        return None
    if len(sizes) == 1 and a.rank == "spatial":
        return Layer(a.code("Flatten", "-3"), "features")
    if len(sizes) == 3 and len(a.values) == 3 and a.rank == "features":
        parts: list[Part] = ["("]
        for size in sizes:
            parts += [size, ", "]
        return Layer(a.code("Unflatten", "-1", [*parts[:-1], ")"]), "spatial")
    return None


def _reshape(a: Arguments) -> Layer | None:
    return None if any(isinstance(plain(v), ast.Boolean) for v in a.values) else _view(a)


def _embedding(a: Arguments) -> Layer | None:
    return None if len(a.values) > 2 else Layer(a.code("Embedding", a[0], a[1]), None, True)


def _relu(a: Arguments) -> Layer:
    return Layer(a.code("ReLU"), a.rank)


def _threshold(a: Arguments) -> Layer | None:
    if number(a[0]) == 0 and number(a[1]) in (0, None):
        return _relu(a)
    if a[0] is None or a[1] is None:
        return None
    return Layer(a.code("Threshold", a[0], a[1]), a.rank)


def _hard_tanh(a: Arguments) -> Layer:
    if number(a[0]) in (-1, None) and number(a[1]) in (1, None) and a[0] is a[1] is None:
        return Layer(a.code("Hardtanh"), a.rank)
    return Layer(a.code("Hardtanh", a[0], a[1]), a.rank)


def _leaky(a: Arguments) -> Layer | None:
    if isinstance(plain(a[0]), ast.Boolean):
        return None
    return Layer(a.code("LeakyReLU", a[0]), a.rank)


def _prelu(a: Arguments) -> Layer:
    shared = a[0] is None or number(a[0]) == 0
    return Layer(a.code("PReLU", None if shared else a[0]), a.rank, True)


def _elu(a: Arguments) -> Layer:
    return Layer(a.code("ELU", a[0] if number(a[0]) != 1 else None), a.rank)


def _zero_padding(name: str) -> Maker:
    def make(a: Arguments) -> Layer | None:
        if any(a[i] is None for i in range(4)):
            return None
        parts: list[Part] = ["("]
        for i in range(4):
            parts += [a[i], ", "]
        sides: Part = [*parts[:-1], ")"]
        if all(alike(a[0], a[i]) for i in range(1, 4)):
            sides = a[0]
        return Layer(a.code(name, sides), "spatial")

    return make


_BATCHES = "core's layer takes batches: it would take a single image for a batch of rows"


def _upsampling(a: Arguments) -> Layer:
    return Layer(a.code("Upsample", scale_factor=a[0]), "spatial", note=_BATCHES)


_NN: dict[str, Maker] = {
    "Linear": _linear,
    "SpatialConvolution": _spatial_convolution,
    "SpatialConvolutionMM": _spatial_convolution,
    "SpatialDilatedConvolution": _dilated_convolution,
    "SpatialFullConvolution": _full_convolution,
    "VolumetricConvolution": _volumetric_convolution,
    "SpatialMaxPooling": _max_pooling,
    "SpatialAveragePooling": _average_pooling,
    "SpatialAdaptiveMaxPooling": _adaptive("AdaptiveMaxPool2d"),
    "SpatialAdaptiveAveragePooling": _adaptive("AdaptiveAvgPool2d"),
    "BatchNormalization": _normalization("BatchNorm1d", "features"),
    "SpatialBatchNormalization": _normalization("BatchNorm2d", "spatial"),
    "VolumetricBatchNormalization": _normalization("BatchNorm3d", None),
    "SpatialCrossMapLRN": _local_response,
    "Dropout": _dropout("Dropout"),
    "SpatialDropout": _spatial_dropout,
    "LogSoftMax": _over_features("LogSoftmax"),
    "SoftMax": _over_features("Softmax"),
    "SpatialLogSoftMax": lambda a: Layer(a.code("LogSoftmax", "-3"), "spatial"),
    "SpatialSoftMax": lambda a: Layer(a.code("Softmax", "-3"), "spatial"),
    "View": _view,
    "Reshape": _reshape,
    "LookupTable": _embedding,
    "Identity": _plain("Identity"),
    "Tanh": _plain("Tanh"),
    "Sigmoid": _plain("Sigmoid"),
    "LogSigmoid": _plain("LogSigmoid"),
    "ReLU": _relu,
    "ReLU6": _plain("ReLU6"),
    "LeakyReLU": _leaky,
    "PReLU": _prelu,
    "ELU": _elu,
    "Threshold": _threshold,
    "HardTanh": _hard_tanh,
    "SoftPlus": _plain("Softplus", most=1),
    "SoftSign": _plain("Softsign"),
    "TanhShrink": _plain("Tanhshrink"),
    "HardShrink": _plain("Hardshrink", most=1),
    "SoftShrink": _plain("Softshrink", most=1),
    "SpatialZeroPadding": _zero_padding("ZeroPad2d"),
    "SpatialReflectionPadding": _zero_padding("ReflectionPad2d"),
    "SpatialReplicationPadding": _zero_padding("ReplicationPad2d"),
    "SpatialUpSamplingNearest": _upsampling,
    "PixelShuffle": _plain("PixelShuffle", "spatial", most=1),
}

_CUDNN = (
    "SpatialConvolution",
    "SpatialMaxPooling",
    "SpatialBatchNormalization",
    "BatchNormalization",
    "ReLU",
    "Tanh",
    "Sigmoid",
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
        LogSoftMax
        SpatialAveragePooling SpatialConvolutionMap LookupTable Dropout WhiteNoise Clamp RReLU
        VolumetricMaxPooling VolumetricAveragePooling VolumetricFullConvolution Threshold
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
