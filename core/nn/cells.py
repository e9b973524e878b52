"""Recurrent networks one step at a time: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import ops
from ..backend import Device
from ..creation import zeros
from ..errors import ShapeError
from ..tensor import Parameter, Tensor
from . import init
from .errors import ArgumentError
from .fields import documented, new_parameter
from .functional.recurrent import gru_step, lstm_step
from .module import Module


class _Cell(Module):
    """What cells have.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    device, dtype
        Of the Parameters.

    Attributes
    ----------
    weight_ih : Parameter, shape (gates * H, I)
    weight_hh : Parameter, shape (gates * H, H)
    bias_ih, bias_hh : Parameter, shape (gates * H,), or None
        All start uniform with a bound of 1 / sqrt(H).
    """

    gates: ClassVar[int]
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = self.gates * hidden_size
        self.weight_ih = new_parameter((rows, input_size), dtype, device)
        self.weight_hh = new_parameter((rows, hidden_size), dtype, device)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, new_parameter(rows, dtype, device) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new Parameters."""
        for parameter in self.parameters():
            init.fan_in_uniform_(parameter, self.hidden_size)

    def _batched(self, input: Tensor, *states: Tensor | None) -> tuple[Tensor, ...]:
        """Return input and states with a batch; states are zeros where there are none.

        Raises
        ------
        ShapeError
            If the shapes do not fit.
        """
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__} takes an input of shape (N, {self.input_size}) or "
                f"({self.input_size},); given {input.shape}"
            )
        expected = (*input.shape[:-1], self.hidden_size)
        for state in states:
            if state is not None and state.shape != expected:
                raise ShapeError(
                    f"{type(self).__name__}: a state has shape {expected} here; given {state.shape}"
                )
        full = [zeros(expected, input.dtype, input.device) if s is None else s for s in states]
        if input.ndim == 1:
            return tuple(x.unsqueeze(0) for x in (input, *full))
        return (input, *full)

    def _sums(self, x: Tensor, h: Tensor) -> Tensor:
        return ops.linear(x, self.weight_ih, self.bias_ih) + ops.linear(
            h, self.weight_hh, self.bias_hh
        )

    def extra_repr(self) -> str:
        """Return sizes, and whether there is no bias."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


@documented
class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it, by `nonlinearity`."""

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device | str | None = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f'nonlinearity is "tanh" or "relu"; given {nonlinearity!r}')
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the next hidden state (N, H)."""
        x, h = self._batched(input, hx)
        sums = self._sums(x, h)
        y = ops.tanh(sums) if self.nonlinearity == "tanh" else ops.relu(sums)
        return y.squeeze(axis=0) if input.ndim == 1 else y

    def extra_repr(self) -> str:
        """Return sizes, and what is not as usual."""
        text = super().extra_repr()
        usual = self.nonlinearity == "tanh"
        return text if usual else f"{text}, nonlinearity={self.nonlinearity}"


@documented
class LSTMCell(_Cell):
    """One step of an LSTM; gates input, forget, candidate, output."""

    gates = 4

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the next (h, c), of shape (N, H) each."""
        x, h, c = self._batched(input, *(hx or (None, None)))
        h, c = lstm_step(self._sums(x, h), c)
        return (h.squeeze(axis=0), c.squeeze(axis=0)) if input.ndim == 1 else (h, c)


@documented
class GRUCell(_Cell):
    """One step of a GRU; gates reset, update, candidate."""

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the next hidden state (N, H)."""
        x, h = self._batched(input, hx)
        sums = ops.linear(x, self.weight_ih, self.bias_ih)
        y = gru_step(sums, ops.linear(h, self.weight_hh, self.bias_hh), h)
        return y.squeeze(axis=0) if input.ndim == 1 else y
