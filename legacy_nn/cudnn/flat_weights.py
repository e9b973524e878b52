"""The flat weight vector of cudnn.RNN and its kinds, and the parts of it.

The vector holds, for each layer and direction, the matrices of the gates for the input and
then for the hidden state; after all of these the biases in the same order, two for each gate.
Gates are in cuDNN's order: LSTM input, forget, cell, output; GRU reset, update, new.

Source: soumith/cudnn.torch RNN.lua and cuDNN's documentation of cudnnGetRNNLinLayerMatrixParams.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..errors import ModuleError

Weights = tuple[Tensor, Tensor, Tensor, Tensor]
"""For one layer and direction: W (gates*H, in), R (gates*H, H) and their biases."""

GATES = {"CUDNN_LSTM": 4, "CUDNN_GRU": 3, "CUDNN_RNN_RELU": 1, "CUDNN_RNN_TANH": 1}


class FlatWeights:
    """The part of cudnn.RNN that knows how its weight is laid out."""

    if TYPE_CHECKING:  # what RNN has beside this
        t7_typename: str
        weight: Tensor
        mode: str
        inputSize: int
        hiddenSize: int
        numLayers: int
        numDirections: int

    def weights(self) -> Table:
        """Return the matrix of each gate, for each layer and direction.

        Returns
        -------
        Table of Table of Tensor, 1-D
            Views of `weight`, row by row: those for the input, then those for the hidden state.
        """
        return Table([self._by_gate(w, r) for w, r, _, _ in self._weights()])

    def biases(self) -> Table:
        """Return the biases of each gate, as `weights` returns the matrices."""
        return Table([self._by_gate(b, c) for _, _, b, c in self._weights()])

    def _by_gate(self, *parts: Tensor) -> Table:
        gates, found = GATES[self.mode], []
        for part in parts:
            flat = part.detach().reshape(-1)
            size = flat.size // gates
            found += [flat[k * size : (k + 1) * size] for k in range(gates)]
        return Table(found)

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
