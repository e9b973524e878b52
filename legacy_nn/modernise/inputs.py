"""What a model takes: one tensor, or a tuple of them, as its first modules say.

A module that joins or adds the tensors of a table does not say how many: two are meant.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..criterion.base import Criterion
from ..rnn.sequence_layer import SequenceLayer
from ..unknown_classes import typename
from .memory import STATES
from .plan import Expr, Value

Wish = Any
"""None where anything goes, a number of dimensions (0: any), or a tuple of wishes."""


class Steps(int):
    """Dimensions of a sequence (T, ...) that Lua may have as a table of T tensors."""


PASSING = {"nn.Identity", "nn.Copy", "nn.Contiguous", "nn.PrintSize"}
ARITHMETIC = {
    *("nn.CAddTable", "nn.CSubTable", "nn.CMulTable", "nn.CDivTable", "nn.CMaxTable"),
    *("nn.CMinTable", "nn.JoinTable", "nn.MM", "nn.MV", "nn.DotProduct", "nn.Bilinear"),
    *("nn.PairwiseDistance", "nn.CosineDistance", "nn.NarrowTable", "nn.FlattenTable"),
    *("nn.Index", "nn.MaskedSelect"),
}
TABLE_INPUTS = {
    *("nn.CosineEmbeddingCriterion", "nn.L1HingeEmbeddingCriterion", "nn.MarginRankingCriterion"),
    "nn.DistanceRatioCriterion",
}
FIRST = {
    "nn.AffineTransformMatrixGenerator": 2,
    "nn.AffineGridGeneratorBHWD": 3,
    **dict.fromkeys(("cudnn.RNN", "cudnn.RNNReLU", "cudnn.RNNTanh", "cudnn.LSTM", "cudnn.GRU"), 3),
    **dict.fromkeys(("cudnn.BLSTM", "cudnn.BGRU"), 3),
    **dict.fromkeys(("nn.SeqLSTM", "nn.SeqLSTMP", "nn.SeqGRU", "nn.VanillaRNN"), 3),
    **dict.fromkeys(("nn.TemporalAdapter", "nn.LSTM"), 3),
    "nn.LanguageModel": 2,
    "nn.Linear": 2,
    "nn.LinearWeightNorm": 2,
    "nn.BatchNormalization": 2,
    "nn.TemporalConvolution": 3,
    "cudnn.TemporalConvolution": 3,
    "nn.VolumetricConvolution": 5,
    "cudnn.VolumetricConvolution": 5,
    "nn.VolumetricFullConvolution": 5,
    "cudnn.VolumetricFullConvolution": 5,
}


def structure_of(model: Any, input: Any = None) -> Value:
    """Return inputs like an example's, or like those that the model wants."""
    if isinstance(model, Criterion):
        known = input is not None and typename(model) != "nn.SequencerCriterion"
        x = _of_value(input) if known else _criterion_input(model)
        return (x, _target(model, x))
    if input is None:
        return _of_wish(wish(model))
    wanted = wish(model) if isinstance(input, Table) else None
    if isinstance(wanted, Steps):
        first = _of_value(input[1])
        ndim = None if getattr(first, "ndim", None) is None else first.ndim + 1
        return Expr("input", ndim=ndim, steps=True)
    return _of_value(input)


def _of_value(value: Any) -> Value:
    if isinstance(value, Table):
        return tuple(_of_value(part) for part in value.array())
    if not isinstance(value, Tensor):
        return Expr("input")
    return Expr("input", ndim=value.ndim, shape=value.shape)


def _of_wish(wanted: Wish) -> Value:
    if isinstance(wanted, tuple):
        return tuple(_of_wish(part) for part in wanted)
    return Expr("input", ndim=wanted or None, steps=isinstance(wanted, Steps))


def _target(model: Any, x: Value) -> Value:
    """Return targets for an input: one, or a tuple for a criterion of several."""
    name = typename(model)
    if name == "nn.MultiCriterion":
        return _target(model.criterions[1], x)
    if name == "nn.ParallelCriterion" and not model.repeatTarget and isinstance(x, tuple):
        return tuple(_target(c, p) for c, p in zip(model.criterions.array(), x, strict=False))
    return Expr("input")


def _criterion_input(model: Any) -> Value:
    name = typename(model)
    if name in TABLE_INPUTS:
        return (Expr("input"), Expr("input"))
    if name == "nn.MultiCriterion":
        return _criterion_input(model.criterions[1])
    if name == "nn.SequencerCriterion":
        return Expr("input", steps=True)
    if name == "nn.ParallelCriterion":
        return tuple(_criterion_input(c) for c in model.criterions.array())
    if name == "nn.ModuleCriterion" and model.inputModule is not None:
        return _of_wish(wish(model.inputModule))
    return Expr("input")


def merged(a: Wish, b: Wish) -> Wish:
    """Return what serves both wishes."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
        rest = longer[len(shorter) :]
        return (*(merged(x, y) for x, y in zip(longer, shorter, strict=False)), *rest)
    if isinstance(a, tuple) or b is None:
        return a
    return b if isinstance(b, tuple) or not a else a


def wish(module: Any) -> Wish:
    """Return what a legacy module wants as its input."""
    name = typename(module) or ""
    inside = module.modules.array() if isinstance(getattr(module, "modules", None), Table) else []
    if name == "nn.gModule":
        return _of_graph(module)
    if name in ("nn.ParallelTable",):
        return tuple(wish(m) for m in inside)
    if name == "nn.MapTable":
        return (wish(inside[0]),) * 2 if inside else None
    if name in ("nn.ConcatTable", "nn.Concat", "nn.DepthConcat", "nn.ModelParallelTable"):
        found: Wish = None
        for m in inside:
            found = merged(found, wish(m))
        return found
    if name in ("nn.Sequencer", "nn.BiSequencer", "nn.BiSequencerLM"):
        step = _of_step(module.forwardModule if name != "nn.Sequencer" else module.module)
        return Steps(step + 1 if step else 0)
    if name in STATES and not isinstance(module, SequenceLayer):
        return 2  # one step; torch-rnn's nn.LSTM takes whole sequences
    if name == "nn.Repeater":
        return _of_step(module.module)
    if name == "nn.Bottle" or name in PASSING:
        return None
    if inside and name != "nn.Parallel":
        return next((w for w in map(wish, inside) if w is not None), None)
    if name in ARITHMETIC:
        return (None, None)
    if name == "nn.MixtureTable":
        return (None, (None, None))
    if name == "nn.SelectTable":
        count = module.index if isinstance(module.index, int) else 2
        return (None,) * max(abs(count), 1)
    if name == "nn.BilinearSamplerBHWD":
        return (4, 4)
    if name in FIRST:
        return FIRST[name]
    if name.startswith(("nn.Spatial", "cudnn.Spatial")) and "SoftMax" not in name:
        return 4
    return 0


def _of_step(module: Any) -> Wish:
    """Return the dimensions that a module wants each step of a sequence to have; 0: any."""
    while typename(module) == "nn.Recursor":
        module = module.modules[1]
    if typename(module) in (*STATES, "nn.SeqLSTM", "nn.SeqGRU"):
        return 2
    inside = module.modules.array() if isinstance(getattr(module, "modules", None), Table) else []
    step = _of_step(inside[0]) if inside else wish(module)
    return step if isinstance(step, int) else 0


def _of_graph(module: Any) -> Wish:
    """Return what a graph wants: what the modules want that its inputs go to."""
    plan = module.plan()
    received: list[Wish] = [None] * len(plan.data)  # what each node wants to receive
    produced: list[Wish] = [None] * len(plan.data)  # what is wanted of each node's output
    for k in range(len(plan.data) - 1, -1, -1):
        data = plan.data[k]
        inner, index = data.get("module"), data.get("selectindex")
        if index is not None:
            received[k] = (None,) * (int(index) - 1) + (produced[k],)
        elif inner is None or typename(inner) in PASSING:
            received[k] = produced[k]
        else:
            received[k] = wish(inner)
        for source, position in plan.sources[k]:
            part = received[k]
            if len(plan.sources[k]) > 1:
                fits = isinstance(part, tuple) and position <= len(part)
                part = part[position - 1] if fits else None
            produced[source] = merged(produced[source], part)
    count = len(module.innode.children) if module.nInputs is None else module.nInputs
    found = produced[plan.first]
    if count <= 1:
        return found
    known = found if isinstance(found, tuple) else ()
    return (*known, *(None,) * (count - len(known)))[:count]
