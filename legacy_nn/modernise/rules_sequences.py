"""Rules of what runs modules over sequences: sequencers, masks, language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..rnn.sequence_layer import SequenceLayer
from ..unknown_classes import typename
from .plan import Expr, Layer, Value, leaves, map_value
from .recurrent_weights import lstm_parts
from .registry import rule
from .rules_layers import state_of
from .rules_rnn import lstm, run_layer
from .stepping import each_step

if TYPE_CHECKING:
    from .builder import Builder


def as_sequence(b: Builder, x: Value) -> Value:
    """Return a value as a sequence: a tuple of steps becomes one tensor."""
    found = list(leaves(x))
    if isinstance(x, tuple) and not any(getattr(leaf, "steps", False) for leaf in found):
        parts = [b.tensor(part) for part in x]
        ndim = None if parts[0].ndim is None else parts[0].ndim + 1
        stacked = b.op("stack", *parts, dim=0, ndim=ndim)
        stacked.steps = True
        return stacked
    return x


def as_steps(x: Value, like: Value) -> Value:
    """Return a sequence that is a table in Lua where another one is."""
    steps = any(getattr(leaf, "steps", False) for leaf in leaves(like))

    def marked(leaf: Expr) -> Expr:
        leaf.steps = steps
        return leaf

    return map_value(marked, x)


@rule("nn.Sequencer")
def sequencer(m: Any, x: Value, b: Builder) -> Value:
    """Return what a module makes of each step."""
    x = as_sequence(b, x)
    return as_steps(each_step(b, m.module, "0", x, ("modules", 1)), x)


@rule("nn.Repeater")
def repeater(m: Any, x: Value, b: Builder) -> Value:
    """Return what a module makes of the same input several times."""
    x = b.tensor(x)
    ndim = None if x.ndim is None else x.ndim + 1
    repeated = b.op("replicate", x, dim=0, times=int(m.rho), ndim=ndim)
    repeated.steps = True
    return as_steps(each_step(b, m.module, "0", repeated, ("modules", 1)), repeated)


@rule("nn.BiSequencer")
def both_directions(m: Any, x: Value, b: Builder) -> Value:
    """Return what two modules make of each step, read from both ends, merged."""
    x = b.tensor(as_sequence(b, x))
    joins = typename(m.mergeModule) == "nn.JoinTable" and m.mergeModule.nInputDims == 1
    both = [_plain(module) for module in (m.forwardModule, m.backwardModule)]
    if joins and x.ndim == 3 and None not in both:
        made = b.translation.once(m, lambda: _bidirectional(m, both))
        return as_steps(run_layer(b, "lstm", made, x), x)
    there = each_step(b, m.forwardModule, "forward_module", x, ("forwardModule",))
    turned = b.op("flip", x, dim=0)
    back = each_step(b, m.backwardModule, "backward_module", turned, ("backwardModule",))
    pair = (there, b.op("flip", b.tensor(back), dim=0))
    return as_steps(each_step(b, m.mergeModule, "merge", pair, ("mergeModule",)), x)


def _plain(module: Any) -> Any:
    """Return the weights of a module that is an LSTM as nn.LSTM is, or None."""
    if typename(module) not in ("nn.LSTM", "nn.FastLSTM"):
        return None
    parts = lstm_parts(module)
    return None if parts is None or "peephole_i" in parts else parts


def _bidirectional(m: Any, both: list[Any]) -> Layer:
    arguments = {"input_size": both[0]["weight_ih"].shape[1]}
    arguments |= {"hidden_size": int(m.forwardModule.outputSize), "bidirectional": True}
    first, second = (lstm(arguments, parts) for parts in both)
    reverse = {f"{name}_reverse": tensor for name, tensor in second.state.items()}
    frozen = (*first.frozen, *(f"{name}_reverse" for name in second.frozen))
    return Layer("LSTM", arguments, first.state | reverse, frozen)


@rule("nn.BiSequencerLM")
def around_each(m: Any, x: Value, b: Builder) -> Value:
    """Return what comes from the steps before each one and from those after it, merged."""
    x = b.tensor(as_sequence(b, x))
    if x.ndim != 3:
        b.refuse("it is translated for batches of vectors (T, N, ...)")
    before = b.op("cut", x, dim=0, start=0, less=1)
    after = b.op("flip", b.op("cut", x, dim=0, start=1, less=1), dim=0)
    there = _whole(b, m.forwardModule, "forward_module", before, ("forwardModule",))
    back = _whole(b, m.backwardModule, "backward_module", after, ("backwardModule",))
    pair = (
        b.op("pad", there, pad=(0, 0, 0, 0, 1, 0), ndim=3),
        b.op("pad", b.op("flip", back, dim=0), pad=(0, 0, 0, 0, 0, 1), ndim=3),
    )
    return as_steps(each_step(b, m.mergeModule, "merge", pair, ("mergeModule",)), x)


def _whole(b: Builder, module: Any, name: str, x: Expr, keys: Any) -> Expr:
    """Return what a module makes of a sequence, of which it may take one step at a time."""
    takes_all = isinstance(module, SequenceLayer) or typename(module) == "nn.Sequencer"
    if takes_all:
        return b.tensor(b.child(module, name, x, keys))
    return b.tensor(each_step(b, module, name, x, keys))


# -- samples that are all zeros ----------------------------------------------------------


@rule("nn.MaskZero", "nn.TrimZero")
def masked(m: Any, x: Value, b: Builder) -> Value:
    """Return zeros for samples of zeros, and what the module inside makes of the others."""
    first = next(leaves(x))
    if m.nInputDim != 1 or first.ndim not in (None, 3 if b.stepped else 2):
        b.refuse("its samples are no vectors, or no batch of them")
    y = b.child(m.modules[1], "0", x, ("modules", 1))
    kept = b.op("any", first, dim=-1)
    return map_value(lambda leaf: b.op("where", kept, leaf, 0, ndim=leaf.ndim), y)


@rule("nn.LookupTableMaskZero")
def lookup_with_zero(m: Any, x: Value, b: Builder) -> Value:
    """Return rows of a table whose first one, of zeros, is that of index 0."""
    rows, width = m.weight.shape
    m.weight.detach()[0] = 0  # as every call of it does
    arguments = {"num_embeddings": rows, "embedding_dim": width, "padding_idx": 0}
    indices = b.op("index", b.tensor(x), base=0)
    ndim = None if indices.ndim is None else indices.ndim + 1
    return b.layer("", Layer("Embedding", arguments, state_of(m, "weight")), indices, ndim)


@rule("nn.NormStabilizer")
def norm_stabilizer(m: Any, x: Value, b: Builder) -> Value:
    """Return the input; the penalty in the gradient belongs to the loss."""
    return x


# -- torch-rnn ---------------------------------------------------------------------------


@rule("nn.TemporalAdapter")
def temporal_adapter(m: Any, x: Value, b: Builder) -> Value:
    """Return what a module makes of each step of (N, T, ...)."""
    return each_step(b, m.net.modules[2], "0", b.tensor(x), ("net", "modules", 2))


@rule("nn.LanguageModel")
def language_model(m: Any, x: Value, b: Builder) -> Value:
    """Return the scores of the next token after each token (N, T)."""
    views = [m.view1, m.view2, *m.bn_view_in.array(), *m.bn_view_out.array()]
    for i, module in enumerate(m.net.modules.array()):
        keys = ("net", "modules", i + 1)
        if any(module is view for view in views):
            continue
        if isinstance(module, SequenceLayer):
            x = b.child(module, str(i), x, keys)
        else:
            x = each_step(b, module, str(i), x, keys)
    return x
