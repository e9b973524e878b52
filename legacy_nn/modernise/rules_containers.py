"""Rules of containers, of graphs, and of modules that arrange tables."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from ..unknown_classes import typename
from .errors import Refusal
from .plan import Expr, Value, leaves
from .registry import rule

if TYPE_CHECKING:
    from .builder import Builder


def each(m: Any, b: Builder, values: list[Value]) -> tuple[Value, ...]:
    """Return what module i makes of value i."""
    modules = m.modules.array()
    return tuple(
        b.child(module, str(i), value, ("modules", i + 1))
        for i, (module, value) in enumerate(zip(modules, values, strict=True))
    )


@rule("nn.Sequential", "nn.SpatialLPPooling", "nn.Maxout", "nn.LayerNormalization")
def sequential(m: Any, x: Value, b: Builder) -> Value:
    """Return what each module makes of what the one before returns."""
    for i, module in enumerate(m.modules.array()):
        x = b.child(module, str(i), x, ("modules", i + 1))
    return x


@rule(
    *("nn.Decorator", "nn.Serial", "nn.DontCast", "nn.Inception", "nn.DataParallel", "nn.NaN"),
    *("nn.Profile", "nn.SeqBRNN", "nn.FireModule", "nn.Recursor"),
)
def decorator(m: Any, x: Value, b: Builder) -> Value:
    """Return what the one module inside returns."""
    return b.child(m.modules[1], "0", x, ("modules", 1))


@rule("nn.Bottle")
def bottle(m: Any, x: Value, b: Builder) -> Value:
    """Return what the module makes of the last dimensions, which a linear map does by itself."""
    x = b.tensor(x)
    if x.ndim is not None and x.ndim <= m.nInputDim:
        return b.child(m.modules[1], "0", x, ("modules", 1))
    inner = typename(m.modules[1])
    if m.nInputDim == 2 and m.nOutputDim == 2 and inner == "nn.Linear":
        return b.child(m.modules[1], "0", x, ("modules", 1))
    if x.ndim is None:
        b.refuse("it does not say of how many dimensions; translate with an example input")
    extra = x.ndim - int(m.nInputDim)
    if extra != 1 or m.nInputDim != 2 or x.shape is None:
        b.refuse("it merges dimensions that its module does not take by itself")
    merged = b.op("flatten_part", x, start=0, end=1, ndim=2)
    y = b.tensor(b.child(m.modules[1], "0", merged, ("modules", 1)))
    return b.op("reshape", y, shape=(-1, x.shape[1], b.seen.shape[-1]), ndim=3)


@rule("nn.ConcatTable")
def concat_table(m: Any, x: Value, b: Builder) -> Value:
    """Return what each module makes of the same input."""
    return each(m, b, [x] * len(m.modules))


@rule("nn.ParallelTable")
def parallel_table(m: Any, x: Value, b: Builder) -> Value:
    """Return what module i makes of part i."""
    return each(m, b, list(b.parts(x, len(m.modules))[: len(m.modules)]))


@rule("nn.MapTable")
def map_table(m: Any, x: Value, b: Builder) -> Value:
    """Return what the one module makes of each part."""
    if not m.shared:
        b.refuse("its copies do not share their parameters")
    return tuple(b.child(m.module, "0", part, ("modules", 1)) for part in b.parts(x))


@rule("nn.Concat", "nn.DepthConcat", "nn.ModelParallelTable", "nn.ModelParallel")
def concat(m: Any, x: Value, b: Builder) -> Value:
    """Return what the modules make of the input, joined."""
    dim = int(m.dimension) - 1
    found = [b.tensor(y) for y in each(m, b, [x] * len(m.modules))]
    if m.t7_typename == "nn.DepthConcat":
        shapes = [None if y.shape is None else (*y.shape[:dim], *y.shape[dim + 1 :]) for y in found]
        windows = [resizing(module) for module in m.modules.array()]
        equal = shapes[0] is not None and all(shape == shapes[0] for shape in shapes)
        if not equal and any(None in w or w != windows[0] for w in windows):
            return b.op("depth_cat", *found, dim=dim)
    return b.op("cat", *found, dim=dim)


def resizing(module: Any) -> list[Any]:
    """Return the windows that change the size of images in a chain; None for what is not known."""
    name, inner = typename(module) or "", getattr(module, "modules", None)
    if inner is not None:
        chain = name in ("nn.Sequential", "nn.SpatialLPPooling")
        return [w for m in inner.array() for w in resizing(m)] if chain else [None]
    if hasattr(module, "kW") and hasattr(module, "axes"):
        dilation = [int(getattr(module, f"dilation{axis}", 1)) for axis in module.axes]
        kernel, stride = module.per_axis("k"), module.per_axis("d")
        padding = [int(getattr(module, f"pad{axis}", 0)) for axis in module.axes]
        seen = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        same = all(2 * p == n for p, n in zip(padding, seen, strict=True))
        if same and set(stride) == {1}:
            return []
        ceil = bool(getattr(module, "ceil_mode", False))
        return [("Full" in name, seen, stride, padding, ceil)]
    keeps = ("BatchNormalization", "ReLU", "Tanh", "Sigmoid", "Square", "Sqrt", "Constant", "LRN")
    return [] if name.endswith((*keeps, "ELU", "Dropout", "Identity", "Power")) else [None]


@rule("nn.Parallel")
def parallel(m: Any, x: Value, b: Builder) -> Value:
    """Return what module i makes of slice i, joined."""
    x, dim = b.tensor(x), int(m.inputDimension) - (m.inputDimension > 0)
    ndim = None if x.ndim is None else x.ndim - 1
    slices: list[Value] = [
        b.op("select", x, dim=dim, index=i, ndim=ndim) for i in range(len(m.modules))
    ]
    return b.op("cat", *each(m, b, slices), dim=int(m.outputDimension) - 1)


# -- arithmetic on tables ---------------------------------------------------------------


def alike(b: Builder, part: Expr, first: Expr) -> Expr:
    """Return a part in the shape of the first: to Torch7, elements in their order are enough."""
    same = part.shape is None or first.shape is None or part.shape == first.shape
    return part if same else b.op("reshape_like", part, first, ndim=first.ndim)


OF_STEPS = {"add": "sum", "maximum": "amax", "minimum": "amin"}
"""Reductions over the steps of a sequence, by what they fold."""


def _folded(typename: str, name: str) -> None:
    def fold(m: Any, x: Value, b: Builder) -> Value:
        if isinstance(x, Expr) and x.steps and name in OF_STEPS:
            return b.op(OF_STEPS[name], x, dim=0, ndim=None if x.ndim is None else x.ndim - 1)
        total, *rest = (b.tensor(part) for part in b.parts(x))
        for part in rest:
            total = b.op(name, total, alike(b, part, total))
        return total

    rule(typename)(fold)


for _typename, _name in {
    "nn.CAddTable": "add",
    "nn.CMulTable": "mul",
    "nn.CMaxTable": "maximum",
    "nn.CMinTable": "minimum",
}.items():
    _folded(_typename, _name)


@rule("nn.CSubTable")
def difference(m: Any, x: Value, b: Builder) -> Value:
    """Return the first part minus the second."""
    first, second = (b.tensor(part) for part in b.parts(x, 2)[:2])
    return b.op("sub", first, alike(b, second, first))


@rule("nn.CDivTable")
def quotient(m: Any, x: Value, b: Builder) -> Value:
    """Return the first part divided by the second."""
    first, second = (b.tensor(part) for part in b.parts(x, 2)[:2])
    return b.op("div", first, alike(b, second, first))


@rule("nn.CAddTensorTable")
def add_tensor_to_each(m: Any, x: Value, b: Builder) -> Value:
    """Return the tensor plus each part of the table."""
    one, many = b.parts(x, 2)
    return tuple(b.op("add", part, one) for part in b.parts(many))


@rule("nn.MixtureTable")
def mixture(m: Any, x: Value, b: Builder) -> Value:
    """Return the experts' outputs, weighted by the gater's and summed."""
    gates, experts = b.parts(x, 2)
    gates = b.tensor(gates)
    if isinstance(experts, Expr):
        if (m.dim or 2) != 2 or experts.ndim not in (None, 3):
            b.refuse("its experts are not along the second of three dimensions")
        weighted = b.op("mul", b.op("unsqueeze", gates, dim=-1), experts, ndim=3)
        return b.op("sum", weighted, dim=1, ndim=2)
    if any(getattr(e, "ndim", None) not in (None, 2) for e in experts) or gates.ndim == 1:
        b.refuse("its experts' outputs are no batches of vectors")
    total = None
    for i, expert in enumerate(experts):
        term = b.op("mul", b.tensor(expert), b.op("narrow", gates, dim=1, start=i, length=1))
        total = term if total is None else b.op("add", total, term)
    return total


# -- arranging tables -------------------------------------------------------------------


@rule("nn.JoinTable")
def join(m: Any, x: Value, b: Builder) -> Value:
    """Return the parts, one after the other along a dimension."""
    if isinstance(x, Expr) and x.steps:
        if m.dimension != 1 or m.nInputDims:
            b.refuse("it joins the steps of a sequence along another dimension than the first")
        flat = b.op("flatten_part", x, start=0, end=1)
        flat.ndim = None if x.ndim is None else x.ndim - 1
        return flat
    parts = [b.tensor(part) for part in b.parts(x)]
    dimension = int(m.dimension)
    ndim = parts[0].ndim
    if dimension > 0:
        dims = m.nInputDims or None
        dimension += dims is not None and (ndim is None or ndim == dims + 1)
        dimension -= 1
    return b.op("cat", *parts, dim=dimension)


@rule("nn.SplitTable")
def split(m: Any, x: Value, b: Builder) -> Value:
    """Return the slices along a dimension."""
    x = b.tensor(x)
    count = b.expected
    dim = int(m.dimension)
    if dim > 0:
        dims = m.nInputDims or None
        dim += dims is not None and (x.ndim is None or x.ndim == dims + 1)
        dim -= 1
    if count is None and b.translation.sequences:
        turned = b.op("steps", x) if dim == 0 else b.op("transpose", x, first=0, second=dim)
        if dim not in (0, 1):
            b.refuse("its steps are not along the first or the second dimension")
        turned.steps = True
        return turned
    if count is None and x.shape is not None:
        count = x.shape[dim]
    if count is None:
        raise Refusal(
            "how many parts it returns depends on the input; translate with an example input"
        )
    ndim = None if x.ndim is None else x.ndim - 1
    return tuple(b.op("select", x, dim=dim, index=i, ndim=ndim) for i in range(count))


@rule("nn.SelectTable")
def select_part(m: Any, x: Value, b: Builder) -> Value:
    """Return one part."""
    if not isinstance(m.index, (int, float)):
        b.refuse(f"it selects by the name {m.index!r}")
    index = int(m.index)
    if isinstance(x, Expr) and x.steps:
        ndim = None if x.ndim is None else x.ndim - 1
        return b.op("select", x, dim=0, index=index - (index > 0), ndim=ndim)
    parts = b.parts(x)
    if not -len(parts) <= index <= len(parts) or index == 0:
        b.refuse(f"it selects part {index} of {len(parts)}")
    return parts[index - (index > 0)]


@rule("nn.NarrowTable")
def narrow_parts(m: Any, x: Value, b: Builder) -> Value:
    """Return a run of parts."""
    first = int(m.offset) - 1
    if isinstance(x, Expr) and x.steps:
        part = b.op("narrow", x, dim=0, start=first, length=int(m.length))
        part.steps = True
        return part
    return b.parts(x)[first : first + int(m.length)]


@rule("nn.FlattenTable")
def flatten_parts(m: Any, x: Value, b: Builder) -> Value:
    """Return all leaves in one tuple."""
    return tuple(leaves(x))


@rule("nn.ReverseTable")
def reversed_parts(m: Any, x: Value, b: Builder) -> Value:
    """Return the parts in the opposite order."""
    if isinstance(x, Expr) and x.steps:
        turned = b.op("flip", x, dim=0)
        turned.steps = True
        return turned
    return b.parts(x)[::-1]


@rule("nn.ZipTable")
def zipped(m: Any, x: Value, b: Builder) -> Value:
    """Return columns for rows; sequences of parts are kept as one sequence for each part."""
    if isinstance(x, tuple) and all(isinstance(row, Expr) and row.steps for row in x):
        return x
    return tuple(zip(*(b.parts(row) for row in b.parts(x)), strict=True))


@rule("nn.ZipTableOneToMany")
def zipped_with_one(m: Any, x: Value, b: Builder) -> Value:
    """Return pairs of the first and each part of the second."""
    one, many = b.parts(x, 2)
    return tuple((one, part) for part in b.parts(many))


@rule("nngraph.JustTable")
def just_table(m: Any, x: Value, b: Builder) -> Value:
    """Return a tuple of one."""
    return (x,)


@rule("nn.Convert")
def convert(m: Any, x: Value, b: Builder) -> Value:
    """Return what the module that it made for its input returns."""
    if m.converter is None:
        b.refuse("it has not run: what it does depends on its input; translate with an example")
    if getattr(x, "ndim", None) is not None and x.ndim < m.nInputDim:
        b.refuse("it is translated for batches, and given one sample")
    return b.child(m.modules[1], "0", x, ("modules", 1))


# -- graphs -----------------------------------------------------------------------------


@rule("nn.gModule")
def graph(m: Any, x: Value, b: Builder) -> Value:
    """Return what the nodes of a graph compute, in their order."""
    plan = m.plan()
    places = {id(module): i for i, module in enumerate(m.modules.array())}
    count = len(m.innode.children) if m.nInputs is None else m.nInputs
    inputs = (x,) if count <= 1 else b.parts(x, count)
    expected = {
        source: int(plan.data[k]["nSplitOutputs"])
        for k, sources in enumerate(plan.sources)
        for source, _ in sources
        if plan.data[k].get("nSplitOutputs") is not None
    }
    made: list[Value] = []
    for k, data in enumerate(plan.data):
        got = {position: made[source] for source, position in plan.sources[k]}
        if k == plan.first:
            got = dict(enumerate(inputs, 1))
        value = got[1] if len(got) == 1 else tuple(got[i] for i in sorted(got))
        if k == plan.last and not plan.single:
            value = tuple(got[i] for i in sorted(got))
        module, wanted = data.get("module"), data.get("selectindex")
        if wanted is not None:
            value = b.parts(b.current(value), int(wanted))[int(wanted) - 1]
        elif module is not None:
            value = b.child(
                module,
                str(places[id(module)]),
                value,
                ("modules", places[id(module)] + 1),
                hint=_annotation(data),
                expected=expected.get(k),
            )
        made.append(value)
    return made[plan.last]


def _annotation(data: Any) -> str:
    """Return the name that a node was annotated with, if it can be one in Python."""
    annotations = data.get("annotations")
    name = annotations.get("name") if annotations is not None else None
    fits = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    return name if isinstance(name, str) and fits else ""
