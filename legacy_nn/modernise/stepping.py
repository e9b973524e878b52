"""How modules that know nothing of time run over the steps of a sequence.

A sequence is one tensor (T, N, ...), also where Lua has a table of T tensors. What computes
number by number, and a linear map, take it as it is; softmaxes take its last dimension; others
get all steps as one batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cudnn.rnn import RNN
from ..naming import WRAPPERS, root_place, walk
from ..paths import Path
from ..rnn.abstract_sequencer import AbstractSequencer
from ..rnn.sequence_layer import SequenceLayer
from ..unknown_classes import typename
from .plan import BATCH, Block, Expr, Layer, Value, in_order, leaves, map_value
from .registry import SEQUENCES

if TYPE_CHECKING:
    from .builder import Builder

WIRES = frozenset(
    {
        *("nn.Sequential", "nn.ConcatTable", "nn.ParallelTable", "nn.gModule", "nn.SelectTable"),
        *("nn.NarrowTable", "nn.FlattenTable", "nn.Decorator", "nn.Serial", "nn.DontCast"),
        *("nn.MapTable", "nn.Profile", "nn.NaN", "nngraph.JustTable", "nngraph.JustElement"),
        "nn.MaskZero",
    }
)
"""Classes that hand on what they get, or have others inside that take the steps."""

AS_IT_IS = frozenset(
    {
        *("nn.Linear", "nn.LinearNoBias", "nn.LookupTable", "nn.LookupTableMaskZero", "nn.OneHot"),
        *("OneHot", "nn.Identity", "nn.Copy", "nn.Contiguous", "nn.CopyGrad", "nn.Dropout"),
        *("nn.Tanh", "nn.Sigmoid", "nn.ReLU", "nn.ReLU6", "nn.ELU", "nn.LeakyReLU", "nn.SoftPlus"),
        *("nn.SoftSign", "nn.HardTanh", "nn.Clamp", "nn.Threshold", "nn.LogSigmoid", "nn.Abs"),
        *("nn.Square", "nn.Sqrt", "nn.Exp", "nn.Log", "nn.Power", "nn.MulConstant", "nn.SAdd"),
        *("nn.AddConstant", "nn.Mul", "nn.CAddTable", "nn.CSubTable", "nn.CMulTable"),
        *("nn.CDivTable", "nn.CMaxTable", "nn.CMinTable", "nn.L1Penalty", "nn.NormStabilizer"),
    }
)
"""Classes whose translations compute the same with more dimensions before the last."""

SOFTMAXES = {"nn.SoftMax": "Softmax", "nn.LogSoftMax": "LogSoftmax", "nn.SoftMin": "Softmin"}


def keeps_states(module: Any) -> bool:
    """Whether a module, or one inside it, keeps states from step to step."""
    return any(typename(place.value) in SEQUENCES for place in walk(root_place(module)))


def takes_sequences(module: Any) -> bool:
    """Whether a module, or one inside it, takes whole sequences."""
    inside = (place.value for place in walk(root_place(module)))
    kinds = (AbstractSequencer, SequenceLayer, RNN)
    return any(isinstance(value, kinds) for value in inside)


def mixes(part: Layer | Block) -> bool:
    """Whether something in a translation works along the first dimension, that of the samples."""
    if isinstance(part, Layer):
        return part.arguments.get("dim") == 0
    for expr in in_order(part.output):
        attrs = expr.attrs
        along = 0 in (attrs.get("dim"), attrs.get("first"), attrs.get("second"), attrs.get("start"))
        if expr.op in ("narrow", "cut"):
            along = attrs["dim"] == 0
        moved = attrs.get("order", (0,))[0] != 0 or attrs.get("shape", (-1,))[0] not in (-1, BATCH)
        if along or moved or expr.op in WHOLE:
            return True
    return any(map(mixes, part.children.values()))


WHOLE = frozenset({"sum_all", "mean_all", "squeeze_all", "masked", "first"})
"""Operations on all numbers, or on samples."""


def each_step(b: Builder, module: Any, name: str, value: Value, keys: Path) -> Value:
    """Return what a module makes of each step of a sequence, as a sequence.

    Parameters
    ----------
    b : Builder
    module : Module
    name : str
        Of the child in the block.
    value : Value
        A sequence, or a tuple of them for steps that are tables.
    keys : tuple
        The Lua keys that lead to the module.
    """
    while typename(module) in (*WRAPPERS, "nn.Recursor"):
        module, keys = module.modules[1], (*keys, "modules", 1)
    kind = typename(module) or ""
    with b.translation.untraced():
        if kind in WIRES or keeps_states(module):
            return b.child(module, name, value, keys, stepped=True)
        if kind in SOFTMAXES and getattr(value, "ndim", None) in (None, 2, 3):
            return b.layer(name, Layer(SOFTMAXES[kind], {"dim": -1}), value)
        if kind == "nn.JoinTable":
            return _joined(b, module, value)
        if kind in AS_IT_IS:
            return b.child(module, name, value, keys, stepped=False)
        flat = map_value(lambda x: _flat(b, x), value)
        result = b.child(module, name, flat, keys, stepped=False)
    if takes_sequences(module) or (name in b.block.children and mixes(b.block.children[name])):
        b.refuse(f"{kind} in it computes across the samples of a step, or takes sequences itself")
    like = next(leaves(value))
    return map_value(lambda y: _unflattened(b, y, like), result)


def _flat(b: Builder, x: Expr) -> Expr:
    ndim = None if x.ndim is None else x.ndim - 1
    return b.op("flatten_part", x, start=0, end=1, ndim=ndim)


def _unflattened(b: Builder, y: Expr, like: Expr) -> Expr:
    return b.op("unflatten", y, like, ndim=None if y.ndim is None else y.ndim + 1)


def _joined(b: Builder, module: Any, value: Value) -> Expr:
    """Return the parts of each step, one after the other along a dimension."""
    parts = [b.tensor(part) for part in b.parts(value)]
    dimension, dims = int(module.dimension), module.nInputDims or None
    ndim = None if parts[0].ndim is None else parts[0].ndim - 1
    if dimension > 0:
        dimension += dims is not None and (ndim is None or ndim == dims + 1)
    last = dimension == -1 or (ndim is not None and dimension == ndim)
    return b.op("cat", *parts, dim=-1 if last else dimension)
