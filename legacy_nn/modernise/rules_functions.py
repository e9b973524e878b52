"""Rules of classes without learned state of their own: arithmetic, shapes, softmax, dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rekindle.core.tensor import Tensor

from .plan import Layer, Value
from .registry import layer, layer_of_input, rule
from .rules_layers import number

if TYPE_CHECKING:
    from .translate import Builder


# -- what passes on its input -----------------------------------------------------------


@rule(
    *("nn.Identity", "nn.Copy", "nn.Contiguous", "nn.PrintSize", "nn.L1Penalty"),
    *("nn.TotalVariation", "nngraph.JustElement", "nn.ZeroGrad"),
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


# -- shapes -----------------------------------------------------------------------------


def sizes_of(storage: Any) -> list[int]:
    """Return the sizes in a LongStorage."""
    return [int(n) for n in storage.tolist()]


@rule("nn.View")
def view(m: Any, x: Value, b: Builder) -> Value:
    """Return each sample in another shape; batches are meant where the model does not say."""
    x, sizes = b.tensor(x), sizes_of(m.size)
    dims = None if m.numInputDims is None else int(m.numInputDims)
    lone = x.ndim is not None and x.ndim == dims
    if x.shape is not None and dims is None:
        count = 1
        for n in x.shape:
            count *= n
        lone = count == m.numElements and x.shape[0] != 1
    if -1 in sizes and dims is None:
        lone = True
    if lone:
        return b.op("reshape", x, shape=tuple(sizes), ndim=len(sizes))
    whole_samples = x.ndim is not None and x.ndim == (dims or 0) + 1
    if len(sizes) == 1 and dims is None and x.shape is not None:
        whole_samples = b.seen is not None and b.seen.shape[:1] == x.shape[:1]
    if len(sizes) == 1 and whole_samples and x.ndim is not None and x.ndim > 1:
        return b.op("flatten", x, start=1, ndim=2) if x.ndim > 2 else x
    first = "batch" if -1 in sizes else -1
    return b.op("reshape", x, shape=(first, *sizes), ndim=len(sizes) + 1)


@rule("nn.Reshape")
def reshape(m: Any, x: Value, b: Builder) -> Value:
    """Return the input, or each sample of a batch, in another shape."""
    x, sizes, batch = b.tensor(x), sizes_of(m.size), m.batchMode
    if batch is None:
        batch = True
        if x.shape is not None:
            count = 1
            for n in x.shape:
                count *= n
            batch = count != m.nelement or x.shape[0] == 1
    if not batch:
        return b.op("reshape", x, shape=tuple(sizes), ndim=len(sizes))
    if len(sizes) == 1:
        return b.op("flatten", x, start=1, ndim=2)
    first = "batch" if -1 in sizes else -1
    return b.op("reshape", x, shape=(first, *sizes), ndim=len(sizes) + 1)


@rule("nn.Collapse")
def collapse(m: Any, x: Value, b: Builder) -> Value:
    """Return the dimensions of a sample as one."""
    x = b.tensor(x)
    start = 0 if x.ndim is not None and x.ndim <= m.nInputDim else 1
    return b.op("flatten", x, start=start, ndim=start + 1)


@rule("nn.Squeeze")
def squeeze(m: Any, x: Value, b: Builder) -> Value:
    """Return the input without a dimension of size 1."""
    x = b.tensor(x)
    batch = m.numInputDims is not None and x.ndim in (None, m.numInputDims + 1)
    ndim = None if b.seen is None else b.seen.ndim
    if m.dim is None:
        if batch:
            b.refuse("it takes all dimensions of size 1 away, and keeps the batch")
        return b.op("squeeze_all", x, ndim=ndim)
    after = None if x.ndim is None else x.ndim - 1
    return b.op("squeeze", x, dim=int(m.dim) - 1 + batch, ndim=after)


@rule("nn.Unsqueeze")
def unsqueeze(m: Any, x: Value, b: Builder) -> Value:
    """Return the input with a dimension of size 1 more."""
    x, dim = b.tensor(x), int(m.pos) - 1
    if m.numInputDims is not None:
        dim += 1 if x.ndim is None else x.ndim - int(m.numInputDims)
    return b.op("unsqueeze", x, dim=dim, ndim=None if x.ndim is None else x.ndim + 1)


@rule("nn.Transpose")
def transpose(m: Any, x: Value, b: Builder) -> Value:
    """Return the input with pairs of dimensions exchanged."""
    x = b.tensor(x)
    offset = 0
    if m.numInputDims is not None:
        offset = 1 if x.ndim is None else x.ndim - int(m.numInputDims)
    pairs = [(int(p[1]) - 1 + offset, int(p[2]) - 1 + offset) for p in m.permutations.array()]
    if len(pairs) > 1 and x.ndim is not None:
        order = list(range(x.ndim))
        for i, j in pairs:
            order[i], order[j] = order[j], order[i]
        return b.op("permute", x, order=tuple(order))
    for first, second in pairs:
        x = b.op("transpose", x, first=first, second=second)
    return x


def axis_from(dimension: Any, n_input_dims: Any, x: Any) -> int:
    """Return a dimension, from 0, that may not count the batch."""
    axis = int(dimension)
    if axis < 0:
        return axis
    batch = n_input_dims is not None and x.ndim in (None, int(n_input_dims) + 1)
    return axis - 1 + int(batch)


@rule("nn.Select")
def select(m: Any, x: Value, b: Builder) -> Value:
    """Return one slice."""
    x, index = b.tensor(x), int(m.index)
    dim = int(m.dimension) - (m.dimension > 0)
    after = None if x.ndim is None else x.ndim - 1
    return b.op("select", x, dim=dim, index=index - (index > 0), ndim=after)


@rule("nn.Narrow")
def narrow(m: Any, x: Value, b: Builder) -> Value:
    """Return some neighbours along a dimension."""
    x, start, length = b.tensor(x), int(m.index), int(m.length)
    dim = int(m.dimension) - (m.dimension > 0)
    if start < 0:
        return b.op("cut", x, dim=dim, start=0, less=length)
    if length < 0:
        return b.op("cut", x, dim=dim, start=start - 1, less=start - 2 - length)
    return b.op("narrow", x, dim=dim, start=start - 1, length=length)


@rule("nn.Index")
def index(m: Any, x: Value, b: Builder) -> Value:
    """Return the slices that indices name."""
    values, indices = b.parts(x, 2)
    return b.op("take", b.tensor(values), b.index(indices), dim=int(m.dimension) - 1)


@rule("nn.MaskedSelect")
def masked_select(m: Any, x: Value, b: Builder) -> Value:
    """Return the elements that a mask names."""
    values, mask = b.parts(x, 2)
    return b.op("masked", b.tensor(values), b.tensor(mask), ndim=1)


@rule("nn.Replicate")
def replicate(m: Any, x: Value, b: Builder) -> Value:
    """Return the input, repeated along a new dimension."""
    x = b.tensor(x)
    dim = int(m.dim) - 1
    dim += m.ndim is not None and (x.ndim is None or x.ndim > m.ndim)
    after = None if x.ndim is None else x.ndim + 1
    return b.op("replicate", x, dim=dim, times=int(m.nfeatures), ndim=after)


@rule("nn.Padding")
def pad(m: Any, x: Value, b: Builder) -> Value:
    """Return the input with more elements at an end of a dimension."""
    x = b.tensor(x)
    if m.index != 1:
        b.refuse(f"it pads inside the dimension (index {m.index})")
    if x.ndim is None and m.dim > 0:
        b.refuse("it does not say of how many dimensions; translate with an example input")
    after = int(-m.dim - 1) if m.dim < 0 else 0
    if m.dim > 0:
        batch = m.nInputDim is not None and x.ndim != m.nInputDim
        after = x.ndim - int(m.dim) - batch
    amounts = (-int(m.pad), 0) if m.pad < 0 else (0, int(m.pad))
    border = (0,) * (2 * after) + amounts
    if m.value == 0:
        return b.op("pad", x, pad=border)
    return b.op("pad_value", x, pad=border, value=number(m.value))


@rule("nn.ShaveImage")
def shave(m: Any, x: Value, b: Builder) -> Value:
    """Return images without their border."""
    size = int(m.size)
    return b.op("pad", b.tensor(x), pad=(-size,) * 4)


@rule("nn.CReLU")
def crelu(m: Any, x: Value, b: Builder) -> Value:
    """Return the positive parts of the features, and of the negated features."""
    x = b.tensor(x)
    dim = 0 if x.ndim == m.nInputDims else 1
    both = b.op("cat", x, b.op("neg", x), dim=dim)
    return b.layer("relu", Layer("ReLU"), both)


@layer("nn.GatedLinearUnit")
def glu(m: Any) -> Layer:
    """Translate a gated linear unit."""
    return Layer("GLU", {} if m.dim is None else {"dim": int(m.dim) - (m.dim > 0)})


# -- reductions -------------------------------------------------------------------------


@rule("nn.Sum", "nn.Mean")
def total(m: Any, x: Value, b: Builder) -> Value:
    """Return the sum or mean over a dimension."""
    x = b.tensor(x)
    name = "mean" if m.sizeAverage else "sum"
    dim = axis_from(m.dimension, m.nInputDims, x)
    if not m.squeeze or x.ndim == 1:
        return b.op(f"{name}_kept", x, dim=dim)
    return b.op(name, x, dim=dim, ndim=None if x.ndim is None else x.ndim - 1)


@rule("nn.Max", "nn.Min")
def extreme(m: Any, x: Value, b: Builder) -> Value:
    """Return the largest or smallest element along a dimension."""
    x = b.tensor(x)
    name = "amax" if m.t7_typename == "nn.Max" else "amin"
    dim = axis_from(m.dimension, m.nInputDims, x)
    found = b.op(name, x, dim=dim, ndim=None if x.ndim is None else x.ndim - 1)
    return b.op("unsqueeze", found, dim=0, ndim=1) if x.ndim == 1 else found


@rule("nn.Normalize")
def normalize(m: Any, x: Value, b: Builder) -> Value:
    """Return vectors divided by their norm."""
    x = b.tensor(x)
    if m.p == float("inf"):
        largest = b.op("norm_kept", x, p=float("inf"), dim=-1)
        return b.op("div", x, b.op("add", largest, m.eps))
    powers = b.op("square", x) if m.p == 2 else b.op("pow", b.op("abs", x), number(m.p))
    summed = b.op("add", b.op("sum_kept", powers, dim=-1), m.eps)
    root = b.op("sqrt", summed) if m.p == 2 else b.op("pow", summed, 1 / m.p)
    return b.op("div", x, root)


@rule("nn.FeatureLPPooling")
def feature_lp_pooling(m: Any, x: Value, b: Builder) -> Value:
    """Return the p-norm of neighbouring features."""
    x = b.tensor(x)
    windows = b.op("windows", x, dim=int(bool(m.batch_mode)), size=int(m.width), step=int(m.stride))
    powers = b.op("pow", windows, number(m.power))
    return b.op("pow", b.op("sum", powers, dim=-1, ndim=x.ndim), 1 / m.power)


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
