"""cudnn.RNN and its kinds: recurrent layers with one flat weight vector.

The vector holds, for each layer and direction, the matrices of the gates for the input and
then for the hidden state; after all of these the biases in the same order, two for each gate.
Gates are in cuDNN's order: LSTM input, forget, cell, output; GRU reset, update, new.

Source: soumith/cudnn.torch RNN.lua and cuDNN's documentation of cudnnGetRNNLinLayerMatrixParams.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Self

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, full, zeros
from rekindle.core.tensor import Parameter, Tensor

from ..fields import given
from ..module import InputTypeError, Module, ModuleError, as_parameter, torch_class
from ..torch7 import random

Weights = tuple[Tensor, Tensor, Tensor, Tensor]
"""For one layer and direction: W (gates*H, in), R (gates*H, H) and their biases."""

GATES = {"CUDNN_LSTM": 4, "CUDNN_GRU": 3, "CUDNN_RNN_RELU": 1, "CUDNN_RNN_TANH": 1}


@torch_class("cudnn.RNN")
class RNN(Module):
    """Recurrent layers over a sequence.

    Input (T, N, inputSize), or (N, T, inputSize) with `batchFirst`; output with hiddenSize
    features, twice as many in both directions.

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
        All weights and biases; see the head of this file.
    hiddenInput, cellInput : Tensor, shape (numLayers * directions, N, hiddenSize), or None
        Where sequences start; zeros without.
    hiddenOutput, cellOutput : Tensor
        Where the last one ended.
    """

    parameter_fields = (("weight", "gradWeight"),)
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
        self.train = True
        self.reset()

    def reset(self, stdv: float | None = None) -> Self:
        """Draw all weights and biases, and return the module."""
        bound = given(stdv, 1 / math.sqrt(self.hiddenSize))
        random.uniform(self.weight, -bound, bound)
        return self

    def resetStates(self) -> None:
        """Let the next sequence start from zeros."""
        for name in ("hiddenInput", "cellInput"):
            vars(self).pop(name, None)
        for state in (self.hiddenOutput, self.cellOutput):
            if state is not None:
                state.zero_()

    # -- weights ------------------------------------------------------------------------

    def _sizes(self) -> Iterator[tuple[int, int]]:
        """Yield (rows, columns) of W and R together, for each layer and direction."""
        rows = GATES[self.mode] * self.hiddenSize
        for layer in range(self.numLayers):
            features = self.inputSize if layer == 0 else self.hiddenSize * self.numDirections
            for _ in range(self.numDirections):
                yield rows, features + self.hiddenSize

    def _weights(self) -> list[Weights]:
        """Return the parts of the flat weight, for each layer and direction."""
        expected = sum(rows * (columns + 2) for rows, columns in self._sizes())
        if self.weight.size != expected:
            raise ModuleError(
                f"{self.t7_typename} with these sizes has {expected} weights and biases; the "
                f"flat weight has {self.weight.size}"
            )
        position = 0

        def take(rows: int, columns: int | None = None) -> Tensor:
            nonlocal position
            start, position = position, position + rows * (columns or 1)
            part: Tensor = self.weight[start:position]
            return part if columns is None else part.reshape(rows, columns)

        hidden = self.hiddenSize
        matrices = [(take(r, c - hidden), take(r, hidden)) for r, c in self._sizes()]
        biases = [(take(rows), take(rows)) for rows, _ in self._sizes()]
        return [(w, r, b, c) for (w, r), (b, c) in zip(matrices, biases, strict=True)]

    # -- forward ------------------------------------------------------------------------

    def check_input(self, input: Any) -> None:
        super().check_input(input)
        if not isinstance(input, Tensor) or input.ndim != 3 or input.shape[2] != self.inputSize:
            shape = input.shape if isinstance(input, Tensor) else type(input).__name__
            order = "(N, T, {})" if self.batchFirst else "(T, N, {})"
            raise InputTypeError(
                f"{self.t7_typename} takes input {order.format(self.inputSize)}; given {shape}"
            )
        if self.inputMode != "CUDNN_LINEAR_INPUT":
            raise ModuleError(f"{self.t7_typename} with inputMode {self.inputMode} is not known")

    def prepare(self, input: Any) -> None:
        if not (self.train and self.dropout):
            self.noise = None
            return
        steps, batch = input.shape[1::-1] if self.batchFirst else input.shape[:2]
        features = self.hiddenSize * self.numDirections
        masks = [full((steps, batch, features), 0, self.dtype) for _ in range(self.numLayers - 1)]
        for mask in masks:
            random.bernoulli(mask, 1 - self.dropout).div_(1 - self.dropout)
        self.noise = Table(masks)

    def compute(self, input: Any) -> Any:
        x = ops.transpose(input, 0, 1) if self.batchFirst else input
        hidden, cell = self._start(x.shape[1])
        weights = self._weights()
        last_hidden, last_cell = [], []
        for layer in range(self.numLayers):
            outputs = []
            for direction in range(self.numDirections):
                k = layer * self.numDirections + direction
                backwards = direction == 1
                y, h, c = self._run(x, hidden[k], cell[k], weights[k], backwards)
                outputs.append(y)
                last_hidden.append(h)
                last_cell.append(c)
            x = outputs[0] if len(outputs) == 1 else ops.concat(outputs, axis=2)
            if self.noise is not None and layer + 1 < self.numLayers:
                x = x * self.noise[layer + 1]
        y = ops.transpose(x, 0, 1) if self.batchFirst else x
        return y, ops.stack(last_hidden), ops.stack(last_cell)

    def _start(self, batch: int) -> tuple[Tensor, Tensor]:
        shape = (self.numLayers * self.numDirections, batch, self.hiddenSize)
        states = []
        for first, last in (
            (self.hiddenInput, self.hiddenOutput),
            (self.cellInput, self.cellOutput),
        ):
            state = last if self.rememberStates and last is not None and last.size else first
            states.append(state if state is not None and state.size else zeros(shape, self.dtype))
        return states[0], states[1]

    def _run(
        self, x: Tensor, h: Tensor, c: Tensor, weights: Weights, backwards: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the outputs of one layer in one direction, and its last states."""
        w, r, b, d = weights
        received = ops.linear(x, w, b)
        step = _CELLS[self.mode]
        outputs = []
        order = range(x.shape[0])
        for t in reversed(order) if backwards else order:
            h, c = step(received[t], ops.linear(h, r, d), h, c)
            outputs.append(h)
        return ops.stack(outputs[::-1] if backwards else outputs), h, c

    def remember(self, *extras: Any) -> None:
        hidden, cell = extras
        self.hiddenOutput = hidden.detach()
        if self.mode == "CUDNN_LSTM":
            self.cellOutput = cell.detach()

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
