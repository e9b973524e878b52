"""cudnn.RNN and its kinds: recurrent layers with one flat weight vector.

How that vector is laid out says flat_weights.py. Source: soumith/cudnn.torch RNN.lua.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.autograd import enable_grad, grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, full, zeros, zeros_like
from rekindle.core.tensor import Parameter, Tensor

from ..checks import fitted
from ..fields import given
from ..module import InputTypeError, Module, ModuleError, as_parameter, torch_class
from ..torch7 import random
from ..values import as_input, as_torch, replace_contents
from .flat_weights import FlatWeights, Weights
from .packed import pack, pad, unfolded


@torch_class("cudnn.RNN")
class RNN(FlatWeights, Module):
    """Recurrent layers over a sequence.

    Input (T, N, inputSize), or (N, T, inputSize) with `batchFirst`, or a packed batch of
    sequences of several lengths (packed.py); output with hiddenSize features, twice as many in
    both directions.

    Parameters
    ----------
    inputSize, hiddenSize, numLayers : int
    batchFirst : bool
    dropout : float
        Probability of dropping between layers in training. cuDNN's own random numbers cannot
        be repeated; these come from Torch7's stream.
    rememberStates : bool
        Whether a sequence starts where the one before ended.

    Attributes
    ----------
    weight : Parameter, shape (n,)
        All weights and biases; see flat_weights.py.
    hiddenInput, cellInput : Tensor, shape (numLayers * directions, N, hiddenSize), or None
        Where sequences start; zeros without.
    hiddenOutput, cellOutput : Tensor
        Where the last one ended.
    gradHiddenOutput, gradCellOutput : Tensor, or None
        Gradients for these, which backward starts from too.
    gradHiddenInput, gradCellInput : Tensor
        The gradients that backward found for where the sequence started.
    """

    parameter_fields = (("weight", "gradWeight"),)
    scratch = ("_input", "_gradOutput", "reserve", "dropoutStates")
    default_mode = "CUDNN_RNN_RELU"
    default_directions = 1

    dropout: float = 0
    batchFirst: bool = False
    rememberStates: bool = False
    inputMode: str = "CUDNN_LINEAR_INPUT"
    numDirections: int = 1
    hiddenInput: Tensor | None = None
    cellInput: Tensor | None = None
    hiddenOutput: Tensor | None = None
    cellOutput: Tensor | None = None
    gradHiddenOutput: Tensor | None = None
    gradCellOutput: Tensor | None = None
    gradHiddenInput: Any = None
    gradCellInput: Any = None
    noise: Table | None = None

    def __init__(
        self,
        inputSize: int,
        hiddenSize: int,
        numLayers: int,
        batchFirst: bool | None = None,
        dropout: float | None = None,
        rememberStates: bool | None = None,
    ) -> None:
        super().__init__()
        self.datatype = "CUDNN_DATA_FLOAT"
        self.inputSize, self.hiddenSize, self.numLayers = inputSize, hiddenSize, numLayers
        self.seqLength = self.miniBatch = 1
        self.numDirections = self.default_directions
        way = "BIDIRECTIONAL" if self.numDirections == 2 else "UNIDIRECTIONAL"
        self.bidirectional = f"CUDNN_{way}"
        self.mode = self.default_mode
        self.dropout = given(dropout, 0)
        self.batchFirst = given(batchFirst, False)
        self.rememberStates = given(rememberStates, False)
        count = sum(rows * (columns + 2) for rows, columns in self._sizes())
        self.weight = Parameter(zeros(count, self.dtype))
        self.gradWeight = zeros(count, self.dtype)
        as_parameter(self.weight, self.gradWeight)
        self.hiddenOutput, self.cellOutput = empty(0, self.dtype), empty(0, self.dtype)
        self.gradHiddenInput, self.gradCellInput = empty(0, self.dtype), empty(0, self.dtype)
        self.reserve = empty(0, self.dtype)
        self.seed, self.sync, self.inputPacked = 0x01234567, True, False
        self.train = True
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw all weights and biases, and return the module."""
        bound = given(stdv, 1 / math.sqrt(self.hiddenSize))
        random.uniform(self.weight, -bound, bound)
        return self

    def resetStates(self) -> None:
        """Let the next sequence start from zeros."""
        for name in ("hiddenInput", "cellInput", "gradHiddenOutput", "gradCellOutput"):
            vars(self).pop(name, None)
        for state in (self.hiddenOutput, self.cellOutput):
            if state is not None:
                state.zero_()

    def setSync(self, sync: bool) -> None:
        """Say whether Torch7 waits for the GPU after each call."""
        self.sync = sync

    def packPaddedSequence(
        self, input: Tensor, lengths: Sequence[int], batchFirst: bool | None = None
    ) -> Table:
        """Pack a batch of padded sequences; see packed.py."""
        return pack(input, lengths, batchFirst)

    def padPackedSequence(
        self, seq: Table, batchFirst: bool | None = None
    ) -> tuple[Tensor, list[int]]:
        """Return a packed batch padded with zeros, and the lengths."""
        return pad(seq, batchFirst)

    # -- forward ------------------------------------------------------------------------

    def check_input(self, input: Any) -> None:
        super().check_input(input)
        if isinstance(input, Table):
            unfolded(input)
        elif not isinstance(input, Tensor) or input.ndim != 3 or input.shape[2] != self.inputSize:
            shape = input.shape if isinstance(input, Tensor) else type(input).__name__
            order = "(N, T, {})" if self.batchFirst else "(T, N, {})"
            raise InputTypeError(
                f"{self.t7_typename} takes input {order.format(self.inputSize)}; given {shape}"
            )
        if self.inputMode != "CUDNN_LINEAR_INPUT":
            raise ModuleError(f"{self.t7_typename} with inputMode {self.inputMode} is not known")

    def prepare(self, input: Any) -> None:
        steps, batch = self._size(input)
        self.seqLength, self.miniBatch = steps, batch
        self.inputPacked = isinstance(input, Table)
        if self.rememberStates:
            for last, first in (("hiddenOutput", "hiddenInput"), ("cellOutput", "cellInput")):
                state = vars(self).get(last)
                if isinstance(state, Tensor) and state.shape == self._state_shape(batch):
                    setattr(self, first, state.clone())
                else:
                    vars(self).pop(first, None)
        if not (self.train and self.dropout):
            self.noise = None
            return
        features = self.hiddenSize * self.numDirections
        masks = [full((steps, batch, features), 0, self.dtype) for _ in range(self.numLayers - 1)]
        for mask in masks:
            random.bernoulli(mask, 1 - self.dropout).div_(1 - self.dropout)
        self.noise = Table(masks)

    def _size(self, input: Any) -> tuple[int, int]:
        """Return the numbers of steps and of sequences."""
        if isinstance(input, Table):
            return len(input[2]), int(input[2][1])
        first, second, _ = input.shape
        return (second, first) if self.batchFirst else (first, second)

    def _state_shape(self, batch: int) -> tuple[int, int, int]:
        return self.numLayers * self.numDirections, batch, self.hiddenSize

    def compute(self, input: Any) -> Any:
        return self._sequence(input, *self._start(self._size(input)[1]))

    def _sequence(self, input: Any, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the output and the last states of a sequence from these first ones."""
        goes_on = places = None
        if isinstance(input, Table):
            x, goes_on, places = unfolded(input)
        else:
            x = ops.transpose(input, 0, 1) if self.batchFirst else input
        weights = self._weights()
        last_hidden, last_cell = [], []
        for layer in range(self.numLayers):
            outputs = []
            for direction in range(self.numDirections):
                k = layer * self.numDirections + direction
                backwards = direction == 1
                y, h, c = self._run(x, hidden[k], cell[k], weights[k], backwards, goes_on)
                outputs.append(y)
                last_hidden.append(h)
                last_cell.append(c)
            x = outputs[0] if len(outputs) == 1 else ops.concat(outputs, axis=2)
            if self.noise is not None and layer + 1 < self.numLayers:
                x = x * self.noise[layer + 1]
        if places is not None:
            y = x.reshape(-1, x.shape[2])[Tensor(places, device=x.device)]
        else:
            y = ops.transpose(x, 0, 1) if self.batchFirst else x
        return y, ops.stack(last_hidden), ops.stack(last_cell)

    def _start(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return where a sequence starts: the states given, or zeros.

        Raises
        ------
        ModuleError
            If those given are of another shape.
        """
        shape = self._state_shape(batch)
        states = []
        for name in ("hiddenInput", "cellInput"):
            state = getattr(self, name)
            if state is not None and state.size and state.shape != shape:
                raise ModuleError(
                    f"{name} has incorrect size! {self.t7_typename} takes {shape} for this "
                    f"input; given {state.shape}"
                )
            states.append(state if state is not None and state.size else zeros(shape, self.dtype))
        return states[0], states[1]

    def _run(
        self,
        x: Tensor,
        h: Tensor,
        c: Tensor,
        weights: Weights,
        backwards: bool,
        goes_on: list[Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the outputs of one layer in one direction, and its last states."""
        w, r, b, d = weights
        received = ops.linear(x, w, b)
        step = _CELLS[self.mode]
        outputs = []
        order = range(x.shape[0])
        for t in reversed(order) if backwards else order:
            before = h, c
            h, c = step(received[t], ops.linear(h, r, d), h, c)
            if goes_on is not None:
                h, c = (
                    ops.where(goes_on[t], new, old) for new, old in zip((h, c), before, strict=True)
                )
            outputs.append(h)
        return ops.stack(outputs[::-1] if backwards else outputs), h, c

    def keep_extras(self, *extras: Any) -> None:
        hidden, cell = extras
        self.hiddenOutput = hidden.detach()
        if self.mode == "CUDNN_LSTM":
            self.cellOutput = cell.detach()

    # -- backward -----------------------------------------------------------------------

    def _derived(self, input: Any, gradOutput: Any) -> list[Tensor]:
        """Return the gradients for the input, the weight, and the two first states."""
        data = input[1] if isinstance(input, Table) else input
        states = self._start(self._size(input)[1])
        with enable_grad():
            leaves = [t.detach().requires_grad_() for t in (data, *states)]
            received = Table([leaves[0], input[2]]) if isinstance(input, Table) else leaves[0]
            outputs = self._sequence(received, leaves[1], leaves[2])
        gradients = [fitted(self, gradOutput, outputs[0], "output")]
        for name, last in zip(("gradHiddenOutput", "gradCellOutput"), outputs[1:], strict=True):
            g = getattr(self, name)
            gradients.append(zeros(last.shape, last.dtype) if g is None else fitted(self, g, last))
        targets = [leaves[0], self.weight, leaves[1], leaves[2]]
        found = grad(list(outputs), targets, gradients, allow_unused=True)
        return [zeros_like(t) if g is None else g for t, g in zip(targets, found, strict=True)]

    def _keep_derived(self, input: Any, gradOutput: Any, derived: list[Tensor]) -> None:
        self.gradInput = self.keep_gradient(input, gradOutput, derived[0])
        self.gradHiddenInput = replace_contents(self.gradHiddenInput, derived[2])
        self.gradCellInput = replace_contents(self.gradCellInput, derived[3])

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with as_torch():
            input = as_input(input)
            self._keep_derived(input, gradOutput, self._derived(input, gradOutput))
        return self.gradInput

    def parameter_gradients(self, input: Any, gradOutput: Any) -> list[Tensor | None]:
        return [self._derived(input, gradOutput)[1]]

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        with as_torch():
            input = as_input(input)
            derived = self._derived(input, gradOutput)
            self._keep_derived(input, gradOutput, derived)
            self._accumulate([derived[1]], scale)
        return self.gradInput

    def __repr__(self) -> str:
        return self.t7_typename


def _lstm(x: Tensor, r: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    size = h.shape[-1]
    i, f, g, o = ((x + r)[:, k * size : (k + 1) * size] for k in range(4))
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


def _gru(x: Tensor, r: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    size = h.shape[-1]
    gates = ops.sigmoid(x[:, : 2 * size] + r[:, : 2 * size])
    reset, update = gates[:, :size], gates[:, size:]
    new = ops.tanh(x[:, 2 * size :] + reset * r[:, 2 * size :])
    return new + update * (h - new), c


_CELLS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "CUDNN_LSTM": _lstm,
    "CUDNN_GRU": _gru,
    "CUDNN_RNN_RELU": lambda x, r, h, c: (ops.relu(x + r), c),
    "CUDNN_RNN_TANH": lambda x, r, h, c: (ops.tanh(x + r), c),
}


@torch_class("cudnn.RNNReLU")
class RNNReLU(RNN):
    """Recurrent layers with ReLU."""


@torch_class("cudnn.RNNTanh")
class RNNTanh(RNN):
    """Recurrent layers with tanh."""

    default_mode = "CUDNN_RNN_TANH"


@torch_class("cudnn.LSTM")
class LSTM(RNN):
    """Layers of LSTM cells."""

    default_mode = "CUDNN_LSTM"


@torch_class("cudnn.BLSTM")
class BLSTM(RNN):
    """Layers of LSTM cells in both directions."""

    default_mode = "CUDNN_LSTM"
    default_directions = 2


@torch_class("cudnn.GRU")
class GRU(RNN):
    """Layers of gated recurrent units."""

    default_mode = "CUDNN_GRU"


@torch_class("cudnn.BGRU")
class BGRU(RNN):
    """Layers of gated recurrent units in both directions."""

    default_mode = "CUDNN_GRU"
    default_directions = 2
