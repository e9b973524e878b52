"""Rules of cuDNN's recurrent layers: the flat vector of weights as one matrix for each use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rekindle.core.tensor import Parameter, Tensor

from .plan import Layer, Value
from .registry import rule
from .rules_layers import without_defaults

if TYPE_CHECKING:
    from .builder import Builder

KINDS = {
    "CUDNN_LSTM": ("LSTM", {}),
    "CUDNN_GRU": ("GRU", {}),
    "CUDNN_RNN_RELU": ("RNN", {"nonlinearity": "relu"}),
    "CUDNN_RNN_TANH": ("RNN", {}),
}
"""The layer of each mode, whose gates are in cuDNN's order, and its arguments."""


@rule(
    *("cudnn.RNN", "cudnn.RNNReLU", "cudnn.RNNTanh", "cudnn.LSTM", "cudnn.BLSTM", "cudnn.GRU"),
    "cudnn.BGRU",
)
def recurrent(m: Any, x: Value, b: Builder) -> Value:
    """Return the outputs of recurrent layers that start from zeros."""
    if m.rememberStates:
        b.refuse("its sequences start where the ones before ended (rememberStates)")
    if any(getattr(s, "size", 0) for s in (m.hiddenInput, m.cellInput)):
        b.refuse("it starts from states that were given to it (hiddenInput, cellInput)")
    if not m.weight.is_contiguous():
        b.refuse("its weight does not lie in one piece")
    kind, more = KINDS[m.mode]
    arguments: dict[str, Any] = {"input_size": int(m.inputSize), "hidden_size": int(m.hiddenSize)}
    arguments |= {"num_layers": int(m.numLayers), **more, "batch_first": bool(m.batchFirst)}
    arguments |= {"dropout": m.dropout, "bidirectional": m.numDirections == 2}
    defaults = {"num_layers": 1, "batch_first": False, "dropout": 0, "bidirectional": False}
    made = Layer(kind, without_defaults(arguments, **defaults), matrices(m))
    returned = b.layer(kind.lower(), made, b.tensor(x))
    return b.op("first", returned, ndim=3)


def matrices(m: Any) -> dict[str, Tensor]:
    """Return the parts of the flat weight by the names that nn.LSTM has for them."""
    position = 0

    def part(*shape: int) -> Tensor:
        nonlocal position
        strides = (shape[1], 1) if len(shape) == 2 else (1,)
        start = m.weight.storage_offset() + position
        view = type(m.weight).view_of(m.weight.storage(), start, shape, strides)
        position += view.size
        return view.requires_grad_(m.weight.requires_grad) if isinstance(view, Parameter) else view

    suffixes = [
        f"_l{layer}{'_reverse' * direction}"
        for layer in range(int(m.numLayers))
        for direction in range(int(m.numDirections))
    ]
    sizes = list(m._sizes())
    hidden = int(m.hiddenSize)
    state: dict[str, Tensor] = {}
    for suffix, (rows, columns) in zip(suffixes, sizes, strict=True):
        state[f"weight_ih{suffix}"] = part(rows, columns - hidden)
        state[f"weight_hh{suffix}"] = part(rows, hidden)
    for suffix, (rows, _) in zip(suffixes, sizes, strict=True):
        state[f"bias_ih{suffix}"] = part(rows)
        state[f"bias_hh{suffix}"] = part(rows)
    return state
