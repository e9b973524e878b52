"""The weights of Torch7's recurrent modules in the order of PyTorch's gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from ..naming import root_place, walk
from ..unknown_classes import typename

SEQ_LSTM = (0, 1, 3, 2)
"""Where PyTorch's gates are in nn.SeqLSTM: input, forget, output, candidate."""

FAST_LSTM = (0, 2, 1, 3)
"""Where PyTorch's gates are in nn.FastLSTM: input, candidate, forget, output."""


def in_order(matrix: Tensor, order: Sequence[int]) -> Tensor:
    """Return a copy of the rows of gates, in another order."""
    gates = np.split(matrix.detach().numpy(), len(order))
    return Tensor(np.concatenate([gates[i] for i in order]))


def lstm_parts(m: Any) -> dict[str, Tensor] | None:
    """Return the weights of rnn's LSTM in PyTorch's order, or None where it has more to it.

    With them come the weights by which gates look at the cell, where they do.
    """
    inside = [place.value for place in walk(root_place(m.recurrentModule))]
    kinds = {typename(module) or "" for module in inside}
    extra = ("Normalization", "MaskZero", "TrimZero", *(["Dropout"] if m.p else []))
    if m.userPrevOutput is not None or any(kind.endswith(extra) for kind in kinds):
        return None
    if typename(m) == "nn.FastLSTM":
        if not all(any(one is module for module in inside) for one in (m.i2g, m.o2g)):
            return None
        return {
            "weight_ih": in_order(m.i2g.weight, FAST_LSTM),
            "weight_hh": in_order(m.o2g.weight, FAST_LSTM),
            "bias_ih": in_order(m.i2g.bias, FAST_LSTM),
        }
    gates = [m.inputGate, m.forgetGate, m.hiddenLayer, m.outputGate]
    of_input, of_output = (
        [_only(gate, kind) for gate in gates] for kind in ("nn.Linear", "nn.LinearNoBias")
    )
    of_cell = {f"peephole_{gate}": _only(gates[i], "nn.CMul") for gate, i in PEEPHOLES.items()}
    looks = [one for one in of_cell.values() if one is not None]
    found = [*of_input, *of_output, *looks]
    if any(one is None or not any(one is other for other in inside) for one in found):
        return None
    if len(looks) not in (0, len(PEEPHOLES)):
        return None

    def joined(maps: list[Any], field: str) -> Tensor:
        return Tensor(np.concatenate([getattr(one, field).detach().numpy() for one in maps]))

    parts = {"weight_ih": joined(of_input, "weight"), "weight_hh": joined(of_output, "weight")}
    parts["bias_ih"] = joined(of_input, "bias")
    return parts | ({name: one.weight for name, one in of_cell.items()} if looks else {})


PEEPHOLES = {"i": 0, "f": 1, "o": 3}
"""The gates that look at the cell, and where they are among all gates."""


def _only(module: Any, kind: str) -> Any:
    """Return the one module of a class inside another; None where there is not one."""
    found = [p.value for p in walk(root_place(module)) if typename(p.value) == kind]
    return found[0] if len(found) == 1 else None
