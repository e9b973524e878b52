"""Recurrent layers, one direction at a time, and the steps that they are made of.

What depends on the input alone is computed for all times at once, before the first step.
"""

from __future__ import annotations

from typing import Any

from ... import ops
from ...autograd import Context, Function
from ...backend import Batched
from ...dtypes import float32, float64
from ...tensor import Tensor
from .sequences import GRULayer, LSTMLayer

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
    sums = ops.linear(x, w_ih, bias_ih)
    projection = weights["weight_hr"]
    if projection is None and _has_kernels(kind, sums, w_hh, *state):
        return _whole(kind, sums, state, w_hh, bias_hh, reverse)
    return _stepped(kind, sums, state, w_hh, bias_hh, projection, reverse)


def _has_kernels(kind: str, *operands: Tensor) -> bool:
    """Whether a layer is computed as one: not inside vmap, and not in half precision."""
    return kind in ("lstm", "gru") and all(
        type(t.array) is not Batched and t.dtype in (float32, float64) for t in operands
    )


def _whole(
    kind: str, sums: Tensor, state: State, w_hh: Tensor, bias_hh: Tensor | None, reverse: bool
) -> tuple[Tensor, State]:
    """Return what `_stepped` does, recorded as one step."""
    if kind == "gru":

        def gru(sums: Tensor, w_hh: Tensor, bias_hh: Tensor | None, h: Tensor) -> State:
            return (_stepped("gru", sums, (h,), w_hh, bias_hh, None, reverse)[0],)

        hs = GRULayer.apply(sums, w_hh, bias_hh, *state, reverse, gru)
        return hs, (hs[0 if reverse else -1],)

    def lstm(sums: Tensor, w_hh: Tensor, h: Tensor, c: Tensor) -> State:
        outputs, (_, c) = _stepped("lstm", sums, (h, c), w_hh, None, None, reverse)
        return outputs, c

    hs, c = LSTMLayer.apply(sums, w_hh, *state, reverse, lstm)
    return hs, (hs[0 if reverse else -1], c)


def _stepped(
    kind: str,
    sums: Tensor,
    state: State,
    w_hh: Tensor,
    bias_hh: Tensor | None,
    projection: Tensor | None,
    reverse: bool,
) -> tuple[Tensor, State]:
    """Return outputs and last state, computed by operations for each time.

    Parameters
    ----------
    sums : Tensor, shape (T, N, gates * H)
        What the input adds to the gates, for all times.
    """
    parts = _Unbind.apply(sums)
    outputs = []
    transposed = w_hh.T
    for part in reversed(parts) if reverse else parts:
        if kind == "gru":
            hidden = ops.linear(state[0], w_hh, bias_hh)
            state = (gru_step(part, hidden, state[0]),)
        else:
            gates = part + state[0] @ transposed
            state = _advanced(kind, gates, state, projection)
        outputs.append(state[0])
    return ops.stack(outputs[::-1] if reverse else outputs), state


def _advanced(kind: str, gates: Tensor, state: State, projection: Tensor | None) -> State:
    if kind == "lstm":
        h, c = lstm_step(gates, state[1])
        return (h if projection is None else ops.linear(h, projection, None)), c
    return (ops.tanh(gates) if kind == "tanh" else ops.relu(gates),)
