"""The linear maps of all gates at once, as nn.FastLSTM and nn.GRU have them."""

from __future__ import annotations

from typing import Any

from ..branches import ConcatTable, ParallelTable
from ..containers import Sequential
from ..dropout import lazy_dropout
from ..linear import Linear
from ..table import JoinTable
from .linear_no_bias import LinearNoBias


def gate_map(kind: type[Linear], size: int, outputs: int, gates: int, p: float, mono: bool) -> Any:
    """Return a map from a vector to the sums of several gates.

    Parameters
    ----------
    kind : type
        Linear or LinearNoBias.
    size, outputs : int
        Of the vector, and of each gate.
    gates : int
    p : float
        Where it is not 0, each gate drops numbers of its own from the vector.
    mono : bool
    """
    if p == 0:
        return kind(size, gates * outputs)
    dropped, maps = ConcatTable(), ParallelTable()
    for _ in range(gates):
        dropped.add(lazy_dropout(p, mono))
    for _ in range(gates):
        maps.add(kind(size, outputs))
    return Sequential().add(dropped).add(maps).add(JoinTable(2))


def both_maps(size: int, outputs: int, gates: int, p: float, mono: bool) -> tuple[Any, Any]:
    """Return the maps of the input and of the output before."""
    of_input = gate_map(Linear, size, outputs, gates, p, mono)
    return of_input, gate_map(LinearNoBias, outputs, outputs, gates, p, mono)
