"""Rules of classes without learned state of their own: arithmetic, softmax, dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rekindle.core.tensor import Tensor

from .plan import Layer, Value
from .registry import layer, layer_of_input, rule
from .rules_layers import number

if TYPE_CHECKING:
    from .builder import Builder


# -- what passes on its input -----------------------------------------------------------


@rule(
    *("nn.Identity", "nn.Copy", "nn.Contiguous", "nn.PrintSize", "nn.L1Penalty"),
    *("nn.TotalVariation", "nngraph.JustElement", "nn.ZeroGrad"),
    "nn.CategoricalEntropy",
)
def identity(m: Any, x: Value, b: Builder) -> Value:
    """Return the input; penalties in the gradient belong to the loss."""
    return b.parts(x, 1)[0] if m.t7_typename == "nngraph.JustElement" else x


@rule("nn.GradientReversal")
def gradient_reversal(m: Any, x: Value, b: Builder) -> Value:
    """Return x by two paths, of which one has the gradient."""
    factor = number(getattr(m, "lambda"))
    kept = b.op("mul", b.op("detach", b.tensor(x)), 1 + factor)
    return b.op("sub", kept, x if factor == 1 else b.op("mul", x, factor))


# -- element by element -----------------------------------------------------------------


def _unary(typename: str, name: str) -> None:
    rule(typename)(lambda m, x, b: b.op(name, b.tensor(x)))


for _typename, _name in {
    "nn.Square": "square",
    "nn.Sqrt": "sqrt",
    "nn.Exp": "exp",
    "nn.Log": "log",
    "nn.Abs": "abs",
}.items():
    _unary(_typename, _name)


@rule("nn.Power")
def power(m: Any, x: Value, b: Builder) -> Value:
    """Return a power."""
    return b.op("sqrt", b.tensor(x)) if m.pow == 0.5 else b.op("pow", b.tensor(x), number(m.pow))


@rule("nn.MulConstant")
def mul_constant(m: Any, x: Value, b: Builder) -> Value:
    """Return a product with a number."""
    if m.constant_scalar == -1:
        return b.op("neg", b.tensor(x))
    return b.op("mul", b.tensor(x), number(m.constant_scalar))


@rule("nn.AddConstant")
def add_constant(m: Any, x: Value, b: Builder) -> Value:
    """Return a sum with a number or a vector."""
    constant = m.constant_scalar
    if isinstance(constant, Tensor):
        return b.op("add", b.tensor(x), b.buffer("constant", constant))
    return b.op("add", b.tensor(x), number(constant))


@layer_of_input("nn.SoftMax", "nn.SpatialSoftMax")
def softmax(m: Any, x: Any) -> Layer:
    """Translate a softmax over the features."""
    return Layer("Softmax", {"dim": feature_dim(x)})


@layer_of_input("nn.LogSoftMax", "nn.SpatialLogSoftMax")
def log_softmax(m: Any, x: Any) -> Layer:
    """Translate the logarithm of a softmax."""
    return Layer("LogSoftmax", {"dim": feature_dim(x)})


@layer_of_input("nn.SoftMin")
def softmin(m: Any, x: Any) -> Layer:
    """Translate a softmax of the negated input."""
    return Layer("Softmin", {"dim": feature_dim(x)})


def feature_dim(x: Any) -> int:
    """Return the dimension of features: in batches, which are meant where nothing is known, 1."""
    return 0 if x.ndim in (1, 3) else 1


@rule("cudnn.SoftMax", "cudnn.LogSoftMax", "cudnn.SpatialSoftMax", "cudnn.SpatialLogSoftMax")
def cudnn_softmax(m: Any, x: Value, b: Builder) -> Value:
    """Return cudnn's softmax, over the features or over the whole sample."""
    name = m.t7_typename
    log = name in ("cudnn.LogSoftMax", "cudnn.SpatialLogSoftMax") or "LOG" in m.algorithm
    kind = "LogSoftmax" if log else "Softmax"
    whole = name in ("cudnn.SoftMax", "cudnn.LogSoftMax") or "INSTANCE" in m.mode
    x = b.tensor(x)
    dim = feature_dim(x)
    if not whole or x.ndim in (1, 2):
        return b.layer("softmax", Layer(kind, {"dim": dim}), x)
    flat = b.op("flatten", x, start=dim, ndim=dim + 1)
    return b.op(
        "reshape_like", b.op("log_softmax" if log else "softmax", flat, dim=dim), x, ndim=x.ndim
    )


@rule("cudnn.VolumetricSoftMax", "cudnn.VolumetricLogSoftMax")
def volumetric_softmax(m: Any, x: Value, b: Builder) -> Value:
    """Return a softmax over the features of volumes."""
    if "INSTANCE" in m.ssm.mode:
        b.refuse("its softmax goes over the whole sample")
    kind = "LogSoftmax" if "LOG" in m.ssm.algorithm else "Softmax"
    dim = 0 if getattr(x, "ndim", None) == 4 else 1
    return b.layer("softmax", Layer(kind, {"dim": dim}), b.tensor(x))


# -- dropout ----------------------------------------------------------------------------


@rule("nn.Dropout")
def dropout(m: Any, x: Value, b: Builder) -> Value:
    """Return dropout of version 1, which scales in evaluation."""
    if m.stochastic_inference:
        b.refuse("it drops in evaluation, too (stochastic_inference)")
    dropped = b.layer("dropout", Layer("Dropout", {"p": m.p}), b.tensor(x))
    return dropped if m.v2 or m.p == 0 else b.op("mul", dropped, 1 - m.p)


@layer("nn.Dropout")
def plain_dropout(m: Any) -> Layer | None:
    """Translate dropout of version 2."""
    if m.stochastic_inference or not (m.v2 or m.p == 0):
        return None
    return Layer("Dropout", {} if m.p == 0.5 else {"p": m.p})


@rule("nn.SpatialDropout", "nn.VolumetricDropout")
def feature_dropout(m: Any, x: Value, b: Builder) -> Value:
    """Return dropout of planes, which Torch7 scales in evaluation and not in training."""
    if m.stochastic_inference:
        b.refuse("it drops in evaluation, too (stochastic_inference)")
    kind = "Dropout2d" if m.t7_typename == "nn.SpatialDropout" else "Dropout3d"
    return b.op("mul", b.layer("dropout", Layer(kind, {"p": m.p}), b.tensor(x)), 1 - m.p)


# -- two inputs -------------------------------------------------------------------------


@rule("nn.MM")
def matrices(m: Any, x: Value, b: Builder) -> Value:
    """Return a product of matrices."""
    first, second = (b.tensor(part) for part in b.parts(x, 2))
    if m.transA:
        first = b.op("transpose", first, first=-2, second=-1)
    if m.transB:
        second = b.op("transpose", second, first=-2, second=-1)
    return b.op("matmul", first, second)


@rule("nn.MV")
def matrix_vector(m: Any, x: Value, b: Builder) -> Value:
    """Return a product of matrices and vectors."""
    matrix, vector = (b.tensor(part) for part in b.parts(x, 2))
    if m.trans:
        matrix = b.op("transpose", matrix, first=-2, second=-1)
    product = b.op("matmul", matrix, b.op("unsqueeze", vector, dim=-1))
    return b.op("squeeze", product, dim=-1, ndim=vector.ndim)


def rows(b: Builder, x: Value) -> tuple[Any, Any]:
    """Return two batches of vectors.

    Vectors alone become batches of one, as in Torch7.
    """
    first, second = (b.tensor(part) for part in b.parts(x, 2))
    if first.ndim == 1:
        return b.op("unsqueeze", first, dim=0, ndim=2), b.op("unsqueeze", second, dim=0, ndim=2)
    return first, second


@rule("nn.DotProduct")
def dot_product(m: Any, x: Value, b: Builder) -> Value:
    """Return the products of rows."""
    first, second = rows(b, x)
    return b.op("sum", b.op("mul", first, second), dim=1, ndim=1)


@rule("nn.PairwiseDistance")
def pairwise_distance(m: Any, x: Value, b: Builder) -> Value:
    """Return the distances of rows."""
    first, second = rows(b, x)
    return b.op("norm", b.op("sub", first, second), p=number(m.norm), dim=1, ndim=1)


@rule("nn.CosineDistance")
def cosine_distance(m: Any, x: Value, b: Builder) -> Value:
    """Return the cosines of the angles of rows."""
    return cosine(b, *rows(b, x))


def cosine(b: Builder, first: Any, second: Any) -> Any:
    """Return the cosine of each pair of rows, with Torch7's 1e-12."""
    squares = [
        b.op("add", b.op("sum", b.op("square", v), dim=1, ndim=1), 1e-12) for v in (first, second)
    ]
    product = b.op("sum", b.op("mul", first, second), dim=1, ndim=1)
    return b.op("div", product, b.op("sqrt", b.op("mul", *squares)))
