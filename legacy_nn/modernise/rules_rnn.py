"""Rules of recurrent layers: nn.LSTM and nn.RNN where these compute the same, cells otherwise.

Layers whose gates lie in memory in another order than PyTorch's get copies of their weights.
Torch7 has one bias where nn.LSTM has two: the second one is zeros and is not trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.core.tensor import Tensor

from ..naming import root_place, walk
from ..rnn.sequence_layer import SequenceLayer
from ..unknown_classes import typename
from .builder_tools import holes_in, item
from .memory import STATES
from .plan import Block, Expr, Layer, Value, call, named_input
from .recurrent_weights import SEQ_LSTM, in_order, lstm_parts
from .registry import rule, sequence_rule

if TYPE_CHECKING:
    from .builder import Builder


def lstm(arguments: dict[str, Any], parts: dict[str, Tensor], cell: bool = False) -> Layer:
    """Return an LSTM, or one step of it, with one bias."""
    suffix = "" if cell else "_l0"
    second = {"bias_hh": Tensor(np.zeros_like(parts["bias_ih"].numpy()))}
    state = {f"{name}{suffix}": tensor for name, tensor in (parts | second).items()}
    return Layer("LSTMCell" if cell else "LSTM", arguments, state, (f"bias_hh{suffix}",))


# -- layers of whole sequences -----------------------------------------------------------


@rule("nn.SeqLSTM", "nn.SeqLSTMP", "nn.LSTM")
def seq_lstm(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of an LSTM over whole sequences: rnn's nn.SeqLSTM, torch-rnn's nn.LSTM."""
    if not isinstance(m, SequenceLayer):
        return one_step(m, x, b)
    features, hidden, size = m.sizes()
    weight = m.weight.detach()
    parts = {
        "weight_ih": in_order(weight[:features].T, SEQ_LSTM),
        "weight_hh": in_order(weight[features:].T, SEQ_LSTM),
        "bias_ih": in_order(m.bias, SEQ_LSTM),
    }
    if m.masks():
        if size != hidden:
            b.refuse("it has masks and a projection")
        arguments = {"input_size": features, "hidden_size": hidden}
        cell = b.translation.once(m, lambda: lstm(arguments, parts, cell=True))
        return time_first(b, m, x, lambda s: scan(b, s, masked_lstm(cell), (size, hidden)))
    arguments = {"input_size": features, "hidden_size": hidden}
    arguments |= {"batch_first": True} if batch_first(m) else {}
    if size != hidden:
        arguments["proj_size"] = size
        parts["weight_hr"] = vars(m)["weightO"].detach().T
    made = b.translation.once(m, lambda: lstm(arguments, parts))
    return run_layer(b, "lstm", made, x)


@rule("nn.VanillaRNN")
def vanilla(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of torch-rnn's recurrent layer, on its memory."""
    features, hidden, _ = m.sizes()
    weight = m.weight.detach()
    state = {
        "weight_ih_l0": weight[:features].T,
        "weight_hh_l0": weight[features:].T,
        "bias_ih_l0": m.bias,
        "bias_hh_l0": Tensor(np.zeros_like(m.bias.detach().numpy())),
    }
    arguments = {"input_size": features, "hidden_size": hidden, "batch_first": True}
    made = b.translation.once(m, lambda: Layer("RNN", arguments, state, ("bias_hh_l0",)))
    return run_layer(b, "rnn", made, x)


@rule("nn.SeqGRU")
def seq_gru(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of gated recurrent units, which reset the state before its map."""
    features, hidden, _ = m.sizes()
    weight = m.weight.detach()
    gates, candidate = slice(0, 2 * hidden), slice(2 * hidden, None)

    def linear(rows: slice, columns: slice, bias: Tensor | None) -> Layer:
        part = weight[rows, columns].T
        return linear_map(part, bias)

    maps = {
        "i2g": linear(slice(0, features), gates, m.bias.detach()[gates]),
        "h2g": linear(slice(features, None), gates, None),
        "i2h": linear(slice(0, features), candidate, m.bias.detach()[candidate]),
        "h2h": linear(slice(features, None), candidate, None),
    }
    cell = gru_cell(maps, hidden, m.masks())
    return time_first(b, m, x, lambda s: scan(b, s, cell, (hidden,)))


def batch_first(m: Any) -> bool:
    """Whether a layer takes (N, T, ...): torch-rnn's do."""
    return bool(getattr(m, "batchfirst", True))


def time_first(b: Builder, m: Any, x: Value, run: Callable[[Expr], Value]) -> Value:
    """Return what `run` makes of a sequence with the time first, arranged as it came."""
    x = b.tensor(x)
    if not batch_first(m):
        return run(x)
    y = run(b.op("transpose", x, first=0, second=1))
    return b.op("transpose", y, first=0, second=1)


def run_layer(b: Builder, name: str, made: Layer, x: Value) -> Value:
    """Return the outputs of a layer of core.nn, which starts from zeros or from its memory."""
    x, start = b.tensor(x), b.memory
    if start is None:
        return b.op("first", b.layer(name, made, x), ndim=3)
    whole = b.layer(name, made, (x, start if len(start) > 1 else start[0]))
    ends = {"h": (1,)} if len(start) == 1 else {"h": (1, 0), "c": (1, 1)}
    b.remember(item(whole, path, 3, word) for word, path in ends.items())
    return item(whole, (0,), 3)


@rule("nn.FastLSTM", "nn.GRU", "nn.MuFuRu", "nn.Recurrence")
def one_step(m: Any, x: Value, b: Builder) -> Value:
    """Return the output of one step, from the states that it had after the step before."""
    x = b.tensor(x)
    states = b.memory or ()
    parts = lstm_parts(m) if typename(m) in ("nn.LSTM", "nn.FastLSTM") else None
    maps = gru_maps(m) if typename(m) == "nn.GRU" else None
    size = 0 if parts is None and maps is None else int(m.outputSize)
    if parts is not None and "peephole_i" not in parts:
        arguments = {"input_size": parts["weight_ih"].shape[1], "hidden_size": size}
        made = b.translation.once(m, lambda: lstm(arguments, parts, cell=True))
        whole = b.layer("lstm", made, (x, states))
        b.remember(item(whole, (i,), 2, "hc"[i]) for i in (0, 1))
        return b.memory[0] if b.memory else x
    if parts is not None:
        cell = peephole_cell(parts, size)
    else:
        cell = gru_cell(maps, size) if maps else cell_of(m, b, x, len(states))
    if holes_in(cell.output):
        return cell.output
    b.block.children["cell"] = cell
    found = call(cell, "cell", (x, *states))
    after: tuple[Expr, ...] = found if isinstance(found, tuple) else (found,)
    if len(after) == 1:
        found.word = "h"
    b.remember(after)
    return after[0]


# -- modules that take one step at a time ------------------------------------------------


@sequence_rule("nn.LSTM", "nn.FastLSTM")
def stepped_lstm(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of an LSTM: nn.LSTM where gates do not look at cells."""
    parts = lstm_parts(m)
    x, size = b.tensor(x), int(m.outputSize)
    if parts is None:
        return scan_module(b, m, x, (size, size))
    if "peephole_i" in parts:
        return scan(b, x, peephole_cell(parts, size), (size, size))
    if x.ndim == 2:
        b.refuse("it is translated for batches (T, N, ...), and given one sequence alone")
    arguments = {"input_size": parts["weight_ih"].shape[1], "hidden_size": size}
    return run_layer(b, "lstm", b.translation.once(m, lambda: lstm(arguments, parts)), x)


@sequence_rule("nn.GRU")
def gru(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of gated recurrent units."""
    maps, size = gru_maps(m), int(m.outputSize)
    if maps is None:
        return scan_module(b, m, x, (size,))
    return scan(b, b.tensor(x), gru_cell(maps, size), (size,))


def gru_maps(m: Any) -> dict[str, Layer] | None:
    """Return the linear maps of gated recurrent units, or None where there is more to them."""
    inside = [place.value for place in walk(root_place(m.recurrentModule))]
    kinds = {typename(module) for module in inside}
    plain = m.p == 0 and not kinds & {"nn.MaskZero", "nn.TrimZero"} and m.userPrevOutput is None
    known = [m.i2g, m.o2g]
    others = {
        typename(module): module
        for module in inside
        if typename(module) in ("nn.Linear", "nn.LinearNoBias")
        and not any(module is one for one in known)
    }
    if not plain or len(others) != 2:
        return None
    named = {"i2g": m.i2g, "h2g": m.o2g, "i2h": others["nn.Linear"]}
    named["h2h"] = others["nn.LinearNoBias"]
    return {name: linear_map(map_.weight, map_.bias) for name, map_ in named.items()}


@sequence_rule("nn.MuFuRu")
def mufuru(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of multi-function recurrent units."""
    return scan_module(b, m, x, (int(m.outputSize),))


@sequence_rule("nn.Recurrence")
def recurrence(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of a module of {input, output before}."""
    sizes = m.outputSize.array() if hasattr(m.outputSize, "array") else m.outputSize.tolist()
    if len(sizes) != 1 or not isinstance(sizes[0], (int, float)):
        b.refuse("its outputs are no vectors")
    return scan_module(b, m, x, (int(sizes[0]),))


@sequence_rule("nn.Recurrent")
def simple_recurrent(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of a simple recurrent network, whose first step is another module."""
    if b.memory is not None:
        b.refuse("its first step is another module, and its sequences go on where others ended")
    x = b.tensor(x)
    ndim = None if x.ndim is None else x.ndim - 1
    first = b.child(
        m.initialModule,
        "first",
        b.op("select", x, dim=0, index=0, ndim=ndim),
        ("initialModule",),
        stepped=False,
    )
    return scan_module(b, m, x, (), (b.tensor(first),))


def scan_module(
    b: Builder, m: Any, x: Value, sizes: tuple[int, ...], start: tuple[Expr, ...] = ()
) -> Value:
    """Return the outputs of the module of a step, which takes {input, states} and returns these.

    Parameters
    ----------
    sizes : tuple of int
        Of the states, which are zeros at first.
    start : tuple of Expr
        The states after the first step, where these are known.
    """
    x = b.tensor(x)
    step = Expr("input", ndim=None if x.ndim is None else x.ndim - 1)
    return scan(b, x, cell_of(m, b, step, len(sizes or start)), sizes, start)


def cell_of(m: Any, b: Builder, x: Expr, count: int) -> Block:
    """Return what a module does in a step, of an input like x and `count` states."""
    if vars(m).get("userPrevOutput") is not None:
        b.refuse("it starts from a state that was given to it (userPrevOutput)")
    if any(typename(p.value) in STATES for p in walk(root_place(m.recurrentModule))):
        b.refuse("a module that keeps states is inside another")
    states = [named_input(name, 2) for name in "hc"[:count]]
    with b.translation.untraced():
        cell, _ = b.translation.block(
            m.recurrentModule,
            (named_input("x", x.ndim), *states),
            (*b.path, "recurrentModule"),
        )
    cell.typename = "cell.LSTM" if typename(m) in ("nn.LSTM", "nn.FastLSTM") else "cell."
    return cell


def scan(
    b: Builder, x: Expr, cell: Block, sizes: tuple[int, ...], start: tuple[Expr, ...] = ()
) -> Value:
    """Return the first state that a cell has after each step."""
    if x.ndim == 2:
        b.refuse("it is translated for batches (T, N, ...), and given one sequence alone")
    if holes_in(cell.output):
        return cell.output
    given = start or b.memory or tuple(b.op("state", x, size=n, ndim=2) for n in sizes)
    b.block.children["cell"] = cell
    whole = Expr("scan", (x, *given), {"child": "cell", "with_start": bool(start)})
    if b.memory is not None:
        b.remember(item(whole, (i + 1,), 2, "hc"[i]) for i in range(len(given)))
    return item(whole, (0,), 3)


# -- cells ------------------------------------------------------------------------------


def linear_map(weight: Tensor, bias: Tensor | None) -> Layer:
    """Return a linear map on a matrix."""
    outputs, inputs = weight.shape
    arguments: dict[str, Any] = {"in_features": inputs, "out_features": outputs}
    if bias is None:
        return Layer("Linear", arguments | {"bias": False}, {"weight": weight})
    return Layer("Linear", arguments, {"weight": weight, "bias": bias})


def gru_cell(maps: dict[str, Layer], size: int, masked: bool = False) -> Block:
    """Return a step of gated recurrent units from its four linear maps."""
    x, h = named_input("x", 2), named_input("h", 2)
    block = Block("cell.GRU", (x, h), children={**maps}, hints={name: name for name in maps})

    def op(name: str, *args: Value, **attrs: Any) -> Expr:
        return Expr(name, args, attrs, 2)

    def mapped(name: str, value: Expr) -> Value:
        return call(maps[name], name, value, 2)

    gates = op("sigmoid", op("add", mapped("i2g", x), mapped("h2g", h)))
    gates.word = "gates"
    reset = op("narrow", gates, dim=1, start=0, length=size)
    update = op("narrow", gates, dim=1, start=size, length=size)
    sums = op("add", mapped("i2h", x), mapped("h2h", op("mul", reset, h)))
    reset.word, update.word = "reset", "update"
    new = op("tanh", sums)
    new.word = "new"
    output = op("add", new, op("mul", update, op("sub", h, new)))
    block.output = op("where", op("any", x, dim=-1), output, 0) if masked else output
    return block


def peephole_cell(parts: dict[str, Tensor], size: int) -> Block:
    """Return a step of an LSTM whose gates look at the cell: the output gate at the next one."""
    x, h, c = (named_input(name, 2) for name in "xhc")
    maps = {
        "i2g": linear_map(parts["weight_ih"], parts["bias_ih"]),
        "h2g": linear_map(parts["weight_hh"], None),
    }
    looks = {name: tensor for name, tensor in parts.items() if name.startswith("peephole")}
    block = Block("cell.PeepholeLSTM", (x, h, c), None, {**maps}, looks)
    block.hints = {name: name for name in maps}

    def op(name: str, *args: Value, **attrs: Any) -> Expr:
        return Expr(name, args, attrs, 2)

    def gate(name: str, kind: str = "sigmoid") -> Expr:
        part = op("narrow", sums, dim=1, start=order.index(name) * size, length=size)
        if f"peephole_{name}" in looks:
            weight = Expr("parameter", (), {"name": f"peephole_{name}"}, 1)
            part = op("add", part, op("mul", weight, cell if name == "o" else c))
        made = op(kind, part)
        made.word = name
        return made

    order = "ifgo"
    sums = op("add", call(maps["i2g"], "i2g", x, 2), call(maps["h2g"], "h2g", h, 2))
    sums.word = "gates"
    i, f, g = gate("i"), gate("f"), gate("g", "tanh")
    cell = op("add", op("mul", f, c), op("mul", i, g))
    cell.word = "c"
    block.output = (op("mul", gate("o"), op("tanh", cell)), cell)
    return block


def masked_lstm(layer: Layer) -> Block:
    """Return a step of an LSTM whose states are zeros after a step of zeros."""
    x, h, c = (named_input(name, 2) for name in "xhc")
    block = Block("cell.MaskedLSTM", (x, h, c), children={"lstm": layer}, hints={"lstm": "lstm"})
    both = call(layer, "lstm", (x, (h, c)))
    kept = Expr("any", (x,), {"dim": -1}, 2)
    states = [item(both, (i,), 2, "hc"[i]) for i in (0, 1)]
    block.output = tuple(Expr("where", (kept, state, 0), {}, 2) for state in states)
    return block
