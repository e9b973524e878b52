"""Makers of core.nn's layers from the arguments of Torch's constructors.

Each maker takes the arguments in Torch's order and what is known of the tensor that comes in:
"features" (its last dimension), "spatial" (the last three are channels, height and width), or
None. It gives None where core has nothing of the same meaning.

Source: torch/nn's constructors; the rules of legacy_nn/modernise/rules_layers.py.
"""

from __future__ import annotations

from .. import ast
from ..walk import alike, number, plain
from .constructors import Arguments, Layer, Maker, whole
from .nodes import NN, Part, Template


def same_arguments(name: str, rank: str | None = "same", most: int = 0) -> Maker:
    """Return a maker of a layer with as many of Torch's first arguments."""

    def make(a: Arguments) -> Layer:
        parts = [a[i] for i in range(most)]
        return Layer(a.code(name, *parts), a.rank if rank == "same" else rank)

    return make


def linear(a: Arguments) -> Layer:
    """Return Linear."""
    bias = "False" if "noBias" in a.methods else a.flag(2, True)
    return Layer(a.code("Linear", a.count(0), a.count(1), bias=bias), "features", True)


def spatial_convolution(a: Arguments) -> Layer:
    """Return Conv2d; Torch has width before height."""
    code = a.code(
        "Conv2d",
        a.count(0),
        a.count(1),
        a.size(3, 2),
        stride=a.size(5, 4, default=1),
        padding=padding(a, 6, 7),
        groups=a.count(8) if number(a[8]) != 1 else None,
        bias="False" if "noBias" in a.methods else None,
    )
    return Layer(code, "spatial", True)


def dilated_convolution(a: Arguments) -> Layer:
    """Return Conv2d with its dilation."""
    code = a.code(
        "Conv2d",
        a.count(0),
        a.count(1),
        a.size(3, 2),
        stride=a.size(5, 4, default=1),
        padding=padding(a, 6, 7),
        dilation=a.size(9, 8, default=1),
    )
    return Layer(code, "spatial", True)


def padding(a: Arguments, width: int, height: int) -> Part:
    """Return the padding: that of the height is the width's where it is left out."""
    if a[height] is None:
        return None if a[width] is None or number(a[width]) == 0 else a.count(width)
    return a.size(height, width, default=0)


def full_convolution(a: Arguments) -> Layer:
    """Return ConvTranspose2d."""
    code = a.code(
        "ConvTranspose2d",
        a.count(0),
        a.count(1),
        a.size(3, 2),
        stride=a.size(5, 4, default=1),
        padding=a.size(7, 6, default=0),
        output_padding=a.size(9, 8, default=0),
        bias="False" if "noBias" in a.methods else None,
    )
    return Layer(code, "spatial", True)


def volumetric_convolution(a: Arguments) -> Layer:
    """Return Conv3d; Torch has time, width, height."""
    code = a.code(
        "Conv3d",
        a.count(0),
        a.count(1),
        a.size(2, 4, 3),
        stride=a.size(5, 7, 6, default=1),
        padding=a.size(8, 10, 9, default=0),
    )
    return Layer(code, None, True)


def max_pooling(a: Arguments) -> Layer:
    """Return MaxPool2d, without its stride where that is the kernel."""
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


def average_pooling(a: Arguments) -> Layer:
    """Return AvgPool2d; Torch's stride is 1 where it is left out."""
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


def adaptive(name: str) -> Maker:
    """Return a maker of pooling to a given size."""

    def make(a: Arguments) -> Layer:
        return Layer(a.code(name, a.size(1, 0)), "spatial")

    return make


def normalization(name: str, rank: str | None) -> Maker:
    """Return a maker of batch normalisation."""

    def make(a: Arguments) -> Layer:
        code = a.code(
            name,
            a.count(0),
            eps=a[1] if number(a[1]) != 1e-5 else None,
            momentum=a[2] if number(a[2]) != 0.1 else None,
            affine=a.flag(3, True),
        )
        return Layer(code, rank, True)

    return make


def local_response(a: Arguments) -> Layer:
    """Return LocalResponseNorm."""
    code = a.code("LocalResponseNorm", a.count(0), alpha=a[1], beta=a[2], k=a[3])
    return Layer(code, "spatial", note=_BATCHES)


def dropout(name: str) -> Maker:
    """Return a maker of dropout."""

    def make(a: Arguments) -> Layer | None:
        if a[1] is not None and a.flag(1, False) is not None:
            return None  # Torch's first version did not scale in training
        return Layer(a.code(name, a[0] if number(a[0]) != 0.5 else None), a.rank)

    return make


def over_features(name: str) -> Maker:
    """Return a maker of softmax layers: over features, or over the planes of images."""

    def make(a: Arguments) -> Layer | None:
        dimension = {"features": "-1", "spatial": "-3"}.get(a.rank or "")
        return None if dimension is None else Layer(a.code(name, dimension), a.rank)

    return make


def view(a: Arguments) -> Layer | None:
    """Return Flatten or Unflatten where it is known what comes in, else the file's own View."""
    sizes = list(a.values)
    if not sizes or (len(sizes) == 1 and isinstance(plain(sizes[0]), ast.TableConstructor)):
        return None
    counted = a.methods.get("setNumInputDims")
    if counted is not None:
        dims = number(counted[0]) if len(counted) == 1 else None
        if dims is not None and len(sizes) == 1:
            return Layer(a.code("Flatten", str(-int(dims))), "features")
        return _unflatten(a) if dims == 1 else None
    batch = [-1] if len(sizes) == 2 and number(sizes[0]) == -1 else []
    known = not any(number(s) is not None and number(s) <= 0 for s in sizes[len(batch) :])  # type: ignore[operator]  # not None
    if known and len(sizes) - len(batch) == 1 and a.rank == "spatial":
        return Layer(a.code("Flatten", "-3"), "features")
    if known and not batch and a.rank == "features" and len(sizes) == 3:
        return _unflatten(a)
    return _own(a, "View")


def _unflatten(a: Arguments) -> Layer | None:
    """Return Unflatten of features to images."""
    if len(a.values) != 3 or any(float(number(s) or 1) <= 0 for s in a.values):
        return None
    parts: list[Part] = ["("]
    for size in a.values:
        parts += [whole(size), ", "]
    return Layer(a.code("Unflatten", "-1", [*parts[:-1], ")"]), "spatial")


def _own(a: Arguments, name: str) -> Layer | None:
    """Return a class of the file itself that gives tensors another shape."""
    sizes = a.values
    only = plain(sizes[0])
    computed = isinstance(only, (ast.Number, ast.Unary, ast.Binary))
    if len(sizes) == 1 and not computed:  # it may be a torch.LongStorage
        return None
    parts: list[Part] = [f"{name}("]
    for size in sizes:
        parts += [whole(size), ", "]
    imports = (NN, ("prod", "math"))
    code = Template(a.node.line, a.node.column, [*parts[:-1], ")"], imports=imports)
    last = len(sizes) - (number(sizes[0]) == -1 and len(sizes) > 1)
    return Layer(code, {1: "features", 3: "spatial"}.get(last), helper=name)


def reshape(a: Arguments) -> Layer | None:
    """Return what a view becomes; Flatten where it is told that there are batches."""
    flags = [plain(v).value for v in a.values if isinstance(plain(v), ast.Boolean)]
    if flags:
        batches = flags == [True] and len(a.values) == 2
        return Layer(a.code("Flatten", "1"), "features") if batches else None
    if len(a.values) == 1 and a.rank == "spatial":
        return view(a)
    if len(a.values) == 3 and a.rank == "features":
        return _unflatten(a)
    return _own(a, "Reshape") if a.values else None


def embedding(a: Arguments) -> Layer | None:
    """Return Embedding, for a lookup table without padding or norms."""
    return (
        None
        if len(a.values) > 2
        else Layer(a.code("Embedding", a.count(0), a.count(1)), None, True)
    )


def relu(a: Arguments) -> Layer:
    """Return ReLU."""
    return Layer(a.code("ReLU"), a.rank)


def threshold(a: Arguments) -> Layer | None:
    """Return Threshold, or ReLU where both numbers are 0."""
    if number(a[0]) == 0 and number(a[1]) in (0, None):
        return relu(a)
    if len(a.values) > 2:
        return None
    limit, value = ("1e-6" if a[0] is None else a[0]), ("0" if a[1] is None else a[1])
    return Layer(a.code("Threshold", limit, value), a.rank)


def hard_tanh(a: Arguments) -> Layer:
    """Return Hardtanh."""
    if number(a[0]) in (-1, None) and number(a[1]) in (1, None) and a[0] is a[1] is None:
        return Layer(a.code("Hardtanh"), a.rank)
    return Layer(a.code("Hardtanh", a[0], a[1]), a.rank)


def leaky(a: Arguments) -> Layer | None:
    """Return LeakyReLU."""
    if isinstance(plain(a[0]), ast.Boolean):
        return None
    return Layer(a.code("LeakyReLU", a[0]), a.rank)


def prelu(a: Arguments) -> Layer:
    """Return PReLU."""
    shared = a[0] is None or number(a[0]) == 0
    return Layer(a.code("PReLU", None if shared else a.count(0)), a.rank, True)


def elu(a: Arguments) -> Layer:
    """Return ELU."""
    return Layer(a.code("ELU", a[0] if number(a[0]) != 1 else None), a.rank)


def zero_padding(name: str) -> Maker:
    """Return a maker of layers that pad four sides: left, right, top, bottom."""

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


def upsampling(a: Arguments) -> Layer:
    """Return Upsample."""
    return Layer(a.code("Upsample", scale_factor=a[0]), "spatial", note=_BATCHES)
