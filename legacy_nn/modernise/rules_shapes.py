"""Rules of classes that arrange elements, and of those that reduce a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plan import Layer, Value
from .registry import layer, rule
from .rules_layers import number

if TYPE_CHECKING:
    from .builder import Builder


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
