"""Recurrent layers, one direction at a time, and the steps that they are made of.

What depends on the input alone is computed for all times at once, before the first step.
"""

from __future__ import annotations

from typing import Any

from ... import ops
from ...autograd import Context, Function
from ...tensor import Tensor

State = tuple[Tensor, ...]
"""What is passed on from one time to the next: (h,), or (h, c) of an LSTM."""


class _Unbind(Function):
    """Slices along the first dimension, whose gradients are put together once."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        (x,) = args
        return tuple(x)

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        return ops.stack(gradients)


class _Pieces(Function):
    """Equal pieces of the last dimension, whose gradients are put together once."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        x, count = args
        return ops.chunk(x, count, axis=-1)

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        return ops.concat(gradients, axis=-1), None


def lstm_step(gates: Tensor, c: Tensor) -> State:
    """Return the next (h, c) of an LSTM.

    Parameters
    ----------
    gates : Tensor, shape (N, 4 * H)
        Sums for input, forget, candidate and output, in this order.
    c : Tensor, shape (N, H)
    """
    i, f, g, o = _Pieces.apply(gates, 4)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


def gru_step(x: Tensor, hidden: Tensor, h: Tensor) -> Tensor:
    """Return the next hidden state of a GRU.

    Parameters
    ----------
    x, hidden : Tensor, shape (N, 3 * H)
        What input and state add for reset, update and candidate, in this order. The reset
        gate multiplies what the state adds to the candidate, its bias included.
    h : Tensor, shape (N, H)
    """
    xr, xz, xn = _Pieces.apply(x, 3)
    hr, hz, hn = _Pieces.apply(hidden, 3)
    candidate = ops.tanh(xn + ops.sigmoid(xr + hr) * hn)
    return candidate + ops.sigmoid(xz + hz) * (h - candidate)


def run_direction(
    kind: str, x: Tensor, state: State, weights: dict[str, Tensor | None], reverse: bool
) -> tuple[Tensor, State]:
    """Return the outputs of one layer in one direction, and its last state.

    Parameters
    ----------
    kind : {"tanh", "relu", "lstm", "gru"}
    x : Tensor, shape (T, N, I)
    state : tuple of Tensor, shape (N, H)
    weights : dict
        weight_ih, weight_hh, bias_ih, bias_hh and weight_hr (the projection of an LSTM); the
        last three may be None.
    reverse : bool
        Whether time runs from the last to the first.

    Returns
    -------
    outputs : Tensor, shape (T, N, H)
    state : tuple of Tensor
    """
    bias_ih, bias_hh = weights["bias_ih"], weights["bias_hh"]
    w_hh: Any = weights["weight_hh"]
    w_ih: Any = weights["weight_ih"]
    if kind != "gru" and bias_ih is not None and bias_hh is not None:
        bias_ih, bias_hh = bias_ih + bias_hh, None
    parts = _Unbind.apply(ops.linear(x, w_ih, bias_ih))
    outputs = []
    transposed = w_hh.T
    for part in reversed(parts) if reverse else parts:
        if kind == "gru":
            hidden = ops.linear(state[0], w_hh, bias_hh)
            state = (gru_step(part, hidden, state[0]),)
        else:
            gates = part + state[0] @ transposed
            state = _advanced(kind, gates, state, weights["weight_hr"])
        outputs.append(state[0])
    return ops.stack(outputs[::-1] if reverse else outputs), state


def _advanced(kind: str, gates: Tensor, state: State, projection: Tensor | None) -> State:
    if kind == "lstm":
        h, c = lstm_step(gates, state[1])
        return (h if projection is None else ops.linear(h, projection, None)), c
    return (ops.tanh(gates) if kind == "tanh" else ops.relu(gates),)
