"""What recurrent layers are in ONNX: a node per layer, with ONNX's order of gates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..modernise.plan import Layer
from .errors import OnnxError
from .layers import emits
from .writer import Writer

GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""Where ONNX's gates are among PyTorch's: input, output, forget, cell; update, reset, new."""


@emits("LSTM", "GRU", "RNN")
def recurrent(w: Writer, layer: Layer, x: Any, ndim: int | None) -> Any:
    """Add the layers of a recurrent network, which starts from zeros or from given states.

    With states, of one layer in one direction, it returns its output and the last states.
    """
    given = layer.arguments
    if given.get("proj_size"):
        raise OnnxError("LSTM with a projection is not an operation of ONNX")
    x, starts = (x[0], _states(x[1])) if isinstance(x, tuple) else (x, [])
    ways = [""] + ["_reverse"] * bool(given.get("bidirectional"))
    attributes: dict[str, Any] = {"hidden_size": int(given["hidden_size"])}
    attributes["direction"] = "bidirectional" if len(ways) == 2 else "forward"
    if layer.kind == "GRU":
        attributes["linear_before_reset"] = 1
    if given.get("nonlinearity") == "relu":
        attributes["activations"] = ["Relu"] * len(ways)
    if given.get("batch_first"):
        x = w.node("Transpose", x, perm=[1, 0, 2])
    ends: list[str] = []
    for k in range(int(given.get("num_layers", 1))):
        found = [_matrices(layer, f"_l{k}{way}") for way in ways]
        parts = [w.constant(np.stack(part)) for part in zip(*found, strict=True)]
        more = ["", *starts] if starts else []
        y, *ends = w.outputs(1 + len(starts), layer.kind, x, *parts, *more, **attributes)
        joined = w.node("Transpose", y, perm=[0, 2, 1, 3])
        x = w.node("Reshape", joined, w.integers([0, 0, -1]))
    y = w.node("Transpose", x, perm=[1, 0, 2]) if given.get("batch_first") else x
    if not starts:
        return y
    return y, (tuple(ends) if len(ends) > 1 else ends[0])


def _states(value: Any) -> list[str]:
    return list(value) if isinstance(value, tuple) else [value]


@emits("LSTMCell")
def lstm_cell(w: Writer, layer: Layer, x: Any, ndim: int | None) -> tuple[str, str]:
    """Add one step of an LSTM."""
    x, (h, c) = x
    names = ("weight_ih", "bias_ih"), ("weight_hh", "bias_hh")
    maps = [[w.weight(layer.state[name], name) for name in pair] for pair in names]
    of_x, of_h = (
        w.node("Gemm", value, *map_, transB=1) for value, map_ in zip((x, h), maps, strict=True)
    )
    i, f, g, o = w.split(w.node("Add", of_x, of_h), 1, 4)
    kept = w.node("Mul", w.node("Sigmoid", f), c)
    c = w.node("Add", kept, w.node("Mul", w.node("Sigmoid", i), w.node("Tanh", g)))
    return w.node("Mul", w.node("Sigmoid", o), w.node("Tanh", c)), c


def _matrices(layer: Layer, suffix: str) -> tuple[Any, Any, Any]:
    """Return W, R and both biases of a layer in one direction, in ONNX's order."""

    def arranged(name: str) -> Any:
        whole = layer.state[name + suffix].numpy()
        gates = np.split(whole, len(GATES[layer.kind]))
        return np.concatenate([gates[i] for i in GATES[layer.kind]])

    biases = np.concatenate([arranged("bias_ih"), arranged("bias_hh")])
    return arranged("weight_ih"), arranged("weight_hh"), biases
