"""nn.Kmeans: clusters learned on line.

Source: torch/nn Kmeans.lua.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rekindle.core import ops
from rekindle.core.creation import empty, full, zeros, zeros_like
from rekindle.core.dtypes import float64
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from .checks import one_tensor
from .fields import add_parameter, given, set_unless_nil
from .module import ArgumentError, as_torch, torch_class
from .stated_gradient import Gradients, StatedGradient
from .torch7 import random


@torch_class("nn.Kmeans")
class Kmeans(StatedGradient):
    """Tells which centre each row is nearest to, from 1; its gradient moves that one nearer.

    Parameters
    ----------
    k : int
        Number of centres.
    dim : int
        Features of a row.
    scale : float, optional
        Factor of the gradient, in place of that of `accGradParameters`.

    Attributes
    ----------
    weight : Parameter, shape (k, dim)
        The centres.
    loss : float
        Sum of the squared distances of the last input's rows from their centres.
    clusterSampleCount : Tensor, shape (k,)
        How many rows each centre had.

    Raises
    ------
    ArgumentError
        If `k` or `dim` are not positive.
    """

    scratch = ("_minIndx",)
    not_converted = scratch
    keeps_results = True

    k: int
    dim: int
    scale: float | None = None
    p: float | None = None
    loss: float = 0
    gradWeight: Tensor
    clusterSampleCount: Tensor
    _minIndx: Tensor | None = None

    def __init__(self, k: int, dim: int, scale: float | None = None) -> None:
        super().__init__()
        if not (k > 0 and dim > 0):
            raise ArgumentError(f"nn.Kmeans takes a positive k and dim; given {k} and {dim}")
        self.k = k
        self.dim = dim
        set_unless_nil(self, scale=scale)
        add_parameter(self, "weight", "gradWeight", (k, dim))
        self.loss = 0
        self.clusterSampleCount = empty(k, self.dtype)
        self.reset()

    def reset(self, stdev: float | None = None) -> None:
        """Draw new centres, uniformly from [-stdev, stdev), by default [-1, 1)."""
        bound = given(stdev, 1)
        random.uniform(self.weight, -bound, bound)

    def initRandom(self, input: Tensor) -> None:
        """Take rows of `input`, drawn at random, for centres."""
        x = self._rows(input)
        if x.shape[0] < self.k:
            raise ShapeError(f"nn.Kmeans needs {self.k} rows or more; given shape {x.shape}")
        drawn = random.random(zeros(self.k, float64), 1, x.shape[0])
        with as_torch():
            self.weight.copy_(ops.embedding(x, ops.astype(drawn, "int64") - 1))

    def initKmeansPlus(self, input: Tensor, p: float | None = None) -> None:
        """Take rows of `input` that are far from each other for centres.

        Parameters
        ----------
        p : float, optional
            Each is drawn from the 1 - p part of the rows that are farthest from those so far;
            by default 0.95.
        """
        x = self._rows(input)
        self.p = given(p, given(self.p, 0.95))
        if not 0 <= self.p <= 1:
            raise ArgumentError(f"nn.Kmeans: p is from 0 to 1; given {self.p}")
        rows = x.to("cpu").numpy()
        count = max(math.ceil((1 - self.p) * len(rows)), 1)
        distances = np.full(len(rows), np.inf)
        index = _draw(len(rows)) - 1
        for i in range(self.k):
            self.weight.detach()[i] = x[index]
            distances = np.minimum(((rows - rows[index]) ** 2).sum(axis=1), distances)
            if i + 1 < self.k:
                index = int(np.argsort(-distances, kind="stable")[_draw(count) - 1])

    def _rows(self, input: Any) -> Tensor:
        x = one_tensor(self, input, 2)
        if x.shape[1] != self.dim:
            raise ShapeError(f"nn.Kmeans takes rows of {self.dim} features; given {x.shape}")
        return x

    def compute(self, input: Any) -> tuple[Tensor, Tensor, Tensor]:
        x = self._rows(input).detach()
        centres = ops.unsqueeze(self.weight.detach(), 1)
        distances = ops.sum(ops.square(x - centres), axis=2)
        nearest = ops.argmin(distances, axis=0)
        return ops.astype(nearest + 1, x.dtype), nearest, ops.sum(ops.min(distances, axis=0))

    def keep_extras(self, *extras: Any) -> None:
        nearest, total = extras
        self._minIndx = nearest + 1
        self.loss = total.item()

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        index = ops.astype(output, "int64") - 1
        ones = full(index.size, 1, self.dtype, input.device)
        counts = ops.embedding_gradient(ones, index, rows=self.k)
        away = (ops.embedding(self.weight, index) - input) * given(self.scale, 1)
        total = ops.embedding_gradient(away, index, rows=self.k)
        # The small number stands against centres without rows.
        return zeros_like(input), [total / ops.unsqueeze(counts + 1e-7, 1)]

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        if not given(self.scale, scale) > 0:
            raise ArgumentError(f"nn.Kmeans: Scale has to be positive; given {scale}")
        with as_torch():
            index = given(self._minIndx, self.compute(input)[1] + 1)
            places = ops.astype(index, "int64") - 1
            ones = full(places.size, 1, self.dtype, input.device)
            counts = ops.embedding_gradient(ones, places, rows=self.k)
            self.clusterSampleCount.copy_(counts)
            (found,) = self.gradients(input, index, gradOutput)[1]
            assert found is not None
            self.gradWeight.add_(found if self.scale is not None else found * scale)


def _draw(n: int) -> int:
    """Return one of 1 to n, drawn as torch.random(n) does."""
    return int(random.random(zeros(1, float64), n).item())
