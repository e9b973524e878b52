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

    These are layers of sequences that remember, what keeps states in an nn.Sequencer that does,
    in the mode of now, and what is given one step at a time, in no sequencer.
    """
    places = [place.value for place in walk(root_place(model))]
    sequencers = [value for value in places if isinstance(value, AbstractSequencer)]
    held = {
        id(place.value): remembers(value) and typename(value) == "nn.Sequencer"
        for value in sequencers
        for place in walk(root_place(value))
    }
    found: dict[int, Any] = {}
    for module in places:
        layer = isinstance(module, SequenceLayer)
        steps = typename(module) in STATES and not layer and held.get(id(module), True)
        if steps or (layer and module.goes_on()):
            found[id(module)] = module
    return found


def states_of(module: Any, alone: bool) -> tuple[Expr, ...]:
    """Return inputs for the states of a module: (1, N, H) for a layer of nn, (N, H) for a cell.

    Parameters
    ----------
    alone : bool
        Whether it is given one step at a time, in no sequencer.
    """
    if isinstance(module, SequenceLayer):
        layer = not module.masks() and typename(module) != "nn.SeqGRU"
        count = len(module.state_fields)
    else:
        parts = lstm_parts(module) if typename(module) in ("nn.LSTM", "nn.FastLSTM") else None
        layer = parts is not None and "peephole_i" not in parts and not alone
        count = STATES[typename(module) or ""]
    return tuple(named_input(name, 3 if layer else 2) for name in "hc"[:count])
