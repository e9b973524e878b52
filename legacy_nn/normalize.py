"""nn.Normalize: vectors of length 1."""

from __future__ import annotations

import math
from typing import Any

from rekindle.core import ops
from rekindle.core.creation import arange
from rekindle.core.tensor import Tensor

from .checks import fitted, one_tensor, remembered
from .fields import given, set_field
from .module import ArgumentError, torch_class
from .stated_gradient import Gradients, StatedGradient

Norms = dict[str, Tensor]
"""What a forward pass finds of each row and the way back needs, by the names of the fields."""


@torch_class("nn.Normalize")
class Normalize(StatedGradient):
    """Divides a vector, or each row of a matrix, by its p-norm.

    Parameters
    ----------
    p : float
        Above 0; inf is the largest magnitude.
    eps : float, default 1e-10
        Added to the sum of powers before the root, or to the largest magnitude.

    Source: torch/nn Normalize.lua.
    """

    scratch = ("_output", "_indices", "_gradInput", "buffer", "norm", "normp", "cross")
    not_converted = ("_indices",)

    eps: float = 1e-10

    def __init__(self, p: float, eps: float | None = None) -> None:
        super().__init__()
        if not p > 0:
            raise ArgumentError(f"{p}-norm not supported: nn.Normalize takes a p above 0")
        self.p = p
        self.eps = given(eps, 1e-10)

    def compute(self, input: Any) -> tuple[Tensor, Norms]:
        x = one_tensor(self, input, 1, 2, says="only 1d layer supported")
        found = self._norms(x)
        return x / found["norm"], found

    def _norms(self, x: Tensor) -> Norms:
        """Return what Torch7 keeps of each row: its norm and the sum of powers, or the place."""
        if self.p == math.inf:
            size = ops.abs(x)
            place = ops.argmax(size, axis=-1, keepdims=True)
            return {"norm": ops.max(size, axis=-1, keepdims=True) + self.eps, "_indices": place}
        powers = ops.square(x) if self.p == 2 else ops.power(ops.abs(x), self.p)
        total = ops.sum(powers, axis=-1, keepdims=True) + self.eps
        root = ops.sqrt(total) if self.p == 2 else ops.power(total, 1 / self.p)
        return {"norm": root, "normp": total}

    def keep_extras(self, *extras: Any) -> None:
        for name, value in extras[0].items():
            kept = value + 1 if name == "_indices" else value
            set_field(self, name, ops.reshape(kept, (-1, 1)))

    def input_gradient(self, input: Any, gradOutput: Any) -> Tensor:
        names = ("norm", "_indices" if self.p == math.inf else "normp")
        rows = (1, -1) if input.ndim == 1 else input.shape
        found = dict(zip(names, remembered(self, *names), strict=True))
        if "_indices" in found:
            found["_indices"] = found["_indices"] - 1
        g = ops.reshape(fitted(self, gradOutput, input), rows)
        return ops.reshape(self._gradient(ops.reshape(input, rows), g, found), input.shape)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        g = fitted(self, gradOutput, input)
        return self._gradient(input, g, self._norms(input)), ()

    def _gradient(self, x: Tensor, g: Tensor, norms: Norms) -> Tensor:
        norm = norms["norm"]
        total = norms.get("normp", norm)
        across = ops.sum(x * g, axis=-1, keepdims=True)
        return (total * g - self._slope(x, norms) * across) / (total * norm)

    def _slope(self, x: Tensor, norms: Norms) -> Tensor:
        """Return 1/p times the derivative of the sum of powers, as Torch7 computes it."""
        if self.p == math.inf:
            there = ops.equal(arange(x.shape[-1], device=x.device), norms["_indices"])
            return ops.where(there, x / norms["norm"], 0)
        if self.p == 2:
            return x
        # Below 2 the power is negative, and Torch7 avoids dividing by 0.
        size = ops.abs(x) + self.eps if self.p < 2 else ops.abs(x)
        return ops.power(size, self.p - 2) * x

    def __repr__(self) -> str:
        p = f"{self.p:d}" if float(self.p).is_integer() else f"{self.p:f}"
        return f"{self.t7_typename}({p})"
