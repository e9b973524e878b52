"""Recurrent networks over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from .. import ops
from ..backend import Device
from ..creation import zeros
from ..errors import ShapeError
from ..tensor import Tensor
from . import init
from .errors import ArgumentError
from .fields import documented, new_parameter
from .functional.dropout import dropout
from .functional.recurrent import State, run_direction
from .module import Module

_SUFFIXES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


class _Recurrent(Module):
    """What recurrent networks have.

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int
        Each further layer reads the outputs of the one below.
    bias : bool
    batch_first : bool
        Whether inputs and outputs are (N, T, ...) instead of (T, N, ...); states are not.
    dropout : float
        Share of the outputs of all layers but the last that is dropped in training.
    bidirectional : bool
        Whether each layer also reads from the end to the start; outputs are joined.
    device, dtype
        Of the Parameters.

    Attributes
    ----------
    weight_ih_l0 : Parameter, shape (gates * H, I)
    weight_hh_l0 : Parameter, shape (gates * H, H)
    bias_ih_l0, bias_hh_l0 : Parameter, shape (gates * H,)
        And so on for each layer, with the suffix _reverse for the other direction. All start
        uniform with a bound of 1 / sqrt(H).
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if num_layers < 1 or hidden_size < 1 or not 0 <= dropout <= 1 or proj_size >= hidden_size:
            raise ArgumentError(
                f"{type(self).__name__}: num_layers and hidden_size are 1 or more, dropout is from "
                f"0 to 1 and proj_size below hidden_size; given {num_layers}, {hidden_size}, "
                f"{dropout} and {proj_size}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        out = proj_size or hidden_size
        rows = self.gates * hidden_size
        for layer, suffix in self._directions():
            size = input_size if layer == 0 else out * (2 if bidirectional else 1)
            shapes: dict[str, Any] = {"weight_ih": (rows, size), "weight_hh": (rows, out)}
            if bias:
                shapes |= {"bias_ih": rows, "bias_hh": rows}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for name, shape in shapes.items():
                self.register_parameter(name + suffix, new_parameter(shape, dtype, device))
        self.reset_parameters()

    def _directions(self) -> Iterator[tuple[int, str]]:
        """Yield each layer and direction: its number and the suffix of its Parameters."""
        for layer in range(self.num_layers):
            yield layer, f"_l{layer}"
            if self.bidirectional:
                yield layer, f"_l{layer}_reverse"

    def reset_parameters(self) -> None:
        """Draw new Parameters."""
        for parameter in self.parameters():
            init.fan_in_uniform_(parameter, self.hidden_size)

    def _kind(self) -> str:
        """Return which steps are taken; see `run_direction`."""
        return type(self).__name__.lower()

    def _run(self, input: Tensor, states: State | None) -> tuple[Tensor, State]:
        """Return outputs and last states, arranged as the inputs are."""
        single = input.ndim == 2
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            order = "(N, T, " if self.batch_first else "(T, N, "
            raise ShapeError(
                f"{type(self).__name__} takes an input of shape {order}{self.input_size}) or "
                f"(T, {self.input_size}); given {input.shape}"
            )
        x = input.unsqueeze(1) if single else input
        if self.batch_first and not single:
            x = x.transpose(0, 1)
        given = self._given(x, states, single)
        kind = self._kind()
        ends: list[State] = []
        outputs: list[Tensor] = []
        for i, (layer, suffix) in enumerate(self._directions()):
            if layer > 0 and not suffix.endswith("_reverse"):
                x = ops.concat(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
                x = dropout(x, self.dropout, self.training)
                outputs = []
            weights = {name: self._parameters.get(name + suffix) for name in _SUFFIXES}
            start = tuple(s[i] for s in given)
            y, end = run_direction(kind, x, start, dict(weights), suffix.endswith("_reverse"))
            outputs.append(y)
            ends.append(end)
        y = ops.concat(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
        last = tuple(ops.stack(parts) for parts in zip(*ends, strict=True))
        if single:
            return y.squeeze(axis=1), tuple(s.squeeze(axis=1) for s in last)
        return (y.transpose(0, 1) if self.batch_first else y), last

    def _given(self, x: Tensor, states: State | None, single: bool) -> State:
        """Return the first states, (layers * directions, N, size) each; zeros by default."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = (self.proj_size or self.hidden_size, self.hidden_size)[: self.states]
        if states is None:
            return tuple(zeros((count, x.shape[1], n), x.dtype, x.device) for n in sizes)
        for state, n in zip(states, sizes, strict=True):
            expected = (count, n) if single else (count, x.shape[1], n)
            if state.shape != expected:
                raise ShapeError(
                    f"{type(self).__name__}: a state has shape {expected} here; given {state.shape}"
                )
        return tuple(s.unsqueeze(1) for s in states) if single else tuple(states)

    def extra_repr(self) -> str:
        """Return sizes, and what is not as usual."""
        usual = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        parts = [f"{self.input_size}, {self.hidden_size}"]
        parts += [f"{n}={getattr(self, n)}" for n, v in usual.items() if getattr(self, n) != v]
        return ", ".join(parts)


@documented
class RNN(_Recurrent):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it.

    `nonlinearity` is "tanh" or "relu"; it comes after `num_layers`.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f'nonlinearity is "tanh" or "relu"; given {nonlinearity!r}')
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def _kind(self) -> str:
        return self.nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return all outputs (T, N, H * directions), and h (layers * directions, N, H)."""
        y, (h,) = self._run(input, None if hx is None else (hx,))
        return y, h


@documented
class LSTM(_Recurrent):
    """Gates input, forget, candidate and output, in this order in the Parameters.

    c' = sigmoid(f) * c + sigmoid(i) * tanh(g) and h' = sigmoid(o) * tanh(c'); with
    `proj_size`, h' is mapped to as many features by weight_hr.
    """

    gates = 4
    states = 2

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return all outputs (T, N, H * directions), and (h, c) after the last."""
        y, (h, c) = self._run(input, hx)
        return y, (h, c)


@documented
class GRU(_Recurrent):
    """Gates reset, update and candidate, in this order in the Parameters.

    n = tanh(W_in x + b_in + r * (W_hn h + b_hn)) and h' = (1 - z) * n + z * h.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return all outputs (T, N, H * directions), and h (layers * directions, N, H)."""
        y, (h,) = self._run(input, None if hx is None else (hx,))
        return y, h
