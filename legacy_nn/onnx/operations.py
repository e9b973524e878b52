"""What each operation of an expression is in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..modernise.plan import BATCH, CALLS, Expr
from .errors import OnnxError
from .layers import each, pad
from .writer import Writer

Emit = Callable[[Writer, Expr, Sequence[str]], str]
"""`emit(writer, expr, arguments)` adds nodes and returns the name of the output."""

OPERATIONS: dict[str, Emit] = {}
"""By the operation's name."""

END = np.iinfo(np.int64).max


def emits(*names: str) -> Callable[[Emit], Emit]:
    """Register what operations of these names are."""

    def register(function: Emit) -> Emit:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def _plain(name: str, kind: str) -> None:
    emits(name)(lambda w, expr, args: w.node(kind, *args))


for _name, _kind in {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "div": "Div",
    "neg": "Neg",
    "pow": "Pow",
    "matmul": "MatMul",
    "maximum": "Max",
    "minimum": "Min",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "abs": "Abs",
    "cos": "Cos",
    "sin": "Sin",
    "less": "Less",
    "greater": "Greater",
    "equal": "Equal",
    "where": "Where",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "detach": "Identity",
    "steps": "Identity",
    "first": "Identity",
}.items():
    _plain(_name, _kind)


def dimensions(expr: Expr) -> int:
    """Return the number of dimensions of an expression's first argument.

    Raises
    ------
    OnnxError
        If it is not known.
    """
    ndim = getattr(expr.args[0], "ndim", None)
    if ndim is None:
        raise OnnxError(
            f"{expr.op}: the number of dimensions is not known; convert with an example input"
        )
    return int(ndim)


@emits("square")
def square(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a square."""
    return w.node("Mul", args[0], args[0])


@emits("clamp", "at_least")
def clamp(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add limits."""
    limits = [w.number(expr.attrs[n]) for n in ("low", "high") if n in expr.attrs]
    return w.node("Clip", args[0], *limits)


REDUCTIONS = {"sum": "ReduceSum", "mean": "ReduceMean", "amax": "ReduceMax", "amin": "ReduceMin"}


@emits("sum", "sum_kept", "mean", "mean_kept", "amax", "amin")
def reduction(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a reduction."""
    name, _, kept = expr.op.partition("_")
    axes = w.integers([expr.attrs["dim"]])
    return w.node(REDUCTIONS[name], args[0], axes, keepdims=int(bool(kept)))


@emits("norm", "norm_kept")
def norm(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a norm."""
    p, axes = expr.attrs["p"], w.integers([expr.attrs["dim"]])
    kept = {"keepdims": int(expr.op == "norm_kept")}
    if p in (1, 2):
        return w.node("ReduceL1" if p == 1 else "ReduceL2", args[0], axes, **kept)
    size = w.node("Abs", args[0])
    if p == float("inf"):
        return w.node("ReduceMax", size, axes, **kept)
    total = w.node("ReduceSum", w.node("Pow", size, w.number(p)), axes, **kept)
    return w.node("Pow", total, w.number(1 / p))


# -- shapes -----------------------------------------------------------------------------


@emits("reshape")
def reshape(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add another shape; 0 keeps the size of the batch."""
    sizes = [0 if n == BATCH else n for n in expr.attrs["shape"]]
    return w.node("Reshape", args[0], w.integers(sizes))


@emits("reshape_like")
def reshape_like(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add the shape of another value."""
    return w.node("Reshape", args[0], w.node("Shape", args[1]))


@emits("flatten")
def flatten(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add the last dimensions as one."""
    return w.node("Reshape", args[0], w.integers([0] * expr.attrs["start"] + [-1]))


@emits("flatten_part")
def flatten_part(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add the first two dimensions as one."""
    rest = w.node("Shape", args[0], start=expr.attrs["end"] + 1)
    return w.node("Reshape", args[0], w.node("Concat", w.integers([-1]), rest, axis=0))


@emits("unflatten")
def unflatten(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add the first dimension as two, with the sizes that another value has."""
    first, rest = w.node("Shape", args[1], end=2), w.node("Shape", args[0], start=1)
    return w.node("Reshape", args[0], w.node("Concat", first, rest, axis=0))


@emits("state")
def state(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add the zeros that a sequence (T, N, ...) starts from."""
    from onnx import numpy_helper

    count = w.node("Shape", args[0], start=1, end=2)
    shape = w.node("Concat", count, w.integers([expr.attrs["size"]]), axis=0)
    return w.node("ConstantOfShape", shape, value=numpy_helper.from_array(np.zeros(1, w.dtype)))


@emits("any")
def any_number(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add whether a number along a dimension is not zero."""
    largest = w.node("ReduceMax", w.node("Abs", args[0]), w.integers([expr.attrs["dim"]]))
    return w.node("Greater", largest, w.number(0))


@emits("transpose")
def transpose(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add two dimensions exchanged."""
    order = list(range(dimensions(expr)))
    first, second = expr.attrs["first"], expr.attrs["second"]
    order[first], order[second] = order[second], order[first]
    return w.node("Transpose", args[0], perm=order)


@emits("permute")
def permute(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add dimensions in another order."""
    return w.node("Transpose", args[0], perm=list(expr.attrs["order"]))


@emits("unsqueeze")
def unsqueeze(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a dimension of size 1."""
    return w.node("Unsqueeze", args[0], w.integers([expr.attrs["dim"]]))


@emits("squeeze", "squeeze_all")
def squeeze(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add dimensions of size 1 taken away."""
    axes = [w.integers([expr.attrs["dim"]])] if "dim" in expr.attrs else []
    return w.node("Squeeze", args[0], *axes)


@emits("replicate")
def replicate(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add repetitions along a new dimension."""
    dim = expr.attrs["dim"]
    longer = w.node("Unsqueeze", args[0], w.integers([dim]))
    return w.node("Concat", *[longer] * expr.attrs["times"], axis=dim)


@emits("select")
def select(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add one slice."""
    return w.node("Gather", args[0], w.integers(expr.attrs["index"]), axis=expr.attrs["dim"])


def sliced(w: Writer, x: str, dim: int, start: int, end: int) -> str:
    """Add a slice."""
    return w.node("Slice", x, w.integers([start]), w.integers([end]), w.integers([dim]))


@emits("narrow")
def narrow(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add neighbours along a dimension."""
    start = expr.attrs["start"]
    return sliced(w, args[0], expr.attrs["dim"], start, start + expr.attrs["length"])


@emits("cut")
def cut(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a dimension without its ends."""
    start, less = expr.attrs["start"], expr.attrs["less"]
    return sliced(w, args[0], expr.attrs["dim"], start, start - less if less > start else END)


@emits("cat")
def cat(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a joint."""
    return w.node("Concat", *args, axis=expr.attrs["dim"])


@emits("stack")
def stack(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a joint along a new dimension."""
    dim = expr.attrs["dim"]
    longer = [w.node("Unsqueeze", x, w.integers([dim])) for x in args]
    return w.node("Concat", *longer, axis=dim)


@emits("flip")
def flip(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a dimension in the opposite order."""
    back = [w.integers([n]) for n in (-1, -END, expr.attrs["dim"], -1)]
    return w.node("Slice", args[0], *back)


@emits("grid_sample")
def grid_sample(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add pixels between pixels."""
    return w.node("GridSample", *args, mode="bilinear", padding_mode="zeros", align_corners=1)


@emits("depth_cat")
def depth_cat(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a joint of images, smaller ones centred in zeros."""
    dim, ndim = expr.attrs["dim"], dimensions(expr)
    elsewhere = w.integers([int(i != dim) for i in range(ndim)])
    shapes = [w.node("Shape", x) for x in args]
    largest = w.node("Max", *shapes)
    padded = []
    for x, shape in zip(args, shapes, strict=True):
        missing = w.node("Mul", w.node("Sub", largest, shape), elsewhere)
        before = w.node("Div", missing, w.integers(2))
        borders = w.node("Concat", before, w.node("Sub", missing, before), axis=0)
        padded.append(w.node("Pad", x, borders))
    return w.node("Concat", *padded, axis=dim)


@emits("pad", "pad_value")
def border(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a border, or take one away."""
    value = expr.attrs.get("value", 0)
    return pad(w, args[0], expr.attrs["pad"], dimensions(expr), "constant", value)


@emits("unpool2d", "unpool2d_padded", "unpool3d", "unpool3d_padded")
def unpool(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add maxima put back where they were."""
    n = int(expr.op[6])
    kernel = each(expr.attrs["kernel"], n)
    pads = each(expr.attrs.get("padding", 0), n) * 2
    # The places count from the first image's first plane, and so do the output's numbers.
    y, places, like = args
    shape = w.node("Concat", w.node("Shape", y, end=2), w.node("Shape", like, start=2), axis=0)
    return w.node("MaxUnpool", y, places, shape, kernel_shape=kernel, strides=kernel, pads=pads)


# -- indices, and functions of layers ---------------------------------------------------


@emits("index")
def index(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add indices from 0."""
    from onnx import TensorProto

    whole = w.node("Cast", args[0], to=TensorProto.INT64)
    base = expr.attrs["base"]
    return w.node("Sub", whole, w.integers(base)) if base else whole


@emits("rows")
def rows(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add rows of a table."""
    return w.node("Gather", args[1], args[0], axis=0)


@emits("take")
def take(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add the slices that indices name."""
    return w.node("Gather", args[0], args[1], axis=expr.attrs["dim"])


@emits("linear", "linear_no_bias")
def linear(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a linear map."""
    product = w.node("MatMul", args[0], w.node("Transpose", args[1], perm=[1, 0]))
    return w.node("Add", product, args[2]) if len(args) > 2 else product


@emits("conv2d", "conv3d", "conv_transpose2d")
def convolution(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a convolution whose weight is computed."""
    given, n = expr.attrs, 3 if expr.op == "conv3d" else 2
    attributes: dict[str, Any] = {
        "strides": each(given.get("stride", 1), n),
        "pads": each(given.get("padding", 0), n) * 2,
        "dilations": each(given.get("dilation", 1), n),
        "group": int(given.get("groups", 1)),
    }
    if "transpose" in expr.op:
        attributes["output_padding"] = each(given.get("output_padding", 0), n)
        return w.node("ConvTranspose", *args, **attributes)
    return w.node("Conv", *args, **attributes)


@emits("for_each")
def for_each(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a value once for each sample of a batch."""
    count = w.node("Shape", args[0], start=0, end=1)
    return w.node("Expand", args[1], w.node("Concat", count, w.node("Shape", args[1]), axis=0))


@emits("expand_as")
def expand_as(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a value in the size of another."""
    return w.node("Expand", args[0], w.node("Shape", args[1]))


@emits("ones_like")
def ones_like(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add ones in the size of a value."""
    from onnx import numpy_helper

    one = numpy_helper.from_array(np.ones(1, w.dtype))
    return w.node("ConstantOfShape", w.node("Shape", args[0]), value=one)


@emits("softmax", "log_softmax")
def softmax(w: Writer, expr: Expr, args: Sequence[str]) -> str:
    """Add a softmax or its logarithm."""
    kind = "Softmax" if expr.op == "softmax" else "LogSoftmax"
    return w.node(kind, args[0], axis=expr.attrs["dim"])


def unsupported(expr: Any) -> str | None:
    """Return why an expression has no counterpart, or None."""
    known = expr.op in OPERATIONS or expr.op in ("input", "parameter", "item", *CALLS)
    return None if known else f"{expr.op} is not an operation of ONNX"
