"""What recurrent layers are in ONNX: a node per layer, with ONNX's order of gates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..modernise.plan import Layer
from .layers import emits
from .writer import Writer

GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""Where ONNX's gates are among PyTorch's: input, output, forget, cell; update, reset, new."""


@emits("LSTM", "GRU", "RNN")
def recurrent(w: Writer, layer: Layer, x: str, ndim: int | None) -> str:
    """Add the layers of a recurrent network, which starts from zeros."""
    given = layer.arguments
    ways = [""] + ["_reverse"] * bool(given.get("bidirectional"))
    attributes: dict[str, Any] = {"hidden_size": int(given["hidden_size"])}
    attributes["direction"] = "bidirectional" if len(ways) == 2 else "forward"
    if layer.kind == "GRU":
        attributes["linear_before_reset"] = 1
    if given.get("nonlinearity") == "relu":
        attributes["activations"] = ["Relu"] * len(ways)
    if given.get("batch_first"):
        x = w.node("Transpose", x, perm=[1, 0, 2])
    for k in range(int(given.get("num_layers", 1))):
        found = [_matrices(layer, f"_l{k}{way}") for way in ways]
        parts = [w.constant(np.stack(part)) for part in zip(*found, strict=True)]
        y = w.node(layer.kind, x, *parts, **attributes)
        joined = w.node("Transpose", y, perm=[0, 2, 1, 3])
        x = w.node("Reshape", joined, w.integers([0, 0, -1]))
    return w.node("Transpose", x, perm=[1, 0, 2]) if given.get("batch_first") else x


def _matrices(layer: Layer, suffix: str) -> tuple[Any, Any, Any]:
    """Return W, R and both biases of a layer in one direction, in ONNX's order."""

    def arranged(name: str) -> Any:
        whole = layer.state[name + suffix].numpy()
        gates = np.split(whole, len(GATES[layer.kind]))
        return np.concatenate([gates[i] for i in GATES[layer.kind]])

    biases = np.concatenate([arranged("bias_ih"), arranged("bias_hh")])
    return arranged("weight_ih"), arranged("weight_hh"), biases
