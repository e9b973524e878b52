"""Which modules go on where they ended: their states become inputs and outputs."""

from __future__ import annotations

from typing import Any

from ..naming import root_place, walk
from ..rnn.abstract_sequencer import AbstractSequencer, remembers
from ..rnn.sequence_layer import SequenceLayer
from ..unknown_classes import typename
from .plan import Expr, named_input
from .recurrent_weights import lstm_parts

STATES = {
    **dict.fromkeys(("nn.LSTM", "nn.FastLSTM"), 2),
    **dict.fromkeys(("nn.GRU", "nn.MuFuRu", "nn.Recurrence", "nn.Recurrent"), 1),
}
"""Classes that take one step at a time, and how many states they have."""


def remembering(model: Any) -> dict[int, Any]:
    """Return the modules that go on where they ended, by id.

    These are layers of sequences that remember, and what keeps states in an nn.Sequencer that
    does, in the mode of now.
    """
    found: dict[int, Any] = {}
    for place in walk(root_place(model)):
        module = place.value
        if isinstance(module, SequenceLayer) and module.goes_on():
            found[id(module)] = module
        if isinstance(module, AbstractSequencer) and typename(module) == "nn.Sequencer":
            inside = [p.value for p in walk(root_place(module))] if remembers(module) else []
            for inner in inside:
                if typename(inner) in STATES and not isinstance(inner, SequenceLayer):
                    found[id(inner)] = inner
    return found


def states_of(module: Any) -> tuple[Expr, ...]:
    """Return inputs for the states of a module: (1, N, H) for a layer of nn, (N, H) for a cell."""
    if isinstance(module, SequenceLayer):
        layer, count = (
            not module.masks() and typename(module) != "nn.SeqGRU",
            len(module.state_fields),
        )
    else:
        parts = lstm_parts(module) if typename(module) in ("nn.LSTM", "nn.FastLSTM") else None
        layer = parts is not None and "peephole_i" not in parts
        count = STATES[typename(module) or ""]
    return tuple(named_input(name, 3 if layer else 2) for name in "hc"[:count])
